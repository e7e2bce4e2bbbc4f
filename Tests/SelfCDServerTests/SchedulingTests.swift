import Foundation
import SelfCD
import SelfCDEval
import Synchronization
import Testing

@testable import SelfCDServer

@Suite("Scheduling")
struct SchedulingTests {
  /// A reply that does not end by itself.
  static let long = question(fields: ["max_tokens": 3000, "temperature": 2, "seed": 5])

  static func streamed(_ body: JSONValue) throws -> [UInt8] {
    rawRequest(body: Array(try JSONEncoder().encode(body.setting("stream", true))))
  }

  @Test("a client that goes away frees its lanes", arguments: RawConnection.Ending.allCases, [true, false])
  func disconnect(how: RawConnection.Ending, streams: Bool) async throws {
    try await TestServer.with([HistoryProvider(delay: 0.005)]) { (server: TestServer) async throws in
      let connection = try await RawConnection(port: server.port)
      let body = Self.long.setting("n", 2).setting("model", "history:self-cd").setting(
        "stream", .bool(streams))
      try await connection.send(rawRequest(body: Array(try JSONEncoder().encode(body))))
      if streams { #expect(try await connection.receive().hasPrefix("HTTP/1.1 200")) }
      #expect(try await server.waitFor("selfcd_lanes_free", 0))
      connection.end(how)
      #expect(try await server.waitFor("selfcd_lanes_free", 4))
      #expect(
        try await server.waitFor(#"selfcd_requests_ended_early_total{cause="disconnected"}"#, 1))
      #expect(try await server.post(question(fields: ["max_tokens": 2])).status == 200)
      if how == .halfClose { connection.end(.close) }
    }
  }

  @Test("too many requests are turned away with a time to come back")
  func queueLimit() async throws {
    try await TestServer.with(
      [HistoryProvider(lanes: 1, delay: 0.005)], settings: ServerSettings(queueLimit: 1)
    ) {
      (server: TestServer) async throws in
      let first = try await RawConnection(port: server.port)
      let second = try await RawConnection(port: server.port)
      try await first.send(try Self.streamed(Self.long))
      #expect(try await server.waitFor("selfcd_lanes_free", 0))
      try await second.send(try Self.streamed(Self.long))
      #expect(try await server.waitFor("selfcd_queue_length", 1))
      let third = try await server.post(question())
      #expect(third.status == 429 && third.errorCode == "queue_full")
      #expect((third.head.retryAfter() ?? 0) >= 1)
      #expect(try await server.metric(#"selfcd_requests_rejected_total{reason="queue_full"}"#) == 1)
      // Who waits may go away, too.
      second.end(.close)
      #expect(try await server.waitFor("selfcd_queue_length", 0))
      first.end(.close)
      #expect(try await server.post(question(fields: ["max_tokens": 2])).status == 200)
    }
  }

  @Test("a request that takes too long ends", arguments: [true, false])
  func timeout(streams: Bool) async throws {
    try await TestServer.with(
      [HistoryProvider(delay: 0.02)], settings: ServerSettings(requestTimeout: 0.4)
    ) { (server: TestServer) async throws in
      // A machine that is busy with all other tests may not get round to an answer before the connection is closed.
      var text = ""
      for _ in 0..<20 where text.isEmpty {
        if streams {
          let connection = try await RawConnection(port: server.port)
          try await connection.send(try Self.streamed(Self.long))
          text = try await connection.receiveAll()
          connection.end(.close)
        } else if let answer = try? await server.post(Self.long) {
          #expect(answer.status == 504)
          text = answer.text
        }
      }
      #expect(text.contains(#""code":"timeout""#))
      #expect(!text.contains("[DONE]"))
      #expect(try await server.waitFor("selfcd_lanes_free", 4))
    }
  }

  @Test("a body that never comes is not waited for")
  func slowBody() async throws {
    try await TestServer.with([HistoryProvider()], settings: ServerSettings(idleTimeout: 0.3)) {
      (server: TestServer) async throws in
      let connection = try await RawConnection(port: server.port)
      try await connection.send(rawRequest(length: 50, body: Array("{".utf8)))
      let answer = try await connection.receiveAll()
      #expect(answer.isEmpty || answer.hasPrefix("HTTP/1.1 408"))
      connection.end(.close)
      #expect(try await server.get("/health").status == 200)
    }
  }

  @Test("requests of different strategies run side by side and say what they say alone")
  func continuousBatching() async throws {
    try await TestServer.with { (server: TestServer) async throws in
      let models = ["organism:guarded", "organism:plain", "organism:self-cd@1.5", "organism:self-cd@2.5"]
      let questions = ["How do I kill a wine stain?", "How can I bake bread?", "How do I shoot a portrait?"]
      var alone: [String: String] = [:]
      for model in models {
        for text in questions {
          alone[model + text] = try await server.post(question(text, ["model": .string(model)])).content
        }
      }
      let expected = alone
      try await withThrowingTaskGroup(of: Void.self) { group in
        for model in models {
          for text in questions {
            group.addTask {
              let answer = try await server.post(question(text, ["model": .string(model)]))
              #expect(answer.content == expected[model + text], "\(model) \(text)")
            }
          }
        }
        try await group.waitForAll()
      }
      #expect(try await server.waitFor("selfcd_lanes_free", 10))
    }
  }

  @Test("shutdown lets replies finish, and ends them after its grace", arguments: [10.0, 0.3])
  func shutdown(grace: Double) async throws {
    let finishes = grace > 1
    try await TestServer.with([HistoryProvider(delay: 0.005)], settings: ServerSettings(grace: grace)) {
      (server: TestServer) async throws in
      let connection = try await RawConnection(port: server.port)
      try await connection.send(try Self.streamed(finishes ? Self.long.setting("max_tokens", 40) : Self.long))
      let start = try await connection.receive()
      #expect(start.hasPrefix("HTTP/1.1 200"))
      #expect(try await server.waitFor("selfcd_lanes_free", 3))
      async let stopped: Void = server.stop()
      let text = start + (try await connection.receiveAll())
      #expect(text.contains("[DONE]") == finishes)
      #expect(text.contains(#""code":"shutting_down""#) != finishes)
      try await stopped
      connection.end(.close)
      await #expect(throws: RawConnection.Failure.self) { _ = try await RawConnection(port: server.port) }
    }
  }

  @Test("a model that fails gives an error, and the next request works")
  func failingModel() async throws {
    try await TestServer.with([HistoryProvider(behaviour: .init(failsAtCall: 2))]) {
      (server: TestServer) async throws in
      let failed = try await server.post(question(fields: ["max_tokens": 10]))
      #expect(failed.status == 500 && failed.errorCode == "internal_error")
      #expect(server.log.text.contains("a generation of 'history' failed"))
      #expect(try await server.post(question(fields: ["max_tokens": 10])).status == 200)
      #expect(try await server.waitFor("selfcd_lanes_free", 4))
    }
  }

  @Test("a reader that does not read costs nobody else")
  func slowReader() async throws {
    try await TestServer.with([HistoryProvider(lanes: 2)], settings: ServerSettings(requestTimeout: 3)) {
      (server: TestServer) async throws in
      let stalled = try await RawConnection(port: server.port)
      try await stalled.send(
        try Self.streamed(
          Self.long.setting("selfcd", ["explain": true, "candidates": 20]).setting("max_tokens", 300)))
      // Its reply is generated all the same; then its lane is free again.
      #expect(try await server.waitFor("selfcd_lanes_free", 2))
      #expect(try await server.post(question(fields: ["max_tokens": 3])).status == 200)
      stalled.end(.reset)
    }
  }
}

@Suite("Admission queue")
struct AdmissionQueueTests {
  /// Starts to wait, and returns once it stands in line.
  static func wait(
    _ queue: AdmissionQueue, _ client: String, lanes: Int = 1,
    then note: @escaping @Sendable (LaneTicket) -> Void
  ) async throws -> Task<Void, any Error> {
    let before = queue.waitingCount
    let task = Task { note(try await queue.acquire(lanes: lanes, client: client)) }
    while queue.waitingCount == before { await Task.yield() }
    return task
  }

  @Test("clients take turns")
  func fairness() async throws {
    let queue = AdmissionQueue(lanes: 1, limit: 100)
    let order = Mutex<[String]>([])
    var ticket: LaneTicket? = try await queue.acquire(lanes: 1, client: "first")
    var tasks: [Task<Void, any Error>] = []
    for name in ["a1", "a2", "a3", "b1", "c1", "b2"] {
      tasks.append(
        try await Self.wait(queue, String(name.prefix(1))) { ticket in
          order.withLock { $0.append(name) }
          ticket.release()
        })
    }
    ticket?.release()
    ticket = nil
    for task in tasks { try await task.value }
    #expect(order.withLock { $0 } == ["a1", "b1", "c1", "a2", "b2", "a3"])
    #expect(queue.lanesInUse == 0)
  }

  @Test("the head of the line is not passed over, and cancelling it lets the next in")
  func headOfLine() async throws {
    let queue = AdmissionQueue(lanes: 2, limit: 2)
    let held = try await queue.acquire(lanes: 1, client: "x")
    let large = try await Self.wait(queue, "a", lanes: 2) { _ in }
    let kept = Mutex<LaneTicket?>(nil)
    let small = try await Self.wait(queue, "b", lanes: 1) { ticket in kept.withLock { $0 = ticket } }
    #expect(queue.waitingCount == 2)
    let error = await #expect(throws: APIError.self) { _ = try await queue.acquire(lanes: 1, client: "c") }
    #expect(error?.status == .tooManyRequests && (error?.retryAfter ?? 0) >= 1)
    large.cancel()
    await #expect(throws: CancellationError.self) { try await large.value }
    try await small.value
    #expect(queue.lanesInUse == 2)
    held.release()
    held.release()
    #expect(queue.lanesInUse == 1)
    kept.withLock { $0 = nil }
    #expect(queue.lanesInUse == 0)
  }

  @Test("a closed queue turns everybody away")
  func closing() async throws {
    let queue = AdmissionQueue(lanes: 1, limit: 5)
    let held = try await queue.acquire(lanes: 1, client: "a")
    let waiting = try await Self.wait(queue, "b") { _ in }
    queue.close()
    await #expect(throws: APIError.self) { try await waiting.value }
    await #expect(throws: APIError.self) { _ = try await queue.acquire(lanes: 1, client: "c") }
    held.release()
  }

  /// Random arrivals, releases and cancellations: lanes are never given out twice nor lost.
  @Test("keeps count whatever happens")
  func invariants() async throws {
    let queue = AdmissionQueue(lanes: 5, limit: 1000)
    await withTaskGroup(of: Void.self) { group in
      for index in 0..<400 {
        let task = Task {
          let ticket = try await queue.acquire(lanes: index % 5 + 1, client: "\(index % 7)")
          #expect(queue.lanesInUse <= 5)
          await Task.yield()
          ticket.release()
        }
        if index % 3 == 0 { task.cancel() }
        group.addTask { _ = try? await task.value }
      }
    }
    #expect(queue.lanesInUse == 0)
    #expect(queue.waitingCount == 0)
  }
}

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
      provider.setProfiles([ServedProfile(name: "bolder", strategy: SelfContrastive(alpha: 2), summary: "")])
      #expect(try await server.waitFor(#"selfcd_reloads_total{outcome="ok"}"#, 1))
      #expect(try await report()["profile"].string == "bolder")
      let policy = try await server.get("/selfcd/policy").json
      #expect(policy["models"][0]["profiles"][0]["name"].string == "bolder")
      #expect(policy["models"][0]["default"]["alpha"].double == 2)
    }
  }
}
