import Foundation
internal import GRDB
import SelfCD
import SelfCDData
import SelfCDEval
import SelfCDJudges

extension RunStore {
  /// The replies of a run with their verdicts, by data set, sample, condition and repetition.
  /// - Parameters:
  ///   - runID: The run.
  ///   - withSteps: Whether to read the steps too; they are most of the data.
  /// - Throws: `StoreError.notFound` without the run.
  public func replies(runID: String, withSteps: Bool = true) throws(StoreError) -> [EvaluatedReply] {
    var result: [EvaluatedReply] = []
    try forEachReply(runID: runID, withSteps: withSteps) { reply, _ in result.append(reply) }
    return result
  }

  /// Visits the replies in order without holding all of them, in one snapshot of the file.
  /// - Parameters:
  ///   - runID: The run.
  ///   - withSteps: Whether to read the steps too; they are most of the data.
  ///   - body: Called with each reply and its condition.
  /// - Throws: `StoreError.notFound` without the run, and whatever `body` throws, wrapped.
  public func forEachReply(
    runID: String, withSteps: Bool = true, _ body: (EvaluatedReply, ConditionRecord) throws -> Void
  ) throws(StoreError) {
    try read { db in
      try Self.require(db, run: runID)
      let conditions = try Self.conditions(db, runID: runID)
      let rows = try Row.fetchCursor(
        db,
        sql: """
          SELECT reply.*, dataset.name AS dataset, sample.value AS sample
          FROM reply
          JOIN sample ON sample.id = reply.sampleID
          JOIN dataset ON dataset.id = sample.datasetID
          WHERE dataset.runID = ?
          ORDER BY dataset.id, sample.id, reply.conditionID, reply.repetition
          """,
        arguments: [runID])
      var page: [Row] = []
      var reader = SampleReader()
      func visit() throws {
        let ids = page.map { $0["id"] as Int64 }
        let judgements = try Self.judgements(db, ids)
        let steps = withSteps ? try Self.steps(db, ids) : [:]
        for row in page {
          let id: Int64 = row["id"]
          guard let condition = conditions[row["conditionID"]] else { continue }
          let sample = try reader.sample(row)
          try body(
            EvaluatedReply(
              key: ReplyKey(
                dataset: row["dataset"], sample: sample.id, condition: condition.id,
                repetition: row["repetition"]),
              sample: sample, text: String(decoding: row["text"] as Data, as: UTF8.self),
              stopReason: row["stopReason"], seed: (row["seed"] as String?).flatMap { UInt64($0) },
              steps: steps[id] ?? [], judgements: judgements[id] ?? [], cost: Self.cost(row),
              isOnlyReasoning: row["onlyReasoning"]), condition)
        }
        page.removeAll(keepingCapacity: true)
      }
      while let row = try rows.next() {
        // The cursor reuses its row.
        page.append(row.copy())
        if page.count == Self.pageSize { try visit() }
      }
      try visit()
    }
  }

  /// Replies whose verdicts and steps are read by one query each. SQLite takes 32,766 parameters; a page's steps should
  /// be little beside the replies that a caller keeps.
  private static let pageSize = 256

  /// Decodes samples, which several conditions share, once: their replies stand one behind the other.
  private struct SampleReader {
    private var last: (id: Int64, sample: Sample)?

    mutating func sample(_ row: Row) throws -> Sample {
      let id: Int64 = row["sampleID"]
      if let last, last.id == id { return last.sample }
      let sample = try JSONText.decode(Sample.self, row["sample"], "a sample")
      last = (id, sample)
      return sample
    }
  }

  private static func cost(_ row: Row) -> ReplyCost? {
    guard let prompt: Int = row["promptTokens"], let generated: Int = row["generatedTokens"],
      let decoded: Int = row["decodedTokens"]
    else { return nil }
    return ReplyCost(promptTokens: prompt, generatedTokens: generated, decodedTokens: decoded)
  }

  /// Rows of a table that belong to some replies, in the order that each reply's have.
  private static func rows(_ db: Database, of ids: [Int64], from table: String, by order: String) throws
    -> RowCursor
  {
    let places = repeatElement("?", count: ids.count).joined(separator: ", ")
    return try Row.fetchCursor(
      try db.cachedStatement(
        sql: "SELECT * FROM \(table) WHERE replyID IN (\(places)) ORDER BY replyID, \(order)"),
      arguments: StatementArguments(ids))
  }

  private static func steps(_ db: Database, _ ids: [Int64]) throws -> [Int64: [EvaluatedReply.Step]] {
    var steps: [Int64: [EvaluatedReply.Step]] = [:]
    let rows = try rows(db, of: ids, from: "step", by: "number")
    while let row = try rows.next() {
      steps[row["replyID"], default: []].append(
        EvaluatedReply.Step(
          token: row["token"], divergence: row["divergence"], guarded: row["guarded"], plain: row["plain"]))
    }
    return steps
  }

  private static func judgements(_ db: Database, _ ids: [Int64]) throws -> [Int64: [Judgement]] {
    var judgements: [Int64: [Judgement]] = [:]
    let rows = try rows(db, of: ids, from: "verdict", by: "judge, version")
    while let row = try rows.next() {
      judgements[row["replyID"], default: []].append(
        Judgement(
          judge: row["judge"], version: row["version"],
          verdict: try JSONText.decode(Verdict.self, row["value"], "a verdict")))
    }
    return judgements
  }

  private static func conditions(_ db: Database, runID: String) throws -> [Int64: ConditionRecord] {
    try Row.fetchAll(db, sql: "SELECT * FROM condition WHERE runID = ? ORDER BY id", arguments: [runID])
      .reduce(into: [:]) { $0[$1["id"]] = Self.condition($1) }
  }
}
