import Foundation
import SelfCDData
import SelfCDJudges

/// What belongs to a sheet and its reader must not see: which reply each row is, and what the judge says about it.
public struct AuditKey: Codable, Sendable, Hashable {
  /// The judge whose verdicts are audited.
  public struct Judge: Codable, Sendable, Hashable {
    /// Its name.
    public var name: String
    /// Its version.
    public var version: String

    /// Names a judge.
    public init(name: String, version: String) {
      self.name = name
      self.version = version
    }
  }

  /// Pairs that are read alike.
  public struct Stratum: Codable, Sendable, Hashable {
    /// Harmless or harmful prompts.
    public var set: Sample.Label
    /// How much of them is read.
    public var kind: AuditPair.Kind
    /// All pairs.
    public var pairs: Int
    /// Those on the sheet.
    public var read: Int
  }

  /// What a row of the sheet is.
  public struct Row: Codable, Sendable, Hashable {
    /// The row's identifier on the sheet.
    public var id: String
    /// The prompt's data set.
    public var dataset: String
    /// The prompt's identifier in it.
    public var sample: String
    /// The prompt's label.
    public var set: Sample.Label
    /// The conditions that gave this reply; both where their texts are equal.
    public var conditions: [String]
    /// The judge's class; nil where it said nothing.
    public var verdict: ReplyClass?
    /// Why the prompt is on the sheet.
    public var stratum: AuditPair.Kind
    /// How many prompts of the run the row's prompt stands for.
    public var weight: Double

    var place: AuditPair.Place { AuditPair.Place(dataset: dataset, sample: sample) }
  }

  /// The version of this file's format.
  public static let currentVersion = 1

  /// The version of the format that the file was written in.
  public var formatVersion: Int
  /// The audit's own name, with which the identifiers of its rows begin.
  public var audit: String
  /// The run.
  public var run: String
  /// SHA-256, in hexadecimal, of the run's prompts, replies and verdicts that were audited.
  public var runSHA256: String
  /// The condition that is compared with.
  public var reference: String
  /// The condition that is compared.
  public var candidate: String
  /// The judge whose verdicts are audited.
  public var judge: Judge
  /// How the sample was drawn.
  public var design: AuditDesign
  /// The column of whose groups one prompt each is audited; nil where prompts are not grouped.
  public var group: String?
  /// How many pairs there are and how many of them are read.
  public var strata: [Stratum]
  /// The rows in the order of the sheet.
  public var rows: [Row]

  private enum CodingKeys: String, CodingKey {
    case formatVersion = "format_version"
    case runSHA256 = "run_sha256"
    case audit, run, reference, candidate, judge, design, group, strata, rows
  }

  /// What the sheet showed in each row, by the row's identifier.
  /// - Parameter pairs: The run's pairs, as they were when the sheet was made.
  /// - Throws: `AuditError.changedRun` for others, `EncodingError`.
  func shown(of pairs: [AuditPair]) throws -> [String: AuditSheet.Row] {
    guard try AuditPair.digest(of: pairs) == runSHA256 else { throw AuditError.changedRun(run: run) }
    let known = Dictionary(pairs.map { ($0.place, $0) }, uniquingKeysWith: { first, _ in first })
    return rows.reduce(into: [:]) { shown, row in
      guard let pair = known[row.place] else { return }
      let side = row.conditions.contains(reference) ? pair.reference : pair.candidate
      shown[row.id] = AuditSheet.Row(id: row.id, prompt: pair.prompt, reply: side.text)
    }
  }

  /// The key as JSON with sorted keys.
  /// - Throws: `EncodingError`.
  public func json() throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(self), as: UTF8.self) + "\n"
  }

  /// Reads a key.
  /// - Throws: ``AuditError`` for a file that cannot be read or is none, or was written by a later version.
  public static func read(path: String) throws(AuditError) -> AuditKey {
    guard FileManager.default.fileExists(atPath: path) else {
      throw .unreadableKey(file: path, detail: "there is no such file")
    }
    let data: Data
    do {
      data = try Data(contentsOf: URL(filePath: path))
    } catch {
      throw .unreadableKey(file: path, detail: "it may not be opened")
    }
    struct Version: Decodable {
      let version: Int
      private enum CodingKeys: String, CodingKey { case version = "format_version" }
    }
    if let found = try? JSONDecoder().decode(Version.self, from: data), found.version > currentVersion {
      throw .laterKey(file: path, version: found.version)
    }
    do {
      return try JSONDecoder().decode(AuditKey.self, from: data)
    } catch {
      throw .unreadableKey(file: path, detail: "it is no key of an audit")
    }
  }
}
