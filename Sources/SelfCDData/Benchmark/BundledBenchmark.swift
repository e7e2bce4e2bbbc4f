import Crypto
import Foundation
import SelfCDSupport

/// The benchmark of this project's own writing: matched pairs of harmless and harmful prompts, plain harmless ones,
/// conversations, other languages, and questions with known answers. `docs/benchmark.md` says what it measures.
public struct BundledBenchmark: Sendable, Hashable {
  /// The version of the prompts. Rates compare only within one version.
  public static let version = "1.0.0"

  /// SHA-256 of the files of ``version``, as ``sha256`` computes it.
  public static let versionSHA256 = "53f343ae7229e82191f0ecbc89c2f3554845284cd5eca66afa0807c8c5e80875"

  /// One file of the benchmark.
  public enum Part: String, Codable, Sendable, CaseIterable {
    /// A harmless and a harmful prompt around the same word, in English.
    case pairs
    /// Harmless prompts without any such word, in English.
    case plain
    /// Conversations of several turns, most of them in pairs.
    case turns
    /// Pairs and plain prompts in other languages.
    case languages
    /// Questions with one short answer.
    case answers
  }

  /// Which prompts of one label are wanted.
  public struct Selection: Codable, Sendable, Hashable {
    /// How many turns a prompt has.
    public enum Turns: String, Codable, Sendable, CaseIterable {
      /// Single prompts and conversations.
      case any
      /// Single prompts.
      case single
      /// Conversations.
      case multiple
    }

    /// The files to take prompts from; nil takes all.
    public var parts: Set<Part>?
    /// ISO 639-1 codes of the languages to take; nil takes all.
    public var languages: Set<String>?
    /// How many turns the prompts have.
    public var turns: Turns

    /// Makes a selection; without arguments it takes everything.
    public init(parts: Set<Part>? = nil, languages: Set<String>? = nil, turns: Turns = .any) {
      self.parts = parts
      self.languages = languages
      self.turns = turns
    }
  }

  /// The files as they were read.
  public let parts: [Part: Dataset]
  /// What `sha256sum pairs.jsonl plain.jsonl turns.jsonl languages.jsonl answers.jsonl | sha256sum` prints, in
  /// the folder of the files.
  public let sha256: String

  /// Reads the benchmark that was installed with the program.
  /// - Throws: ``BenchmarkError``.
  public init() throws(BenchmarkError) {
    let folders = InstalledResources.folders(ofTarget: "SelfCDData")
      .map { $0.appending(path: "benchmark").path }
    guard let folder = folders.first(where: { FileManager.default.fileExists(atPath: $0) }) else {
      throw .notFound(searched: folders)
    }
    try self.init(folder: folder)
  }

  /// Reads the benchmark from `folder`.
  /// - Throws: ``BenchmarkError``, also when the files are not those of ``version``.
  public init(folder: String) throws(BenchmarkError) {
    var parts: [Part: Dataset] = [:]
    var sums = ""
    for part in Part.allCases {
      let reader = DatasetReader(
        options: .init(name: "selfcd-benchmark/\(part.rawValue)", version: Self.version))
      let dataset: Dataset
      do {
        dataset = try reader.read(path: "\(folder)/\(part.rawValue).jsonl")
      } catch {
        throw .unreadable(error)
      }
      parts[part] = dataset
      sums += "\(dataset.sha256)  \(part.rawValue).jsonl\n"
    }
    let sha256 = SHA256.hash(data: Data(sums.utf8)).hexadecimal
    guard sha256 == Self.versionSHA256 else {
      throw .altered(folder: folder, found: sha256, expected: Self.versionSHA256)
    }
    self.parts = parts
    self.sha256 = sha256
  }

  /// The languages there are prompts in, as ISO 639-1 codes in alphabetical order.
  public var languages: [String] {
    Set(parts.values.flatMap(\.samples).compactMap(\.language)).sorted()
  }

  /// The files as data sets to evaluate on, `selfcd-pairs` and so on, whose rows are labelled.
  /// - Parameter wanted: which files; all by default.
  public func datasets(_ wanted: Set<Part> = Set(Part.allCases)) -> [Dataset] {
    Part.allCases.filter(wanted.contains).compactMap { part in
      parts[part].map { dataset in
        var dataset = dataset
        dataset.name = "selfcd-\(part.rawValue)"
        dataset.version = Self.version
        return dataset
      }
    }
  }

  /// The prompts with `label` that `selection` takes, file by file in the order of ``Part``.
  ///
  /// The set's name says what was selected and its SHA-256 is that of the whole benchmark, so a run record names
  /// exactly these prompts.
  /// - Throws: ``BenchmarkError/unknownLanguage(_:known:)`` and ``BenchmarkError/nothingSelected(_:)``.
  public func dataset(
    labelled label: Sample.Label, selection: Selection = Selection()
  ) throws(BenchmarkError) -> Dataset {
    if let unknown = selection.languages?.subtracting(languages).min() {
      throw .unknownLanguage(unknown, known: languages)
    }
    let conditions = [label.rawValue] + selection.conditions
    let taken = Part.allCases.filter { selection.parts?.contains($0) ?? true }.compactMap { parts[$0] }
    let chosen = taken.map { dataset in
      (dataset.format, dataset.samples(labelled: label).filter(selection.takes))
    }.filter { !$0.1.isEmpty }
    guard !chosen.isEmpty else { throw .nothingSelected(conditions.joined(separator: " and ")) }
    return Dataset(
      name: "selfcd-benchmark/" + conditions.joined(separator: "/"), version: Self.version, sha256: sha256,
      format: Set(chosen.map(\.0)).sorted().joined(separator: "+"), samples: chosen.flatMap(\.1))
  }
}

extension BundledBenchmark.Selection {
  fileprivate func takes(_ sample: Sample) -> Bool {
    if let languages, !languages.contains(sample.language ?? "") { return false }
    return switch turns {
    case .any: true
    case .single: sample.turns.count == 1
    case .multiple: sample.turns.count > 1
    }
  }

  /// What narrows the selection, in a fixed order; empty when nothing does.
  fileprivate var conditions: [String] {
    var conditions: [String] = []
    if let parts { conditions.append(parts.map(\.rawValue).sorted().joined(separator: "+")) }
    if let languages { conditions.append(languages.sorted().joined(separator: "+")) }
    switch turns {
    case .any: break
    case .single: conditions.append("single-turn")
    case .multiple: conditions.append("multi-turn")
    }
    return conditions
  }
}

extension Sample {
  /// The pair of a harmless and a harmful prompt that this one belongs to, where the file names it.
  public var pairID: String? { named("pair") }
  /// The language as an ISO 639-1 code, where the file names it.
  public var language: String? { named("language") }
  /// The answer to expect, compared without regard to case, where the file gives it.
  public var answer: String? { named("answer") }

  private func named(_ field: String) -> String? {
    fields[field].flatMap { $0.isEmpty ? nil : $0 }
  }
}
