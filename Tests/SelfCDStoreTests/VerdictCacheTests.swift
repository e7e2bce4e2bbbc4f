import Foundation
import GRDB
import SelfCDJudges
import Synchronization
import Testing

@testable import SelfCDStore

@Suite struct VerdictCacheTests {
  @Test func aQuestionIsAskedOnce() async throws {
    try await withStorePath { path in
      let judge = CountingJudge()
      let verdict = try await CachedJudge(judge, cache: try RunStore(path: path))
        .judge(prompt: "p", reply: "r\0\u{2028}")
      // Another process, later.
      let again = try await CachedJudge(judge, cache: try RunStore(path: path))
        .judge(prompt: "p", reply: "r\0\u{2028}")
      #expect(verdict == again && verdict.note == "call 1")
      #expect(judge.calls == 1)
    }
  }

  @Test func whateverChangesTheQuestionIsAskedAnew() async throws {
    try await withStorePath { path in
      let store = try RunStore(path: path)
      let judge = CountingJudge()
      for (prompt, reply) in [("p", "r"), ("pr", ""), ("", "pr"), ("p", "R")] {
        _ = try await CachedJudge(judge, cache: store).judge(prompt: prompt, reply: reply)
      }
      #expect(judge.calls == 4)
      _ = try await CachedJudge(judge.with(version: "2"), cache: store).judge(prompt: "p", reply: "r")
      _ = try await CachedJudge(judge.with(name: "other"), cache: store).judge(prompt: "p", reply: "r")
      #expect(judge.calls == 6)
    }
  }

  @Test func failuresAreNotKept() async throws {
    try await withStorePath { path in
      let store = try RunStore(path: path)
      let judge = CountingJudge(failures: 1)
      await #expect(throws: JudgeError.noReplies) {
        try await CachedJudge(judge, cache: store).judge(prompt: "p", reply: "r")
      }
      #expect(try await CachedJudge(judge, cache: store).judge(prompt: "p", reply: "r").note == "call 2")
    }
  }

  @Test func theFirstVerdictStays() throws {
    try withStore { store, _ in
      let key = VerdictKey(judge: CountingJudge(), prompt: "p", reply: "r")
      try store.keep(Verdict(.fullRefusal), for: key)
      try store.keep(Verdict(.fullCompliance), for: key)
      #expect(try store.verdict(for: key)?.replyClass == .fullRefusal)
    }
  }

  @Test func verdictsOutliveTheirRun() throws {
    try withStore { store, _ in
      let run = try storedRun(in: store)
      let key = VerdictKey(judge: CountingJudge(), prompt: "p", reply: "r")
      try store.keep(Verdict(.fullRefusal), for: key)
      try store.delete(runID: run.id)
      #expect(try store.verdict(for: key) != nil)
    }
  }

  @Test func aFileOfTheFirstVersionIsBroughtUpToDate() async throws {
    try await withStorePath { path in
      try StoreMigrations.migrator.migrate(
        DatabaseQueue(path: path), upTo: "1 runs, samples, replies, verdicts")
      let store = try RunStore(path: path)
      #expect(
        try await CachedJudge(CountingJudge(), cache: store).judge(prompt: "", reply: "").note == "call 1")
      #expect(try store.runs().isEmpty)
    }
  }

  private func withStorePath(_ body: (String) async throws -> Void) async throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "selfcd-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try await body(folder.appending(path: "runs.sqlite").path)
  }
}

/// Numbers its verdicts.
private struct CountingJudge: ReplyJudge {
  private final class Counter: Sendable {
    let value = Mutex(0)
  }

  var name = "llm:counting"
  var version = "1"
  private var failures = 0
  private let counter = Counter()

  init(failures: Int = 0) {
    self.failures = failures
  }

  var calls: Int { counter.value.withLock { $0 } }

  func with(name: String? = nil, version: String? = nil) -> CountingJudge {
    var copy = self
    copy.name = name ?? self.name
    copy.version = version ?? self.version
    return copy
  }

  func judge(prompt: String, reply: String) async throws -> Verdict {
    let call = counter.value.withLock { value in
      value += 1
      return value
    }
    if call <= failures { throw JudgeError.noReplies }
    return Verdict(.partialRefusal, evidence: [.init(start: 0, end: 1, rule: "x")], note: "call \(call)")
  }
}
