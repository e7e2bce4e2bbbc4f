import Foundation

/// Prompts that occur more than once within or across data sets.
///
/// A prompt counted twice narrows intervals that it should not, and one that is both safe and harmful makes a
/// rate meaningless, so both belong in a run's record.
public struct DuplicateReport: Codable, Sendable, Hashable {
  /// One place where a prompt stands.
  public struct Occurrence: Codable, Sendable, Hashable {
    /// The set's name.
    public var dataset: String
    /// The sample's identifier.
    public var sampleID: String
    /// Where it stands in its file.
    public var position: Sample.Position
    /// Its label.
    public var label: Sample.Label?

    /// Makes an occurrence.
    public init(dataset: String, sampleID: String, position: Sample.Position, label: Sample.Label?) {
      self.dataset = dataset
      self.sampleID = sampleID
      self.position = position
      self.label = label
    }
  }

  /// All occurrences of one prompt, in reading order.
  public struct Group: Codable, Sendable, Hashable {
    /// Where it stands; two or more.
    public var occurrences: [Occurrence]

    /// Makes a group.
    public init(occurrences: [Occurrence]) {
      self.occurrences = occurrences
    }

    /// Whether its occurrences carry different labels.
    public var hasConflictingLabels: Bool { Set(occurrences.compactMap(\.label)).count > 1 }
  }

  /// The prompts that occur more than once, by first occurrence.
  public var groups: [Group]

  /// Compares all samples of `datasets` by their normalised text.
  public init(_ datasets: [Dataset]) {
    var order: [String] = []
    var found: [String: [Occurrence]] = [:]
    for dataset in datasets {
      for sample in dataset.samples {
        let key = Self.key(sample)
        if found[key] == nil { order.append(key) }
        found[key, default: []].append(
          Occurrence(
            dataset: dataset.name, sampleID: sample.id, position: sample.position, label: sample.label))
      }
    }
    groups = order.compactMap { key in
      guard let occurrences = found[key], occurrences.count > 1 else { return nil }
      return Group(occurrences: occurrences)
    }
  }

  /// The form in which texts are compared: compatibility characters unified (NFKC), case folded, runs of white
  /// space as one space. Punctuation stays, because "Kill the lights." and "Kill the lights?" ask different
  /// things.
  public static func normalized(_ text: String) -> String {
    text.precomposedStringWithCompatibilityMapping
      .lowercased()
      .split(whereSeparator: \.isWhitespace)
      .joined(separator: " ")
  }

  /// The form in which a whole sample is compared.
  package static func key(_ sample: Sample) -> String {
    switch sample.content {
    case .text(let text): normalized(text)
    // A conversation of one user message is the same prompt as its text.
    case .messages(let turns) where turns.count == 1: normalized(turns[0].content)
    case .messages(let turns):
      turns.map { "\($0.role.rawValue)\u{0}\(normalized($0.content))" }.joined(separator: "\u{1}")
    }
  }
}
