import Foundation
import SelfCDData

/// What has to be known of a run to judge and repeat it.
public struct ReportRecord: Codable, Sendable, Hashable {
  /// One named fact, such as a model's architecture.
  public struct Fact: Codable, Sendable, Hashable {
    /// What it is.
    public var name: String
    /// Its value.
    public var value: String

    /// Makes a fact.
    public init(_ name: String, _ value: String) {
      self.name = name
      self.value = value
    }
  }

  /// A set of prompts that the run used.
  public struct Set: Codable, Sendable, Hashable {
    /// Its name.
    public var name: String
    /// Its version, where one is stated.
    public var version: String?
    /// SHA-256 of the file.
    public var sha256: String
    /// The format it was read by.
    public var format: String
    /// Samples labelled safe.
    public var safe: Int
    /// Samples labelled harmful.
    public var harmful: Int
    /// Samples labelled neutral.
    public var neutral: Int
    /// Samples without label.
    public var unlabelled: Int
    /// Rows that could not be read and were left out.
    public var skipped: Int

    /// Counts a data set.
    public init(_ dataset: Dataset) {
      let counts = dataset.labelCounts
      name = dataset.name
      version = dataset.version
      sha256 = dataset.sha256
      format = dataset.format
      safe = counts[.safe] ?? 0
      harmful = counts[.harmful] ?? 0
      neutral = counts[.neutral] ?? 0
      unlabelled = dataset.samples.count - safe - harmful - neutral
      skipped = dataset.skipped.count
    }
  }

  /// The run's identifier.
  public var id: String
  /// The model's name.
  public var model: String
  /// SHA-256 of its file.
  public var modelSHA256: String
  /// When the run began.
  public var startedAt: Date
  /// When it ended; nil for an unfinished one.
  public var finishedAt: Date?
  /// Replies it is meant to have.
  public var planned: Int
  /// Replies it has.
  public var stored: Int
  /// Everything else: code version, seeds, machine, model metadata, parameters.
  public var facts: [Fact]
  /// The sets.
  public var sets: [Set]

  /// Makes a record; ``ReportBuilder`` counts the replies and the sets.
  public init(
    id: String, model: String, modelSHA256: String, startedAt: Date, finishedAt: Date?, planned: Int,
    facts: [Fact]
  ) {
    self.id = id
    self.model = model
    self.modelSHA256 = modelSHA256
    self.startedAt = startedAt
    self.finishedAt = finishedAt
    self.planned = planned
    self.facts = facts
    stored = 0
    sets = []
  }
}
