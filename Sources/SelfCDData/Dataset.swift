/// A set of prompts read from one file, with what a run record needs to name it again.
public struct Dataset: Codable, Sendable, Hashable {
  /// The file's name without folders and extensions, unless the caller gave another.
  public var name: String
  /// The version, where the caller or the file states one.
  public var version: String?
  /// SHA-256 of the file's bytes as they lie on disk (a gzip file's own bytes), in lower-case hexadecimal.
  public var sha256: String
  /// The name of the ``DatasetFormat`` that was detected or asked for.
  public var format: String
  /// The prompts in file order.
  public var samples: [Sample]
  /// Rows that were left out because the caller asked to skip bad ones, in file order.
  public var skipped: [RowIssue]

  /// Makes a data set from its parts.
  public init(
    name: String, version: String? = nil, sha256: String, format: String, samples: [Sample],
    skipped: [RowIssue] = []
  ) {
    self.name = name
    self.version = version
    self.sha256 = sha256
    self.format = format
    self.samples = samples
    self.skipped = skipped
  }

  /// The samples with `label`; nil gives the unlabelled ones. A mixed file is split by asking for each.
  public func samples(labelled label: Sample.Label?) -> [Sample] {
    samples.filter { $0.label == label }
  }

  /// How many samples carry each label. Unlabelled samples are not counted here.
  public var labelCounts: [Sample.Label: Int] {
    samples.reduce(into: [:]) { counts, sample in
      if let label = sample.label { counts[label, default: 0] += 1 }
    }
  }
}

extension [Dataset] {
  /// At most `limit` prompts of each label over all sets, every k-th of them, so that all categories stay in; nil leaves the sets as they are.
  /// Prompts without a label are left out, and sets of which nothing is left.
  public func limited(to limit: Int?) -> [Dataset] {
    guard let limit else { return self }
    var kept: [Sample.Label: Set<Int>] = [:]
    for label in Sample.Label.allCases {
      let total = reduce(0) { $0 + ($1.labelCounts[label] ?? 0) }
      let wanted = Swift.max(0, Swift.min(limit, total))
      kept[label] = Set((0..<wanted).map { $0 * total / wanted })
    }
    var position: [Sample.Label: Int] = [:]
    return map { dataset in
      var dataset = dataset
      dataset.samples = dataset.samples.filter { sample in
        guard let label = sample.label else { return false }
        defer { position[label, default: 0] += 1 }
        return kept[label]?.contains(position[label, default: 0]) ?? false
      }
      return dataset
    }.filter { !$0.samples.isEmpty }
  }
}
