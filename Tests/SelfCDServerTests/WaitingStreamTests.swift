import Foundation
import SelfCD
import SelfCDSupport
import Testing

@testable import SelfCDServer

/// Streams that have nothing to say yet.
@Suite("Waiting streams")
struct WaitingStreamTests {
  static let comment = ": keep-alive\n\n"

  /// Runs `body` while the only lane is held by a stream that is given.
  static func whileBusy(
    settings: ServerSettings = ServerSettings(keepAlive: 0.2),
    _ body: @Sendable (TestServer, RawConnection) async throws -> Void
  ) async throws {
    try await TestServer.with([HistoryProvider(lanes: 1, delay: 0.005)], settings: settings) {
      (server: TestServer) async throws in
      let holder = try await RawConnection(port: server.port)
      try await holder.send(try SchedulingTests.streamed(SchedulingTests.long))
      #expect(try await server.waitFor("selfcd_lanes_free", 0))
      try await body(server, holder)
      holder.end(.close)
    }
  }

  @Test(
    "are answered at once and kept alive", arguments: ["/v1/chat/completions", "/v1/completions"])
  func queued(path: String) async throws {
    try await Self.whileBusy { server, holder in
      let body: JSONValue =
        path == "/v1/completions"
        ? ["prompt": "Hi", "max_tokens": 2, "stream": true]
        : question(fields: ["max_tokens": 2, "stream": true])
      let waiting = try await RawConnection(port: server.port)
      try await waiting.send(
        rawRequest("POST", path, body: Array(try JSONEncoder().encode(body))))
      // Head and first event, while the lane is not free.
      var text = try await waiting.receive(until: "data: {")
      #expect(text.hasPrefix("HTTP/1.1 200") && text.lowercased().contains("content-type: text/event-stream"))
      #expect(try await server.metric("selfcd_queue_length") == 1)
      text += try await waiting.receive(until: Self.comment, times: 3)
      #expect(try await server.metric("selfcd_queue_length") == 1)
      holder.end(.reset)
      text += try await waiting.receive(until: "data: [DONE]")
      #expect(text.contains(#""finish_reason":"length""#) && !text.contains("\"error\""))
      waiting.end(.close)
    }
  }

  @Test("that speak are sent no comments")
  func silence() {
    let start = ContinuousClock.now
    var silence = Silence(limit: .seconds(15), since: start)
    #expect(!silence.isLong(at: start + .seconds(7)))
    #expect(silence.isLong(at: start + .seconds(8)))
    silence.end(at: start + .seconds(14))
    #expect(!silence.isLong(at: start + .seconds(15)))
    #expect(silence.isLong(at: start + .seconds(30)))
  }

  @Test("keep real statuses for what is known before the wait")
  func statuses() async throws {
    try await Self.whileBusy(settings: ServerSettings(queueLimit: 1)) { server, _ in
      let waiting = try await RawConnection(port: server.port)
      try await waiting.send(try SchedulingTests.streamed(SchedulingTests.long))
      #expect(try await server.waitFor("selfcd_queue_length", 1))
      let full = try await server.post(question(fields: ["stream": true]))
      #expect(full.status == 429 && full.errorCode == "queue_full" && full.head.retryAfter() != nil)
      #expect(full.json["error"]["message"].string?.hasPrefix("1 request is waiting already.") == true)
      for (fields, status) in [
        (["temperature": "hot"], 400), (["selfcd": ["strategy": "helpful"]], 403), (["model": "none"], 404),
      ] as [([String: JSONValue], Int)] {
        let answer = try await server.post(question(fields: fields).setting("stream", true))
        #expect(answer.status == status && answer.json["error"]["message"].string != nil)
      }
      waiting.end(.close)
    }
  }

  /// The error in a stream's last event.
  static func lastError(_ text: String) throws -> JSONValue {
    let event = try #require(text.components(separatedBy: "data: ").last?.components(separatedBy: "\n").first)
    let error = try JSONDecoder().decode(JSONValue.self, from: Data(event.utf8))["error"]
    #expect(text.hasPrefix("HTTP/1.1 200") && !text.contains("[DONE]"))
    #expect(error.keys == ["code", "message", "param", "type"])
    return error
  }

  @Test("end with an error's event where it comes behind the head")
  func lateError() async throws {
    try await Self.whileBusy(settings: ServerSettings(keepAlive: 0.2, grace: 0.3)) { server, _ in
      let waiting = try await RawConnection(port: server.port)
      try await waiting.send(try SchedulingTests.streamed(question()))
      let start = try await waiting.receive(until: "data: {")
      async let stopped: Void = server.stop()
      let error = try Self.lastError(start + (try await waiting.receiveAll()))
      #expect(error["code"].string == "shutting_down" && error["type"].string == "server_error")
      try await stopped
      waiting.end(.close)
    }
  }

  @Test("end when their time is over")
  func timeout() async throws {
    let gate = LoadGate()
    let settings = ServerSettings(requestTimeout: 4, keepAlive: 0.2)
    try await TestServer.with(
      [HistoryProvider(), HistoryProvider(name: "second", gate: gate)], settings: settings
    ) { (server: TestServer) async throws in
      defer { gate.open() }
      var text = ""
      var tries = 0
      // On a busy machine the time may be over before the stream begins.
      repeat {
        tries += 1
        let waiting = try await RawConnection(port: server.port)
        try await waiting.send(try SchedulingTests.streamed(question(fields: ["model": "second"])))
        text = try await waiting.receiveAll()
        waiting.end(.close)
      } while text.hasPrefix("HTTP/1.1 504") && tries < 10
      #expect(try Self.lastError(text)["code"].string == "timeout")
    }
  }

  @Test(
    "leave the line when their client does, and cost it nothing", arguments: RawConnection.Ending.allCases)
  func leaving(how: RawConnection.Ending) async throws {
    let settings = ServerSettings(
      keepAlive: 0.2, limits: ClientLimits(tokensPerMinute: 7000))
    try await Self.whileBusy(settings: settings) { server, holder in
      for _ in 0..<3 {
        let waiting = try await RawConnection(port: server.port)
        try await waiting.send(try SchedulingTests.streamed(SchedulingTests.long))
        _ = try await waiting.receive(until: "data: {")
        waiting.end(how)
        #expect(try await server.waitFor("selfcd_queue_length", 0))
        if how == .halfClose { waiting.end(.close) }
      }
      // Three worst cases, and the first one, would have been more than the limit.
      let last = try await RawConnection(port: server.port)
      try await last.send(try SchedulingTests.streamed(SchedulingTests.long))
      #expect(try await last.receive(until: "data: {").hasPrefix("HTTP/1.1 200"))
      last.end(.close)
    }
  }

  @Test("are kept alive while their model is loaded, and told when it cannot be", arguments: [0, 1])
  func loading(failingLoads: Int) async throws {
    let gate = LoadGate()
    let second = HistoryProvider(name: "second", gate: gate, failingLoads: failingLoads)
    try await TestServer.with([HistoryProvider(), second], settings: ServerSettings(keepAlive: 0.2)) {
      (server: TestServer) async throws in
      defer { gate.open() }
      let waiting = try await RawConnection(port: server.port)
      try await waiting.send(
        try SchedulingTests.streamed(question(fields: ["model": "second", "max_tokens": 2])))
      var text = try await waiting.receive(until: Self.comment)
      #expect(text.hasPrefix("HTTP/1.1 200") && !text.contains("data: "))
      gate.open()
      text += try await waiting.receive(until: failingLoads == 0 ? "data: [DONE]" : "data: {\"error\"")
      #expect(text.contains("model_not_loaded") == (failingLoads == 1))
      waiting.end(.close)
    }
  }
}
