import Foundation
import SelfCDData
import SelfCDExplain

/// Everything a page about a set of prompts shows: aggregates only, no prompt and no reply.
public struct StudyPage: Codable, Sendable, Hashable {
  /// A set of prompts.
  public struct Set: Codable, Sendable, Hashable {
    /// Its name.
    public var name: String
    /// SHA-256 of the file.
    public var sha256: String
    /// Prompts.
    public var prompts: Int

    /// Describes a data set.
    public init(_ dataset: Dataset) {
      name = dataset.name
      sha256 = dataset.sha256
      prompts = dataset.samples.count
    }
  }

  /// The model's name.
  public var model: String
  /// When the page was made.
  public var createdAt: Date
  /// The sets.
  public var sets: [Set]
  /// Where attributions fall; nil where that was not measured.
  public var attribution: AttributionStudy.Result?
  /// What fixed changes of the prompts do; nil where that was not measured.
  public var perturbations: PerturbationStudy.Result?
  /// The column whose groups intervals resample; nil where they resample prompts.
  public var group: String?
  /// What has to be known to judge and repeat it.
  public var facts: [ReportRecord.Fact]

  /// Makes a page's data.
  public init(
    model: String, createdAt: Date, sets: [Set], attribution: AttributionStudy.Result? = nil,
    perturbations: PerturbationStudy.Result? = nil, group: String? = nil, facts: [ReportRecord.Fact]
  ) {
    self.model = model
    self.createdAt = createdAt
    self.sets = sets
    self.attribution = attribution
    self.perturbations = perturbations
    self.group = group
    self.facts = facts
  }
}
