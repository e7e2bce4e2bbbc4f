import SelfCDData

/// The scores of prompts under every version of a system prompt that was asked about. A prompt that failed under one of
/// them is none any more: all figures are of the same prompts.
struct SystemPromptScores: Sendable {
  /// The prompts that have a score under each version.
  private(set) var subjects: [SystemPromptStudy.Subject]
  /// By the sentences left out; one for each of the subjects.
  private var versions: [[Int]: [RefusalScore]] = [:]

  init(_ subjects: [SystemPromptStudy.Subject]) {
    self.subjects = subjects
  }

  /// Whether a version was asked about.
  func has(_ removed: [Int]) -> Bool { versions[removed] != nil }

  /// Adds a version.
  /// - Parameter found: The score of each subject; nil where there is none.
  mutating func add(_ found: [RefusalScore?], for removed: [Int]) {
    let kept = found.indices.filter { found[$0] != nil }
    if kept.count < subjects.count {
      subjects = kept.map { subjects[$0] }
      versions = versions.mapValues { scores in kept.map { scores[$0] } }
    }
    versions[removed] = found.compactMap(\.self)
  }

  /// The sets there are prompts of.
  var sets: [Sample.Label] {
    Sample.Label.allCases.filter { label in subjects.contains { $0.label == label } }
  }

  /// The scores of a set's prompts under a version.
  func of(_ removed: [Int], _ set: Sample.Label) -> [RefusalScore] {
    zip(subjects, versions[removed] ?? []).filter { $0.0.label == set }.map(\.1)
  }

  /// The groups of a set's prompts; nil where they are not grouped.
  func groups(_ set: Sample.Label) -> [String]? {
    let groups = subjects.filter { $0.label == set }.compactMap(\.group)
    return groups.isEmpty ? nil : groups
  }
}
