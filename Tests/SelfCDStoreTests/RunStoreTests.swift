import Foundation
import GRDB
import SelfCDData
import SelfCDEval
import SelfCDJudges
import Testing

@testable import SelfCDStore

@Suite struct RunStoreTests {
  @Test func whatGoesInComesOut() throws {
    try withStore { store, _ in
      let run = sampleRun()
      try store.begin(run)
      #expect(try store.run(id: run.id) == run)
      #expect(try store.runs() == [run])
      let dataset = sampleDataset()
      try store.add(dataset, to: run.id)
      #expect(try store.datasets(runID: run.id) == [dataset])
      for condition in conditions { try store.add(condition, to: run.id) }
      #expect(try store.conditions(runID: run.id) == conditions)

      let reply = EvaluatedReply(
        key: .init(dataset: "set", sample: "b", condition: "self-cd@2.5"), sample: dataset.samples[1],
        text: "Sí, \"claro\"\u{0}\n",
        stopReason: "length", seed: .max,
        steps: [.init(token: 5, divergence: 0.25, guarded: -1.5, plain: -0.5), .init(token: 7, plain: 0)],
        judgements: [
          .init(
            judge: "j", version: "1",
            verdict: Verdict(.fullRefusal, evidence: [.init(start: 0, end: 2, rule: "r")], note: "n"))
        ])
      #expect(try store.add([reply], to: run.id) == 1)
      #expect(try store.replies(runID: run.id, withSteps: true) == [reply])
      #expect(try store.replies(runID: run.id, withSteps: false).first?.steps == [])

      let end = Date(timeIntervalSince1970: 2_000)
      try store.finish(runID: run.id, at: end)
      #expect(try store.run(id: run.id).finishedAt == end)
      try store.delete(runID: run.id)
      #expect(try store.runs().isEmpty)
    }
  }

  /// A run that decides on the way gets its new conditions together with what it decided, or neither.
  @Test func aRunIsExtendedAsAWhole() throws {
    try withStore { store, _ in
      let run = try storedRun(in: store)
      let new = ConditionRecord(id: "self-cd@1", strategy: "self-cd", alpha: 1, parameters: "{\"alpha\":1}")
      #expect(throws: StoreError.alreadyExists(what: "condition", id: "plain")) {
        try store.extend(runID: run.id, conditions: [new, conditions[0]], parameters: "{\"x\": 1}")
      }
      #expect(throws: StoreError.self) {
        try store.extend(runID: run.id, conditions: [new], parameters: "no JSON")
      }
      #expect(throws: StoreError.notFound(what: "run", id: "nobody")) {
        try store.extend(runID: "nobody", conditions: [], parameters: "{}")
      }
      #expect(try store.run(id: run.id).parameters == run.parameters)
      #expect(try store.conditions(runID: run.id) == conditions)
      try store.extend(runID: run.id, conditions: [new], parameters: "{\"x\": 1}")
      #expect(try store.run(id: run.id).parameters == "{\"x\": 1}")
      #expect(try store.conditions(runID: run.id) == conditions + [new])
    }
  }

  @Test func keysAreWhatResumingTakes() throws {
    try withStore { store, _ in
      let run = try storedRun(in: store)
      let all = allKeys()
      #expect(try store.keys(runID: run.id).isEmpty)
      try store.add([reply(all[1]), reply(all[2])], to: run.id)
      #expect(try store.keys(runID: run.id) == [all[1], all[2]])
      var second = all[0]
      second.repetition = 1
      try store.add([reply(second)], to: run.id)
      #expect(
        try store.keys(runID: run.id) == [all[1], all[2], second],
        "a later repetition does not stand for the first")
    }
  }

  /// More replies than are read at a time: each keeps its own steps and verdicts.
  @Test func manyRepliesAreReadInPages() throws {
    try withStore { store, _ in
      let run = try storedRun(in: store)
      let written = allKeys(repetitions: 200).enumerated().map { number, key in
        var reply = reply(key, "reply \(number)")
        reply.steps = (0..<(number % 3)).map { .init(token: Int32(number), divergence: Double($0)) }
        reply.judgements = (0..<(number % 4)).map {
          Judgement(
            judge: "judge \($0)", version: "\(number)",
            verdict: Verdict(number.isMultiple(of: 2) ? .fullRefusal : .fullCompliance))
        }
        return reply
      }
      try store.add(written, to: run.id)
      #expect(try store.replies(runID: run.id) == written)
      #expect(try store.keys(runID: run.id) == Set(written.map(\.key)))
    }
  }

  @Test func workDoneTwiceChangesNothing() throws {
    try withStore { store, _ in
      let run = try storedRun(in: store)
      let key = ReplyKey(dataset: "set", sample: "a", condition: "plain")
      #expect(try store.add([reply(key, "first")], to: run.id) == 1)
      #expect(try store.add([reply(key, "second")], to: run.id) == 0)
      #expect(try store.replies(runID: run.id).map(\.text) == ["first"])
    }
  }

  @Test func judgingAgainReplacesTheSameVersionAndKeepsOthers() throws {
    try withStore { store, _ in
      let run = try storedRun(in: store)
      let key = ReplyKey(dataset: "set", sample: "a", condition: "plain")
      try store.add([reply(key)], to: run.id)
      for (version, verdict) in [
        ("1", ReplyClass.fullRefusal), ("2", .partialRefusal), ("1", .fullCompliance),
      ] {
        try store.add(
          [(key, Judgement(judge: "j", version: version, verdict: Verdict(verdict)))], to: run.id)
      }
      #expect(
        try store.replies(runID: run.id)[0].judgements.map {
          "\($0.version) \($0.verdict.replyClass.rawValue)"
        }
          == ["1 1_full_compliance", "2 3_partial_refusal"])
      #expect(try store.judges(runID: run.id).map(\.version) == ["1", "2"])
      #expect(try store.judges(runID: run.id).map(\.verdicts) == [1, 1])
    }
  }

  @Test func aReplyOfReasoningAloneIsKnownForOne() throws {
    try withStore { store, _ in
      let run = try storedRun(in: store)
      var thought = reply(.init(dataset: "set", sample: "a", condition: "plain"), "")
      thought.isOnlyReasoning = true
      let empty = reply(.init(dataset: "set", sample: "b", condition: "plain"), "")
      try store.add([thought, empty], to: run.id)
      #expect(try store.replies(runID: run.id).map(\.isOnlyReasoning) == [true, false])
    }
  }

  @Test func aFailedBatchLeavesNothing() throws {
    try withStore { store, _ in
      let run = try storedRun(in: store)
      let good = ReplyKey(dataset: "set", sample: "a", condition: "plain")
      let bad = ReplyKey(dataset: "set", sample: "zzz", condition: "plain")
      #expect(throws: StoreError.notFound(what: "sample", id: "set/zzz")) {
        try store.add([reply(good), reply(bad)], to: run.id)
      }
      #expect(try store.replies(runID: run.id).isEmpty)
    }
  }

  @Test func wrongIdentifiersAreNamed() throws {
    try withStore { store, _ in
      let run = try storedRun(in: store)
      #expect(throws: StoreError.alreadyExists(what: "run", id: run.id)) { try store.begin(run) }
      #expect(throws: StoreError.alreadyExists(what: "data set", id: "set")) {
        try store.add(sampleDataset(), to: run.id)
      }
      #expect(throws: StoreError.alreadyExists(what: "condition", id: "plain")) {
        try store.add(conditions[0], to: run.id)
      }
      for call in [
        { _ = try store.run(id: "x") }, { _ = try store.datasets(runID: "x") },
        { _ = try store.keys(runID: "x") },
        { _ = try store.replies(runID: "x") }, { try store.finish(runID: "x") },
        { try store.delete(runID: "x") },
        { try store.add(sampleDataset(), to: "x") },
      ] as [() throws -> Void] {
        #expect(throws: StoreError.notFound(what: "run", id: "x")) { try call() }
      }
      var broken = sampleRun()
      broken.parameters = "{"
      #expect(throws: StoreError.badValue(what: "the run's parameters", detail: "it is not JSON")) {
        try store.begin(broken)
      }
    }
  }

  @Test func othersReadWhileOneWrites() throws {
    try withStore { store, path in
      let run = try storedRun(in: store)
      let other = try RunStore(path: path)
      let key = ReplyKey(dataset: "set", sample: "a", condition: "plain")
      try store.write { db in
        try db.execute(sql: "UPDATE run SET planned = 99")
        // The writer is in the middle of its transaction; a reader sees the state before it, without waiting.
        #expect(try other.run(id: run.id).planned == run.planned)
      }
      #expect(try other.run(id: run.id).planned == 99)
      try store.add([reply(key)], to: run.id)
      #expect(try other.replies(runID: run.id).count == 1)
    }
  }

  @Test func aSecondWriterIsToldThatTheFileIsLocked() throws {
    try withStore { store, path in
      let run = try storedRun(in: store)
      let other = try RunStore(path: path, lockTimeout: 0.01)
      try store.write { db in
        try db.execute(sql: "UPDATE run SET planned = 98")
        #expect(throws: StoreError.locked(path: path)) { try other.finish(runID: run.id) }
      }
      // And it goes on once the lock is gone.
      try other.finish(runID: run.id)
      #expect(try store.run(id: run.id).planned == 98)
      #expect(try store.run(id: run.id).finishedAt != nil)
    }
  }

  @Test func aFullDiskLosesNothingThatWasStored() throws {
    try withFolder { folder in
      let path = folder.appendingPathComponent("full.sqlite").path
      // A limit on pages is the same fault to SQLite as a disk without room.
      let store = try RunStore(path: path, lockTimeout: 1) { db in
        try db.execute(sql: "PRAGMA max_page_count = 60")
      }
      let run = try storedRun(in: store)
      let keys = allKeys(repetitions: 200)
      var stored = 0
      var failure: StoreError?
      for key in keys {
        do throws(StoreError) {
          try store.add([reply(key, String(repeating: "x", count: 3_000))], to: run.id)
          stored += 1
        } catch {
          failure = error
          break
        }
      }
      #expect(failure == .diskFull(path: path))
      #expect(stored > 0)
      #expect(try store.replies(runID: run.id).count == stored)
      let later = try RunStore(path: path)
      #expect(try later.add([reply(keys[stored])], to: run.id) == 1)
      #expect(try later.keys(runID: run.id).count == stored + 1)
    }
  }

  @Test func filesThatAreNoStores() throws {
    try withFolder { folder in
      let text = folder.appendingPathComponent("text.sqlite")
      try Data(String(repeating: "This is no database. ", count: 100).utf8).write(to: text)
      #expect(throws: StoreError.notADatabase(path: text.path)) { try RunStore(path: text.path) }
      let missing = folder.appendingPathComponent("none/a.sqlite").path
      #expect {
        try RunStore(path: missing)
      } throws: { if case .cannotOpen? = $0 as? StoreError { true } else { false } }
    }
  }

  @Test func aNewerFileIsNotTouched() throws {
    try withStore { store, path in
      try store.write { db in
        try db.execute(sql: "INSERT INTO grdb_migrations (identifier) VALUES ('9 from the future')")
      }
      #expect(throws: StoreError.writtenByNewerVersion(path: path)) { try RunStore(path: path) }
    }
  }

  @Test func theSchemaOfTheFirstMigrationIsHistory() throws {
    // A change here breaks every file in the field: add a migration instead.
    #expect(StoreMigrations.migrator.migrations.first == "1 runs, samples, replies, verdicts")
    let first = try DatabaseQueue()
    try StoreMigrations.migrator.migrate(first, upTo: "1 runs, samples, replies, verdicts")
    let tables = try first.read { db in
      try String.fetchAll(
        db,
        sql: "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY name")
    }
    #expect(
      tables == ["condition", "dataset", "grdb_migrations", "reply", "run", "sample", "step", "verdict"])
    try withStore { store, _ in
      let mode = try store.read { try String.fetchOne($0, sql: "PRAGMA journal_mode") }
      #expect(mode == "wal")
      #expect(try store.write { try Int.fetchOne($0, sql: "PRAGMA synchronous") } == 2)
      #expect(try store.write { try Int.fetchOne($0, sql: "PRAGMA busy_timeout") } == 10_000)
    }
  }

  @Test func costsComeBack() throws {
    try withStore { store, _ in
      let run = try storedRun(in: store)
      var known = reply(.init(dataset: "set", sample: "a", condition: "plain"))
      known.cost = ReplyCost(promptTokens: 9, generatedTokens: 5, decodedTokens: 4)
      try store.add([known, reply(.init(dataset: "set", sample: "b", condition: "plain"))], to: run.id)
      #expect(try store.replies(runID: run.id).map(\.cost) == [known.cost, nil])
      #expect(try store.speeds(runID: run.id).isEmpty)
      try store.add(speeds: ["plain": 10, "self-cd@2.5": 5.5], to: run.id)
      try store.add(speeds: ["plain": 12], to: run.id)
      #expect(try store.speeds(runID: run.id) == ["plain": 12, "self-cd@2.5": 5.5])
      try store.plan(2, runID: run.id)
      #expect(try store.run(id: run.id).planned == 2)
      #expect(throws: StoreError.notFound(what: "run", id: "x")) { try store.add(speeds: [:], to: "x") }
      #expect(throws: StoreError.notFound(what: "run", id: "x")) { try store.plan(1, runID: "x") }
    }
  }

  /// Files of the version before costs were kept open, and their replies have none.
  @Test func olderFilesAreBroughtUpToDate() throws {
    try withFolder { folder in
      let path = folder.appendingPathComponent("old.sqlite").path
      do {
        let old = try DatabaseQueue(path: path)
        try StoreMigrations.migrator.migrate(old, upTo: "2 verdict cache")
        try old.write { db in
          try db.execute(
            sql: """
              INSERT INTO run VALUES ('r', 0, NULL, '1', '{"name":"m","sha256":"ff","metadata":{}}', '{}', '[]',
                '{"processor":"p","cores":1,"memory":1,"system":"s"}', 1);
              INSERT INTO dataset VALUES (1, 'r', 'd', NULL, 'aa', 'list', '[]');
              INSERT INTO condition VALUES (1, 'r', 'plain', 'plain', NULL, '{}');
              """)
          let sample = try JSONText.encode(
            Sample(id: "1", content: .text("q"), position: .line(1)), "a sample")
          try db.execute(
            sql: "INSERT INTO sample VALUES (1, 1, '1', NULL, NULL, ?)", arguments: [sample])
          try db.execute(sql: "INSERT INTO reply VALUES (1, 1, 1, 0, x'41', 'stop', NULL)")
        }
      }
      let store = try RunStore(path: path)
      #expect(try store.replies(runID: "r").map(\.text) == ["A"])
      #expect(try store.replies(runID: "r").first?.cost == nil)
    }
  }

  @Test func everyErrorSaysWhatToTry() {
    let errors: [StoreError] = [
      .cannotOpen(path: "p", detail: "d"), .notADatabase(path: "p"), .writtenByNewerVersion(path: "p"),
      .locked(path: "p"), .diskFull(path: "p"), .readOnly(path: "p"), .damaged(path: "p", detail: "d"),
      .inputOutput(path: "p", detail: "d"), .notFound(what: "run", id: "p"),
      .alreadyExists(what: "run", id: "p"),
    ]
    for error in errors { #expect(error.localizedDescription.split(separator: ".").count >= 2) }
  }
}
