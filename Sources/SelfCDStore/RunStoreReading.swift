import Foundation
internal import GRDB
import SelfCDEval

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
      .map { row in
        ConditionRecord(
          id: row["key"], strategy: row["strategy"], alpha: row["alpha"], parameters: row["parameters"])
      }
    }
  }

  /// What a run still lacks: every sample under every condition that has no reply, sample by sample, so that the
  /// conditions of one prompt stay together and can share its prefill.
  /// - Throws: `StoreError.notFound` without the run.
  public func pending(runID: String, repetitions: Int = 1) throws(StoreError) -> [ReplyRecord.Key] {
    try read { db in
      try Self.require(db, run: runID)
      return try Row.fetchAll(
        db,
        sql: """
          WITH RECURSIVE repetition(number) AS (
            SELECT 0 WHERE :repetitions > 0
            UNION ALL SELECT number + 1 FROM repetition WHERE number + 1 < :repetitions
          )
          SELECT dataset.name AS dataset, sample.key AS sample, condition.key AS condition, number
          FROM dataset
          JOIN sample ON sample.datasetID = dataset.id
          JOIN condition ON condition.runID = dataset.runID
          CROSS JOIN repetition
          WHERE dataset.runID = :run AND NOT EXISTS (
            SELECT 1 FROM reply
            WHERE sampleID = sample.id AND conditionID = condition.id AND repetition = number)
          ORDER BY dataset.id, sample.id, condition.id, number
          """,
        arguments: ["run": runID, "repetitions": repetitions]
      ).map { row in
        ReplyRecord.Key(
          dataset: row["dataset"], sample: row["sample"], condition: row["condition"],
          repetition: row["number"])
      }
    }
  }

  /// The replies of a run with their verdicts, by data set, sample, condition and repetition.
  /// - Parameters:
  ///   - runID: The run.
  ///   - withSteps: Whether to read the steps too; they are most of the data.
  /// - Throws: `StoreError.notFound` without the run.
  public func replies(runID: String, withSteps: Bool = false) throws(StoreError) -> [ReplyRecord] {
    var result: [ReplyRecord] = []
    try forEachReply(runID: runID, withSteps: withSteps) { reply, _, _ in result.append(reply) }
    return result
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

  /// Visits the replies in order without holding all of them, in one snapshot of the file.
  /// - Parameters:
  ///   - runID: The run.
  ///   - withSteps: Whether to read the steps too; they are most of the data.
  ///   - body: Called with each reply, its sample and its condition.
  /// - Throws: `StoreError.notFound` without the run, and whatever `body` throws, wrapped.
  public func forEachReply(
    runID: String, withSteps: Bool, _ body: (ReplyRecord, Sample, ConditionRecord) throws -> Void
  ) throws(StoreError) {
    try read { db in
      try Self.require(db, run: runID)
      let rows = try Row.fetchCursor(
        db,
        sql: """
          SELECT reply.*, dataset.name AS dataset, sample.value AS sample, condition.key AS condition,
            condition.strategy, condition.alpha, condition.parameters
          FROM reply
          JOIN sample ON sample.id = reply.sampleID
          JOIN dataset ON dataset.id = sample.datasetID
          JOIN condition ON condition.id = reply.conditionID
          WHERE dataset.runID = ?
          ORDER BY dataset.id, sample.id, condition.id, reply.repetition
          """,
        arguments: [runID])
      while let row = try rows.next() {
        let sample = try JSONText.decode(Sample.self, row["sample"], "a sample")
        let condition = ConditionRecord(
          id: row["condition"], strategy: row["strategy"], alpha: row["alpha"], parameters: row["parameters"])
        let replyID: Int64 = row["id"]
        let reply = ReplyRecord(
          key: ReplyRecord.Key(
            dataset: row["dataset"], sample: sample.id, condition: condition.id, repetition: row["repetition"]
          ),
          text: String(decoding: row["text"] as Data, as: UTF8.self), stopReason: row["stopReason"],
          seed: (row["seed"] as String?).flatMap { UInt64($0) },
          steps: withSteps ? try Self.steps(db, replyID) : [], verdicts: try Self.verdicts(db, replyID),
          cost: Self.cost(row), isOnlyReasoning: row["onlyReasoning"])
        try body(reply, sample, condition)
      }
    }
  }

  private static func cost(_ row: Row) -> ReplyCost? {
    guard let prompt: Int = row["promptTokens"], let generated: Int = row["generatedTokens"],
      let decoded: Int = row["decodedTokens"]
    else { return nil }
    return ReplyCost(promptTokens: prompt, generatedTokens: generated, decodedTokens: decoded)
  }

  private static func steps(_ db: Database, _ replyID: Int64) throws -> [ReplyRecord.Step] {
    try Row.fetchAll(
      try db.cachedStatement(sql: "SELECT * FROM step WHERE replyID = ? ORDER BY number"),
      arguments: [replyID]
    ).map { row in
      ReplyRecord.Step(
        token: row["token"], divergence: row["divergence"], guarded: row["guarded"], plain: row["plain"])
    }
  }

  private static func verdicts(_ db: Database, _ replyID: Int64) throws -> [VerdictRecord] {
    try Row.fetchAll(
      try db.cachedStatement(sql: "SELECT * FROM verdict WHERE replyID = ? ORDER BY judge, version"),
      arguments: [replyID]
    ).map { row in
      VerdictRecord(
        judge: row["judge"], version: row["version"],
        verdict: try JSONText.decode(Verdict.self, row["value"], "a verdict"))
    }
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
