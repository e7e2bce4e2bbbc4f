import Foundation
import SelfCD
import Testing

@testable import SelfCDServer

/// Ways around what the operator allows, each of which once worked.
@Suite("Operator limits")
struct OperatorLimitTests {
  @Test(
    "a mask or a contrast of one token is no way around the limit of alpha", arguments: ["beta", "steps"])
  func masks(field: String) async throws {
    let mild = ServerPolicy(defaultStrategy: SelfContrastive(alpha: 0.5))
    try await TestServer.with([HistoryProvider()], policy: mild) { (server: TestServer) async throws in
      let answer = try await server.post(question(fields: ["max_tokens": 2, "selfcd": [field: 1]]))
      #expect(answer.status == 403 && answer.errorCode == "parameter_not_allowed")
    }
    let open = ServerPolicy(defaultStrategy: SelfContrastive(alpha: 0.5), strategies: ["plain"])
    try await TestServer.with([HistoryProvider()], policy: open) { (server: TestServer) async throws in
      let answer = try await server.post(question(fields: ["max_tokens": 2, "selfcd": [field: 1]]))
      #expect(answer.status == 200)
    }
  }

  @Test("who leaves early pays for what was generated until then")
  func leaving() async throws {
    let limits = ClientLimits(logProbabilitiesPerMinute: 16_000)
    try await TestServer.with(
      [HistoryProvider(lanes: 2, delay: 0.0005)], settings: ServerSettings(limits: limits)
    ) { (server: TestServer) async throws in
      let long = SchedulingTests.long.setting("logprobs", true).setting("top_logprobs", 4)
      let connection = try await RawConnection(port: server.port)
      try await connection.send(try SchedulingTests.streamed(long))
      // Half of its reply, which is more than the limit grows by in the time this takes.
      // An event holds nine objects.
      var objects = 0
      while objects < 9 * 1500 { objects += try await connection.receive().count(where: { $0 == "{" }) }
      connection.end(.reset)
      #expect(try await server.waitFor("selfcd_lanes_free", 2))
      // 3,000 tokens of 5 log-probabilities fit into the limit once more only if nothing was charged.
      let again = try await server.post(long.setting("max_tokens", 3190))
      #expect(again.status == 429)
    }
  }

  @Test("a reader that stalls keeps nobody from the only lane")
  func stalledReader() async throws {
    try await TestServer.with([HistoryProvider(lanes: 1)], settings: ServerSettings(requestTimeout: 300)) {
      (server: TestServer) async throws in
      let stalled = try await RawConnection(port: server.port)
      try await stalled.send(
        try SchedulingTests.streamed(
          SchedulingTests.long.setting("logprobs", true).setting("top_logprobs", 20)))
      let answer = try await server.post(question(fields: ["max_tokens": 3]))
      #expect(answer.status == 200)
      stalled.end(.reset)
    }
  }

  @Test("every event of a streamed completion has a choice")
  func completionEvents() async throws {
    try await TestServer.with([HistoryProvider()]) { (server: TestServer) async throws in
      let events = try await server.events(["prompt": "Hi", "max_tokens": 3, "n": 2], to: "/v1/completions")
      #expect(!events.isEmpty)
      for event in events { #expect(event["choices"][0]["text"].string != nil) }
    }
  }

  @Test("a model's alias is looked up to its end")
  func aliases() async throws {
    try await TestServer.with([HistoryProvider()]) { (server: TestServer) async throws in
      let known = try await server.get("/v1/models/history:guarded").status
      let unknown = try await server.get("/v1/models/history:nonsense").status
      #expect(known == 200 && unknown == 400)
    }
  }

  @Test("a body that nobody reads does not keep its connection")
  func unreadBody() async throws {
    try await TestServer.with([HistoryProvider()]) { (server: TestServer) async throws in
      let connection = try await RawConnection(port: server.port)
      let head =
        "POST /nowhere HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n"
      try await connection.send(Array(head.utf8))
      let answer = try await connection.receive()
      #expect(answer.hasPrefix("HTTP/1.1 404") && answer.lowercased().contains("connection: close"))
      connection.end(.close)
    }
  }

  @Test("only addresses of loopback are loopback")
  func loopback() {
    for (host, isLoopback) in [
      ("127.0.0.1", true), ("127.1.2.3", true), ("localhost", true), ("::1", true),
      ("127.example.org", false),
      ("127.0.0.1.example.org", false), ("0.0.0.0", false),
    ] {
      var settings = ServerSettings()
      settings.host = host
      #expect(settings.isLoopback == isLoopback, "\(host)")
    }
  }
}
