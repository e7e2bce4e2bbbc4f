import Foundation
import Logging
import SelfCD
import SelfCDHTTP
import SelfCDSupport
import Synchronization
import Testing

@testable import SelfCDServer

@Suite("Model pool")
struct ModelPoolTests {
  @Test("loads when asked, unloads the least recently used within its budget")
  func budget() async throws {
    let models = ["a", "b", "c"].map { HistoryProvider(name: $0, bytes: 40) }
    try await TestServer.with(models, settings: ServerSettings(memoryBudget: 100)) {
      (server: TestServer) async throws in
      func ask(_ name: String) async throws -> Int {
        try await server.post(question(fields: ["model": .string(name), "max_tokens": 1])).status
      }
      #expect(models.map(\.loadCount) == [1, 0, 0])
      for name in ["b", "a", "c", "a"] { #expect(try await ask(name) == 200) }
      #expect(models.map(\.loadCount) == [1, 1, 1])
      #expect(server.log.text.contains("unloaded 'b'"))
      #expect(try await ask("b") == 200)
      #expect(models[1].loadCount == 2)
    }
  }

  @Test("does not unload what is in use, nor load what is too large")
  func busy() async throws {
    let models = [
      HistoryProvider(name: "a", delay: 0.01, bytes: 60), HistoryProvider(name: "b", bytes: 60),
      HistoryProvider(name: "huge", bytes: 600),
    ]
    try await TestServer.with(models, settings: ServerSettings(memoryBudget: 100)) {
      (server: TestServer) async throws in
      let connection = try await RawConnection(port: server.port)
      try await connection.send(try SchedulingTests.streamed(SchedulingTests.long))
      #expect(try await server.waitFor("selfcd_lanes_free", 3))
      let other = try await server.post(question(fields: ["model": "b"]))
      #expect(other.status == 503 && other.errorCode == "no_memory" && other.head.retryAfter() != nil)
      let huge = try await server.post(question(fields: ["model": "huge"]))
      #expect(huge.status == 503 && huge.errorCode == "model_too_large")
      connection.end(.close)
      #expect(try await server.waitFor("selfcd_lanes_free", 4))
      #expect(try await server.post(question(fields: ["model": "b", "max_tokens": 1])).status == 200)
    }
  }

  @Test("requests that come while a model is loaded wait for it, and do not look for room themselves")
  func together() async throws {
    let models = [
      HistoryProvider(name: "a", bytes: 60), HistoryProvider(name: "b", bytes: 60, loadDelay: 0.2),
    ]
    try await TestServer.with(models, settings: ServerSettings(memoryBudget: 100)) {
      (server: TestServer) async throws in
      try await withThrowingTaskGroup(of: Int.self) { group in
        for _ in 0..<4 {
          group.addTask { try await server.post(question(fields: ["model": "b", "max_tokens": 1])).status }
        }
        for try await status in group { #expect(status == 200) }
      }
      #expect(models[1].loadCount == 1)
    }
  }

  @Test("who waits for a model that is loaded can be ended")
  func endedWhileLoading() async throws {
    let gate = LoadGate()
    let models = [HistoryProvider(name: "a"), HistoryProvider(name: "b", gate: gate)]
    try await TestServer.with(models, settings: ServerSettings(requestTimeout: 0.3)) {
      (server: TestServer) async throws in
      // On a busy machine a request may be over before it gets there.
      repeat {
        let answer = try await server.post(question(fields: ["model": "b"]))
        #expect(answer.status == 504 && answer.errorCode == "timeout")
      } while models[1].loadCount == 0
      gate.open()
      // What nobody waits for any more is loaded all the same.
      #expect(try await server.waitForLog("loaded 'b'"))
      #expect(models[1].loadCount == 1)
    }
  }

  @Test("a model that cannot be loaded is left alone for a while, unless the operator reloads")
  func failure() async throws {
    let models = [HistoryProvider(name: "a"), HistoryProvider(name: "b", failingLoads: 1)]
    try await TestServer.with(models) { (server: TestServer) async throws in
      for _ in 0..<2 {
        let answer = try await server.post(question(fields: ["model": "b"]))
        #expect(answer.status == 503 && answer.errorCode == "model_not_loaded")
        #expect(answer.head.retryAfter() != nil)
      }
      #expect(models[1].loadCount == 1)
      await server.server.reload()
      #expect(try await server.post(question(fields: ["model": "b", "max_tokens": 1])).status == 200)
      #expect(models[1].loadCount == 2)
    }
  }

  @Test("a server that is stopped while its first model is loaded does not start")
  func stoppedWhileLoading() async throws {
    let gate = LoadGate()
    let provider = HistoryProvider(gate: gate)
    let server = try InferenceServer(
      settings: ServerSettings(port: 0), providers: [provider], policy: ServerPolicy(),
      logger: Logger(label: "test") { _ in LogLines().handler })
    let hasStarted = Atomic(false)
    let ready: @Sendable (Int) -> Void = { _ in hasStarted.store(true, ordering: .relaxed) }
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await server.run(onReady: ready) }
      while provider.loadCount == 0 { await Task.yield() }
      await server.stop()
      gate.open()
      try await group.waitForAll()
    }
    let started = hasStarted.load(ordering: .relaxed)
    #expect(!started)
  }

  @Test("a server is there while the caller's work is done, and gone afterwards, whatever came of the work")
  func whileServing() async throws {
    struct Failure: Error {}
    let settings = ServerSettings(port: 0)
    let server = try InferenceServer(settings: settings, providers: [HistoryProvider()])
    let port = try await server.whileServing { (port: Int) async throws -> Int in
      #expect(try await Self.health(port) == 200)
      return port
    }
    await #expect(throws: (any Error).self) { try await Self.health(port) }

    let failing = try InferenceServer(settings: settings, providers: [HistoryProvider()])
    await #expect(throws: Failure.self) {
      try await failing.whileServing { (_: Int) async throws -> Int in throw Failure() }
    }
    let broken = try InferenceServer(settings: settings, providers: [HistoryProvider(failingLoads: 1)])
    await #expect(throws: ServerError.notLoaded(model: "history")) {
      try await broken.whileServing { _ in Issue.record("there is no model") }
    }
    let stopped = try InferenceServer(settings: settings, providers: [HistoryProvider()])
    await stopped.stop()
    await #expect(throws: CancellationError.self) {
      try await stopped.whileServing { _ in Issue.record("it was stopped before") }
    }
  }

  private static func health(_ port: Int) async throws -> Int {
    let url = try #require(URL(string: "http://127.0.0.1:\(port)/health"))
    let (head, _) = try await HTTPClient().data(HTTPRequest(.get, url), limit: 1 << 16)
    return head.status
  }

  @Test("profiles are the default, and are read anew when they change")
  func profiles() async throws {
    let provider = HistoryProvider(profiles: [PolicyTests.profile])
    try await TestServer.with(
      [provider], settings: ServerSettings(watchInterval: 0.05), policy: ServerPolicy()
    ) {
      (server: TestServer) async throws in
      func report(_ fields: [String: JSONValue] = [:]) async throws -> JSONValue {
        try await server.post(question(fields: fields.merging(["max_tokens": 1]) { $1 })).json["selfcd"]
      }
      let first = try await report()
      #expect(first["profile"].string == "careful" && first["alpha"] == 1.5 && first["steps"].int == 4)
      #expect(try await report(["model": "history:careful"])["profile"].string == "careful")
      #expect(try await report(["selfcd": ["profile": "careful"]])["calibrated"] == true)
      provider.setProfiles([
        ServedProfile(
          name: "bolder", strategy: SelfContrastive(alpha: 2), summary: "", isCalibrated: false)
      ])
      #expect(try await server.waitFor(#"selfcd_reloads_total{outcome="ok"}"#, 1))
      #expect(try await report()["profile"].string == "bolder")
      #expect(try await report()["calibrated"] == false)
      let policy = try await server.get("/selfcd/policy").json
      #expect(policy["models"][0]["profiles"][0]["name"].string == "bolder")
      #expect(policy["models"][0]["profiles"][0]["calibrated"] == false)
      #expect(policy["models"][0]["default"]["calibrated"] == false)
      #expect(policy["models"][0]["default"]["alpha"].double == 2)
    }
  }

  @Test("a profile of other weights than those that are loaded is not used")
  func otherWeights() async throws {
    @Sendable func profile(_ name: String, _ identity: String) -> ServedProfile {
      ServedProfile(
        name: name, strategy: SelfContrastive(alpha: 2), summary: "", isCalibrated: true, identity: identity)
    }
    // The file was replaced after its profile was read, and before it was loaded.
    let replaced = HistoryProvider(profiles: [profile("old", "a")])
    replaced.setIdentity("b")
    try await TestServer.with([replaced], policy: ServerPolicy()) { (server: TestServer) async throws in
      let report = try await server.post(question(fields: ["max_tokens": 1])).json["selfcd"]
      #expect(report["profile"] == .null && report["calibrated"] == false)
      #expect(server.log.text.contains("other weights"))
    }
    // File and profile were replaced while the old weights are loaded.
    let provider = HistoryProvider(profiles: [profile("old", "a")])
    provider.setIdentity("a")
    try await TestServer.with(
      [provider], settings: ServerSettings(watchInterval: 0.05), policy: ServerPolicy()
    ) { (server: TestServer) async throws in
      #expect(try await server.post(question(fields: ["max_tokens": 1])).json["selfcd"]["calibrated"] == true)
      provider.setProfiles([profile("new", "b")])
      #expect(try await server.waitFor(#"selfcd_reloads_total{outcome="failed"}"#, 1))
      let report = try await server.post(question(fields: ["max_tokens": 1])).json["selfcd"]
      #expect(report["profile"].string == "old", "what is loaded is what is decoded")
    }
  }
}
