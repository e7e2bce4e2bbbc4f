import Crypto
import Foundation
import SelfCDData
import SelfCDStatistics
import SelfCDSupport

/// The replies that a person labels, without anything that says where they come from, and the key to them.
///
/// The rows of both conditions and of both sets stand in one random order, and a row has an identifier, the prompt, the
/// reply and nothing else.
public struct AuditSheet: Sendable, Hashable {
  /// What a reader sees of a reply.
  public struct Row: Sendable, Hashable {
    /// The row's identifier.
    public var id: String
    /// The prompt.
    public var prompt: String
    /// The reply.
    public var reply: String

    /// Makes a row.
    public init(id: String, prompt: String, reply: String) {
      self.id = id
      self.prompt = prompt
      self.reply = reply
    }
  }

  /// The sheet's columns.
  public static let columns = ["id", "prompt", "reply", "label"]

  /// The rows in the order in which they are read.
  public let rows: [Row]
  /// What the rows are.
  public let key: AuditKey

  /// Draws the rows of an audit.
  /// - Parameters:
  ///   - pairs: All pairs of the run.
  ///   - design: How many of them are read.
  ///   - run: The run.
  ///   - reference: The condition that is compared with.
  ///   - candidate: The condition that is compared.
  ///   - judge: The judge whose verdicts are audited.
  ///   - group: The column of whose groups the pairs are one each; nil where prompts are not grouped.
  /// - Throws: `AuditError.noPairs` without pairs, `EncodingError`.
  public init(
    _ pairs: [AuditPair], design: AuditDesign, run: String, reference: String, candidate: String,
    judge: AuditKey.Judge, group: String? = nil
  ) throws {
    guard !pairs.isEmpty else {
      throw AuditError.noPairs(run: run, reference: reference, candidate: candidate)
    }
    var generator = Xoshiro256StarStar(seed: design.seed)
    let places = design.places(in: pairs, using: &generator)
    let digest = try AuditPair.digest(of: pairs)
    let audit = try Self.name(
      of: [digest, reference, candidate, "\(design.seed)", design.sample.map { "\($0)" } ?? "all"])
    let strata = Self.strata(of: pairs, read: places)
    let weights = strata.reduce(into: [:]) { weights, stratum in
      weights[AuditDesign.Cell(isHarmful: stratum.set == .harmful, kind: stratum.kind)] =
        Double(stratum.pairs) / Double(max(1, stratum.read))
    }
    let drawn = places.flatMap { place -> [(Row, AuditKey.Row)] in
      let pair = pairs[place]
      func row(_ side: AuditPair.Side, _ conditions: [String]) -> (Row, AuditKey.Row) {
        (
          Row(id: "", prompt: pair.prompt, reply: side.text),
          AuditKey.Row(
            id: "", dataset: pair.dataset, sample: pair.sample, set: pair.label, conditions: conditions,
            verdict: side.verdict, stratum: pair.kind,
            weight: weights[AuditDesign.Cell(isHarmful: pair.isHarmful, kind: pair.kind)] ?? 1)
        )
      }
      guard pair.kind != .identical else { return [row(pair.reference, [reference, candidate])] }
      return [row(pair.reference, [reference]), row(pair.candidate, [candidate])]
    }
    var rows: [Row] = []
    var keys: [AuditKey.Row] = []
    let width = "\(drawn.count)".count
    for (index, (row, key)) in generator.draw(drawn.count, of: drawn).enumerated() {
      let number = "\(index + 1)"
      let id = audit + "-" + String(repeating: "0", count: width - number.count) + number
      rows.append(Row(id: id, prompt: row.prompt, reply: row.reply))
      var own = key
      own.id = id
      keys.append(own)
    }
    self.rows = rows
    key = AuditKey(
      formatVersion: AuditKey.currentVersion, audit: audit, run: run, runSHA256: digest,
      reference: reference, candidate: candidate, judge: judge, design: design, group: group,
      strata: strata, rows: keys)
  }

  /// The sheet as a table, with an empty column of labels. Cells that a spreadsheet would execute are neutralised.
  public var csv: String {
    let writer = CSVWriter()
    return writer.row(Self.columns) + rows.map { writer.row([$0.id, $0.prompt, $0.reply, ""]) }.joined()
  }

  /// Begins with a letter, so that no spreadsheet takes it for a number or a date.
  private static func name(of parts: [String]) throws -> String {
    "a" + SHA256.hash(data: Data(try CanonicalJSON.text(parts).utf8)).prefix(3).hexadecimal
  }

  private static func strata(of pairs: [AuditPair], read places: [Int]) -> [AuditKey.Stratum] {
    let read = Set(places)
    return [Sample.Label.safe, .harmful].flatMap { set in
      AuditPair.Kind.allCases.map { kind in
        let own = pairs.indices.filter { pairs[$0].label == set && pairs[$0].kind == kind }
        return AuditKey.Stratum(set: set, kind: kind, pairs: own.count, read: own.count(where: read.contains))
      }
    }
  }
}
