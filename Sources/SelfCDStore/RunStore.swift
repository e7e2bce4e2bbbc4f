import Foundation
internal import GRDB
import SelfCDData
import SelfCDEval
import SelfCDJudges

/// Runs, samples, replies, steps and verdicts in one SQLite file.
///
/// Order of calls: `begin` a run, `add` its data sets and conditions, then `add` replies as they come; `keys`
/// says what is there, which is all that resuming takes; `finish` at the end.
///
/// Every call is one transaction that is on the disk when the call returns (write-ahead log, full synchronisation),
/// so a process that is killed loses the replies in flight and nothing else. Other processes may read while one
/// writes; a second writer waits for the time allowed and then gets `StoreError.locked`.
public final class RunStore: Sendable {
  /// The file.
  public let path: String
  private let pool: DatabasePool

  /// Opens the file at `path`, creating it if it is new and bringing its schema up to date.
  /// - Parameters:
  ///   - path: The file; its folder has to exist.
  ///   - lockTimeout: How long to wait for another writer, in seconds.
  /// - Throws: `StoreError`.
  public convenience init(path: String, lockTimeout: Double = 10) throws(StoreError) {
    try self.init(path: path, lockTimeout: lockTimeout, prepare: { _ in })
  }

  /// `prepare` runs on every connection; tests make faults with it.
  init(
    path: String, lockTimeout: Double, prepare: @escaping @Sendable (Database) throws -> Void
  ) throws(StoreError) {
    self.path = path
    var configuration = Configuration()
    configuration.busyMode = .timeout(lockTimeout)
    configuration.prepareDatabase { db in
      try prepare(db)
    }
    do {
      pool = try DatabasePool(path: path, configuration: configuration)
      if try pool.read(StoreMigrations.migrator.hasBeenSuperseded) {
        throw StoreError.writtenByNewerVersion(path: path)
      }
      try StoreMigrations.migrator.migrate(pool)
      // After opening, because GRDB sets NORMAL when it turns the write-ahead log on.
      try pool.writeWithoutTransaction { try $0.execute(sql: "PRAGMA synchronous = FULL") }
    } catch {
      throw .wrapping(error, path: path)
    }
  }

  // MARK: - Writing

  /// Stores a new run, with its data sets and conditions if they are known: all of it or nothing, so that a run that
  /// is there can be resumed.
  /// - Throws: `StoreError.alreadyExists` for an identifier that is taken, `.badValue` for parameters that are not
  ///   JSON.
  public func begin(
    _ run: RunRecord, datasets: [Dataset] = [], conditions: [ConditionRecord] = []
  ) throws(StoreError) {
    try JSONText.check(run.parameters, "the run's parameters")
    try write { db in
      if try Self.exists(db, run: run.id) { throw StoreError.alreadyExists(what: "run", id: run.id) }
      try db.execute(
        sql: """
          INSERT INTO run (id, startedAt, finishedAt, codeVersion, model, parameters, seeds, machine, planned)
          VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
          """,
        arguments: [
          run.id, run.startedAt.timeIntervalSince1970, run.finishedAt?.timeIntervalSince1970, run.codeVersion,
          try JSONText.encode(run.model, "the model"), run.parameters,
          try JSONText.encode(run.seeds, "the seeds"), try JSONText.encode(run.machine, "the machine"),
          run.planned,
        ])
      for dataset in datasets { try Self.insert(db, dataset, runID: run.id) }
      for condition in conditions { try Self.insert(db, condition, runID: run.id) }
    }
  }

  /// Stores a data set of a run with all its samples.
  /// - Throws: `StoreError.notFound` without the run, `.alreadyExists` for a name that the run has.
  public func add(_ dataset: Dataset, to runID: String) throws(StoreError) {
    try write { db in
      try Self.require(db, run: runID)
      try Self.insert(db, dataset, runID: runID)
    }
  }

  private static func insert(_ db: Database, _ dataset: Dataset, runID: String) throws {
    let names = try String.fetchAll(db, sql: "SELECT name FROM dataset WHERE runID = ?", arguments: [runID])
    if names.contains(dataset.name) { throw StoreError.alreadyExists(what: "data set", id: dataset.name) }
    try db.execute(
      sql: "INSERT INTO dataset (runID, name, version, sha256, format, skipped) VALUES (?, ?, ?, ?, ?, ?)",
      arguments: [
        runID, dataset.name, dataset.version, dataset.sha256, dataset.format,
        try JSONText.encode(dataset.skipped, "skipped rows"),
      ])
    let datasetID = db.lastInsertedRowID
    let insert = try db.makeStatement(
      sql: "INSERT INTO sample (datasetID, key, label, category, value) VALUES (?, ?, ?, ?, ?)")
    for sample in dataset.samples {
      try insert.execute(arguments: [
        datasetID, sample.id, sample.label?.rawValue, sample.category,
        try JSONText.encode(sample, "a sample"),
      ])
    }
  }

  /// Stores a condition of a run.
  /// - Throws: `StoreError.notFound` without the run, `.alreadyExists` for an identifier that the run has,
  ///   `.badValue` for parameters that are not JSON.
  public func add(_ condition: ConditionRecord, to runID: String) throws(StoreError) {
    try write { db in
      try Self.require(db, run: runID)
      try Self.insert(db, condition, runID: runID)
    }
  }

  private static func insert(_ db: Database, _ condition: ConditionRecord, runID: String) throws {
    try JSONText.check(condition.parameters, "the condition's parameters")
    let keys = try String.fetchAll(db, sql: "SELECT key FROM condition WHERE runID = ?", arguments: [runID])
    if keys.contains(condition.id) { throw StoreError.alreadyExists(what: "condition", id: condition.id) }
    try db.execute(
      sql: "INSERT INTO condition (runID, key, strategy, alpha, parameters) VALUES (?, ?, ?, ?, ?)",
      arguments: [runID, condition.id, condition.strategy, condition.alpha, condition.parameters])
  }

  /// Adds conditions to a run and replaces its parameters, all of it or nothing: for a run that decides on the way what
  /// it compares.
  /// - Parameters:
  ///   - runID: The run.
  ///   - conditions: What is added, in their order.
  ///   - parameters: The parameters, as JSON, that take the place of the run's.
  /// - Throws: `StoreError.notFound` without the run, `.alreadyExists` for an identifier that the run has,
  ///   `.badValue` for parameters that are not JSON.
  public func extend(
    runID: String, conditions: [ConditionRecord], parameters: String
  ) throws(StoreError) {
    try JSONText.check(parameters, "the run's parameters")
    try write { db in
      try Self.require(db, run: runID)
      try db.execute(sql: "UPDATE run SET parameters = ? WHERE id = ?", arguments: [parameters, runID])
      for condition in conditions { try Self.insert(db, condition, runID: runID) }
    }
  }

  /// Stores replies with their steps and verdicts, all or none of them.
  ///
  /// A reply that the run has already stays as it is: after a kill, work that was done twice changes nothing.
  /// - Returns: How many were new.
  /// - Throws: `StoreError.notFound` for a sample or condition that the run lacks; `.diskFull` and its siblings.
  @discardableResult
  public func add(_ replies: [EvaluatedReply], to runID: String) throws(StoreError) -> Int {
    try write { db in
      var added = 0
      for reply in replies {
        let sampleID = try Self.sampleID(db, run: runID, key: reply.key)
        let conditionID = try Self.conditionID(db, run: runID, key: reply.key)
        try db.execute(
          sql: """
            INSERT INTO reply (
              sampleID, conditionID, repetition, text, stopReason, seed, promptTokens, generatedTokens,
              decodedTokens, onlyReasoning)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING
            """,
          arguments: [
            sampleID, conditionID, reply.key.repetition, Data(reply.text.utf8), reply.stopReason,
            reply.seed.map(String.init), reply.cost?.promptTokens, reply.cost?.generatedTokens,
            reply.cost?.decodedTokens, reply.isOnlyReasoning,
          ])
        guard db.changesCount == 1 else { continue }
        added += 1
        let replyID = db.lastInsertedRowID
        let insert = try db.cachedStatement(
          sql:
            "INSERT INTO step (replyID, number, token, divergence, guarded, plain) VALUES (?, ?, ?, ?, ?, ?)")
        for (number, step) in reply.steps.enumerated() where step.isMeasured {
          try insert.execute(arguments: [
            replyID, number, step.token, step.divergence, step.guarded, step.plain,
          ])
        }
        try Self.store(db, reply.judgements, replyID: replyID)
      }
      return added
    }
  }

  /// Stores judgements of replies that are there already; that of the same judge and version is replaced.
  /// - Throws: `StoreError.notFound` for a reply that the run lacks.
  public func add(
    _ judgements: [(key: ReplyKey, judgement: Judgement)], to runID: String
  ) throws(StoreError) {
    try write { db in
      for (key, judgement) in judgements {
        let replyID = try Int64.fetchOne(
          db, sql: "SELECT id FROM reply WHERE sampleID = ? AND conditionID = ? AND repetition = ?",
          arguments: [
            try Self.sampleID(db, run: runID, key: key), try Self.conditionID(db, run: runID, key: key),
            key.repetition,
          ])
        guard let replyID else {
          throw StoreError.notFound(what: "reply", id: "\(key.dataset)/\(key.sample)/\(key.condition)")
        }
        try Self.store(db, [judgement], replyID: replyID)
      }
    }
  }

  /// Changes how many replies a run is meant to have, where that is only known on the way.
  /// - Throws: `StoreError.notFound` without the run.
  public func plan(_ planned: Int, runID: String) throws(StoreError) {
    try write { db in
      try Self.require(db, run: runID)
      try db.execute(sql: "UPDATE run SET planned = ? WHERE id = ?", arguments: [planned, runID])
    }
  }

  /// Keeps how fast conditions decoded alone, in tokens a second; what was there is replaced.
  /// - Throws: `StoreError.notFound` without the run.
  public func add(speeds: [String: Double], to runID: String) throws(StoreError) {
    try write { db in
      try Self.require(db, run: runID)
      for (condition, speed) in speeds {
        try db.execute(
          sql: """
            INSERT INTO speed (runID, condition, tokensPerSecond) VALUES (?, ?, ?)
            ON CONFLICT DO UPDATE SET tokensPerSecond = excluded.tokensPerSecond
            """, arguments: [runID, condition, speed])
      }
    }
  }

  /// Notes that a run is complete.
  /// - Throws: `StoreError.notFound` without the run.
  public func finish(runID: String, at date: Date = Date()) throws(StoreError) {
    try write { db in
      try Self.require(db, run: runID)
      try db.execute(
        sql: "UPDATE run SET finishedAt = ? WHERE id = ?", arguments: [date.timeIntervalSince1970, runID])
    }
  }

  /// Removes a run with everything in it.
  /// - Throws: `StoreError.notFound` without the run.
  public func delete(runID: String) throws(StoreError) {
    try write { db in
      try Self.require(db, run: runID)
      try db.execute(sql: "DELETE FROM run WHERE id = ?", arguments: [runID])
    }
  }

  // MARK: - Transactions

  func write<Value>(_ body: (Database) throws -> Value) throws(StoreError) -> Value {
    do {
      return try pool.write(body)
    } catch {
      throw .wrapping(error, path: path)
    }
  }

  func read<Value>(_ body: (Database) throws -> Value) throws(StoreError) -> Value {
    do {
      return try pool.read(body)
    } catch {
      throw .wrapping(error, path: path)
    }
  }

  static func exists(_ db: Database, run: String) throws -> Bool {
    try Bool.fetchOne(db, sql: "SELECT EXISTS (SELECT 1 FROM run WHERE id = ?)", arguments: [run]) ?? false
  }

  static func require(_ db: Database, run: String) throws {
    guard try exists(db, run: run) else { throw StoreError.notFound(what: "run", id: run) }
  }

  private static func sampleID(_ db: Database, run: String, key: ReplyKey) throws -> Int64 {
    let statement = try db.cachedStatement(
      sql: """
        SELECT sample.id FROM sample JOIN dataset ON dataset.id = sample.datasetID
        WHERE dataset.runID = ? AND dataset.name = ? AND sample.key = ?
        """)
    guard let id = try Int64.fetchOne(statement, arguments: [run, key.dataset, key.sample]) else {
      throw StoreError.notFound(what: "sample", id: "\(key.dataset)/\(key.sample)")
    }
    return id
  }

  private static func conditionID(_ db: Database, run: String, key: ReplyKey) throws -> Int64 {
    let statement = try db.cachedStatement(sql: "SELECT id FROM condition WHERE runID = ? AND key = ?")
    guard let id = try Int64.fetchOne(statement, arguments: [run, key.condition]) else {
      throw StoreError.notFound(what: "condition", id: key.condition)
    }
    return id
  }

  private static func store(_ db: Database, _ judgements: [Judgement], replyID: Int64) throws {
    for judgement in judgements {
      try db.execute(
        sql: """
          INSERT INTO verdict (replyID, judge, version, class, value) VALUES (?, ?, ?, ?, ?)
          ON CONFLICT DO UPDATE SET class = excluded.class, value = excluded.value
          """,
        arguments: [
          replyID, judgement.judge, judgement.version, judgement.verdict.replyClass.rawValue,
          try JSONText.encode(judgement.verdict, "a verdict"),
        ])
    }
  }
}
