import Foundation
import SelfCD
import SelfCDSupport
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
      var text = ""
      var tries = 0
      // On a busy machine the time may be over before a stream begins.
      repeat {
        tries += 1
        let connection = try await RawConnection(port: server.port)
        try await connection.send(
          rawRequest(body: Array(try JSONEncoder().encode(Self.long.setting("stream", .bool(streams))))))
        // Its end is the connection's: what comes behind it could not be told apart.
        text = try await connection.receiveAll()
        connection.end(.close)
        #expect(text.hasPrefix("HTTP/1.1 504") || (streams && text.hasPrefix("HTTP/1.1 200")))
        #expect(text.contains(#""code":"timeout""#))
        #expect(!text.contains("[DONE]"))
      } while streams && text.hasPrefix("HTTP/1.1 504") && tries < 50
      if streams { #expect(text.hasSuffix("\r\n0\r\n\r\n")) }
      // Asking for the metrics may take too long itself.
      #expect(try await server.waitForLog("(timedOut)"))
      #expect(!server.log.text.contains("without an answer"))
      #expect(try await server.waitFor("selfcd_lanes_free", 4))
    }
  }

  @Test("a body that never comes is not waited for")
  func slowBody() async throws {
    try await TestServer.with([HistoryProvider()], settings: ServerSettings(bodyTimeout: 0.3)) {
      (server: TestServer) async throws in
      let connection = try await RawConnection(port: server.port)
      try await connection.send(rawRequest(length: 50, body: Array("{".utf8)))
      let answer = try await connection.receiveAll()
      #expect(answer.hasPrefix("HTTP/1.1 408"))
      #expect(answer.contains(#""code":"body_too_slow""#))
      connection.end(.close)
      #expect(try await server.get("/health").status == 200)
    }
  }

  @Test("tests that are not about a limit of time do not run into it, however slow the machine")
  func patience() {
    let usual = TestServer.patient(ServerSettings())
    #expect(min(usual.bodyTimeout, usual.requestTimeout, usual.idleTimeout) >= 1800)
    let own = TestServer.patient(ServerSettings(requestTimeout: 0.4, bodyTimeout: 0.3, idleTimeout: 1))
    #expect(own.requestTimeout == 0.4 && own.bodyTimeout == 0.3 && own.idleTimeout == 1)
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
      #expect(try await server.waitFor("selfcd_lanes_free", 8))
    }
  }

  @Test("shutdown lets replies finish, and ends them after its grace", arguments: [60.0, 0.3])
  func shutdown(grace: Double) async throws {
    let finishes = grace > 1
    // Slow enough that the second reply is still on its way when its time is over.
    let delay = finishes ? 0.005 : 0.1
    try await TestServer.with([HistoryProvider(delay: delay)], settings: ServerSettings(grace: grace)) {
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
      let note = "ended 1 reply that was not finished after 0.3 s"
      #expect(server.log.text.contains(note) != finishes, "\(server.log.text)")
      connection.end(.close)
      await #expect(throws: RawConnection.Failure.self) { _ = try await RawConnection(port: server.port) }
    }
  }

  @Test("a server that stops tells its health until the last reply is over, and takes nothing else")
  func draining() async throws {
    try await TestServer.with([HistoryProvider(delay: 0.05)], settings: ServerSettings(grace: 600)) {
      (server: TestServer) async throws in
      let connection = try await RawConnection(port: server.port)
      try await connection.send(try Self.streamed(Self.long.setting("max_tokens", 100)))
      let start = try await connection.receive()
      #expect(try await server.waitFor("selfcd_lanes_free", 3))
      async let stopped: Void = server.stop()
      var health = try await server.get("/health")
      for _ in 0..<200 where health.status == 200 {
        try await Task.sleep(for: .milliseconds(5))
        health = try await server.get("/health")
      }
      #expect(health.status == 503 && health.json["status"].string == "shutting_down", "\(health.text)")
      let refused = try await server.post(question(fields: ["max_tokens": 1]))
      #expect(refused.status == 503 && refused.errorCode == "shutting_down", "\(refused.text)")
      let text = start + (try await connection.receiveAll())
      #expect(text.contains("[DONE]"))
      try await stopped
      connection.end(.close)
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
    try await TestServer.with([HistoryProvider(lanes: 2)]) { (server: TestServer) async throws in
      let stalled = try await RawConnection(port: server.port, receiveBuffer: 2048)
      try await stalled.send(
        try Self.streamed(
          Self.long.setting("selfcd", ["explain": true, "candidates": 20]).setting("max_tokens", 300)
            .setting("n", 2)))
      // Its replies are generated all the same; then their lanes are free again, though the request is not over.
      #expect(try await server.waitFor("selfcd_replies_total", 2))
      #expect(try await server.waitFor("selfcd_lanes_free", 2))
      #expect(try await server.metric("selfcd_requests_in_flight") == 2)
      #expect(try await server.post(question(fields: ["max_tokens": 3])).status == 200)
      stalled.end(.reset)
    }
  }
}
