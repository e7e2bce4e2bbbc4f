import Foundation
internal import GRDB
import SelfCDData
import SelfCDEval
import SelfCDJudges

extension RunStore {
  /// All runs, the latest first.
  /// - Throws: `StoreError`.
  public func runs() throws(StoreError) -> [RunRecord] {
    try read { db in
      try Row.fetchAll(db, sql: "SELECT * FROM run ORDER BY startedAt DESC, id").map(Self.run)
    }
  }

  /// One run.
  /// - Throws: `StoreError.notFound` without it.
  public func run(id: String) throws(StoreError) -> RunRecord {
    try read { db in
      guard let row = try Row.fetchOne(db, sql: "SELECT * FROM run WHERE id = ?", arguments: [id]) else {
        throw StoreError.notFound(what: "run", id: id)
      }
      return try Self.run(row)
    }
  }

  /// The data sets of a run, as they were read, in the order they were added.
  /// - Throws: `StoreError.notFound` without the run.
  public func datasets(runID: String) throws(StoreError) -> [Dataset] {
    try read { db in
      try Self.require(db, run: runID)
      return try Row.fetchAll(
        db, sql: "SELECT * FROM dataset WHERE runID = ? ORDER BY id", arguments: [runID]
      )
      .map { row in
        let samples = try String.fetchAll(
          db, sql: "SELECT value FROM sample WHERE datasetID = ? ORDER BY id", arguments: [row["id"] as Int64]
        )
        return Dataset(
          name: row["name"], version: row["version"], sha256: row["sha256"], format: row["format"],
          samples: try samples.map { try JSONText.decode(Sample.self, $0, "a sample") },
          skipped: try JSONText.decode([RowIssue].self, row["skipped"], "skipped rows"))
      }
    }
  }

  /// The conditions of a run in the order they were added.
  /// - Throws: `StoreError.notFound` without the run.
  public func conditions(runID: String) throws(StoreError) -> [ConditionRecord] {
    try read { db in
      try Self.require(db, run: runID)
      return try Row.fetchAll(
        db, sql: "SELECT * FROM condition WHERE runID = ? ORDER BY id", arguments: [runID]
      )
      .map(Self.condition)
    }
  }

  /// Which replies a run has; the replies themselves are not read, so this is all that resuming costs.
  /// - Throws: `StoreError.notFound` without the run.
  public func keys(runID: String) throws(StoreError) -> Set<ReplyKey> {
    try read { db in
      try Self.require(db, run: runID)
      let rows = try Row.fetchCursor(
        db,
        sql: """
          SELECT dataset.name AS dataset, sample.key AS sample, condition.key AS condition, repetition
          FROM reply
          JOIN sample ON sample.id = reply.sampleID
          JOIN dataset ON dataset.id = sample.datasetID
          JOIN condition ON condition.id = reply.conditionID
          WHERE dataset.runID = ?
          """, arguments: [runID])
      var keys: Set<ReplyKey> = []
      while let row = try rows.next() {
        keys.insert(
          ReplyKey(
            dataset: row["dataset"], sample: row["sample"], condition: row["condition"],
            repetition: row["repetition"]))
      }
      return keys
    }
  }

  /// How fast a run's conditions, and the plain model, decoded alone, in tokens a second; empty where that was not
  /// timed.
  /// - Throws: `StoreError.notFound` without the run.
  public func speeds(runID: String) throws(StoreError) -> [String: Double] {
    try read { db in
      try Self.require(db, run: runID)
      return try Row.fetchAll(
        db, sql: "SELECT condition, tokensPerSecond FROM speed WHERE runID = ?", arguments: [runID]
      ).reduce(into: [:]) { $0[$1["condition"]] = $1["tokensPerSecond"] }
    }
  }

  /// How many replies a run has.
  /// - Throws: `StoreError.notFound` without the run.
  public func replyCount(runID: String) throws(StoreError) -> Int {
    try read { db in
      try Self.require(db, run: runID)
      return try Int.fetchOne(
        db, sql: "SELECT count(*) FROM reply JOIN condition ON condition.id = conditionID WHERE runID = ?",
        arguments: [runID]) ?? 0
    }
  }

  /// The judges that have said something about a run's replies, by name and version, with how many verdicts each has.
  /// - Throws: `StoreError.notFound` without the run.
  public func judges(
    runID: String
  ) throws(StoreError) -> [(name: String, version: String, verdicts: Int)] {
    try read { db in
      try Self.require(db, run: runID)
      return try Row.fetchAll(
        db,
        sql: """
          SELECT judge, version, count(*) AS verdicts FROM verdict
          WHERE replyID IN (
            SELECT reply.id FROM reply JOIN condition ON condition.id = conditionID WHERE runID = ?)
          GROUP BY judge, version
          ORDER BY judge, version
          """,
        arguments: [runID]
      ).map { ($0["judge"], $0["version"], $0["verdicts"]) }
    }
  }

  /// A judge with the version that counts, that of most verdicts, as `name@version`; nil for none, and where
  /// it has judged nothing.
  /// - Throws: `StoreError.notFound` without the run.
  func countedSource(of judge: String?, runID: String) throws(StoreError) -> String? {
    guard let judge else { return nil }
    let own = try judges(runID: runID).filter { $0.name == judge }
    let version = JudgeVersions.counted(
      Dictionary(own.map { ($0.version, $0.verdicts) }, uniquingKeysWith: { $1 }))
    return version.map { Judgement.source(judge, version: $0) }
  }

  static func condition(_ row: Row) -> ConditionRecord {
    ConditionRecord(
      id: row["key"], strategy: row["strategy"], alpha: row["alpha"], parameters: row["parameters"])
  }

  private static func run(_ row: Row) throws -> RunRecord {
    RunRecord(
      id: row["id"], startedAt: Date(timeIntervalSince1970: row["startedAt"]),
      finishedAt: (row["finishedAt"] as Double?).map { Date(timeIntervalSince1970: $0) },
      codeVersion: row["codeVersion"],
      model: try JSONText.decode(RunRecord.Model.self, row["model"], "the model"),
      parameters: row["parameters"],
      seeds: try JSONText.decode([UInt64].self, row["seeds"], "the seeds"),
      machine: try JSONText.decode(RunRecord.Machine.self, row["machine"], "the machine"),
      planned: row["planned"])
  }
}
