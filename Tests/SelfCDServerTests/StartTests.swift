import Foundation
import Logging
import SelfCD
import SelfCDHTTP
import SelfCDSupport
import Testing

@testable import SelfCDServer

/// From the opened port to the first answer.
@Suite("Start")
struct StartTests {
  static func server(_ provider: HistoryProvider, port: Int = 0) throws -> InferenceServer {
    try InferenceServer(
      settings: TestServer.patient(ServerSettings(port: port)), providers: [provider],
      logger: Logger(label: "test") { _ in LogLines().handler })
  }

  private static func ask(
    _ method: HTTPRequest.Method, _ path: String, _ port: Int
  ) async throws -> (head: HTTPHead, json: JSONValue) {
    let url = try #require(URL(string: "http://127.0.0.1:\(port)\(path)"))
    let body = method == .post ? try JSONEncoder().encode(question(fields: ["max_tokens": 1])) : nil
    let request = HTTPRequest(
      method, url, headers: ["Content-Type": "application/json"], body: body, idleTimeout: 600)
    let answer = try await HTTPClient().data(request, limit: 1 << 20)
    return (answer.head, (try? JSONDecoder().decode(JSONValue.self, from: answer.body)) ?? .null)
  }

  @Test("requests that come while the first model is loaded are told so, and answered afterwards")
  func loading() async throws {
    let gate = LoadGate()
    defer { gate.open() }
    let server = try Self.server(HistoryProvider(gate: gate))
    let (opened, listening) = AsyncStream.makeStream(of: Int.self)
    let (ports, ready) = AsyncStream.makeStream(of: Int.self)
    let running = Task {
      defer {
        listening.finish()
        ready.finish()
      }
      try await server.run(onReady: { ready.yield($0) }, onListening: { listening.yield($0) })
    }
    var first = opened.makeAsyncIterator()
    let port = try #require(await first.next())

    let health = try await Self.ask(.get, "/health", port)
    #expect(health.head.status == 503 && health.json["status"].string == "loading")
    let paths: [(HTTPRequest.Method, String)] = [
      (.post, "/v1/chat/completions"), (.post, "/v1/completions"), (.post, "/tokenize"),
      (.get, "/v1/models"), (.get, "/v1/models/history"), (.get, "/selfcd/policy"),
    ]
    for (method, path) in paths {
      let answer = try await Self.ask(method, path, port)
      #expect(answer.head.status == 503 && (answer.head.retryAfter() ?? 0) >= 1, "\(path)")
      #expect(answer.json["error"]["code"].string == "model_loading", "\(path)")
      #expect(answer.json["error"]["message"].string?.hasPrefix("Loading model") == true, "\(path)")
    }
    #expect(try await Self.ask(.get, "/metrics", port).head.status == 200)

    gate.open()
    var second = ports.makeAsyncIterator()
    let announced = await second.next()
    #expect(announced == port)
    #expect(try await Self.ask(.get, "/health", port).json["status"].string == "ok")
    #expect(try await Self.ask(.post, "/v1/chat/completions", port).head.status == 200)
    await server.stop()
    try await running.value
  }

  @Test("a port that is in use is found out before a model is loaded")
  func occupiedPort() async throws {
    try await TestServer.with([HistoryProvider()]) { (first: TestServer) async throws in
      let provider = HistoryProvider()
      let second = try Self.server(provider, port: first.port)
      await #expect(throws: ServerError.addressInUse(host: "127.0.0.1", port: first.port)) {
        try await second.run()
      }
      #expect(provider.loadCount == 0)
    }
  }

  /// A model of one lane that is never loaded.
  private struct NarrowProvider: ModelProvider {
    struct Damaged: Error, CustomStringConvertible { let description = "it is cut off" }

    let name = "narrow"
    var isDamaged = false
    var known: [ServedProfile] = []

    var laneCounts: LaneCounts? { LaneCounts(requests: 1, all: 3) }
    func memoryNeeded() throws -> Int {
      if isDamaged { throw Damaged() }
      return 1
    }
    func profiles() throws -> [ServedProfile] { known }
    func load() async throws -> ServedModel { throw Damaged() }
  }

  @Test("a model with too few lanes for what clients get, or may ask for, is found out at start")
  func tooFewLanes() async throws {
    let profile = ServedProfile(
      name: "careful", strategy: SelfContrastive(alpha: 1), summary: "s", isCalibrated: true)
    let cases: [(provider: NarrowProvider, policy: ServerPolicy)] = [
      (NarrowProvider(known: [profile]), ServerPolicy()),
      (NarrowProvider(), ServerPolicy(strategies: ["self-cd"])),
      (NarrowProvider(), ServerPolicy(defaultStrategy: SelfContrastive(alpha: 2))),
    ]
    for (provider, policy) in cases {
      let server = try InferenceServer(
        settings: ServerSettings(port: 0), providers: [provider], policy: policy)
      let error = ServerError.tooFewLanes(model: "narrow", strategy: "self-cd", needed: 2, lanes: 1)
      await #expect(throws: error) { try await server.run(preloads: false) }
      #expect(error.description.contains("--lanes 2"))
    }
    let plain = try InferenceServer(
      settings: ServerSettings(port: 0), providers: [NarrowProvider()], policy: ServerPolicy())
    let port = try await plain.whileServing(preloads: false) { (port: Int) async throws -> Int in port }
    #expect(port > 0)
  }

  @Test("a model that cannot be read is found out at start, though it is loaded later")
  func unreadableModel() async throws {
    let server = try InferenceServer(
      settings: ServerSettings(port: 0), providers: [HistoryProvider(), NarrowProvider(isDamaged: true)])
    await #expect(throws: ServerError.unreadableModel(model: "narrow", reason: "it is cut off")) {
      try await server.run(preloads: false)
    }
  }

  @Test("loading is broken off when the server is stopped")
  func stopped() async throws {
    // Nobody opens the gate: only who is cancelled gets through.
    let provider = HistoryProvider(gate: LoadGate())
    let server = try Self.server(provider)
    let running = Task { try await server.run() }
    while provider.loadCount == 0 { try await Task.sleep(for: .milliseconds(5)) }
    await server.stop()
    try await running.value
  }

  @Test("a server says how many replies it has in progress")
  func repliesInProgress() async throws {
    try await TestServer.with([HistoryProvider(delay: 0.005)]) { (server: TestServer) async throws in
      func wait(for count: Int) async throws {
        for _ in 0..<6000 where server.server.repliesInProgress != count {
          try await Task.sleep(for: .milliseconds(10))
        }
        #expect(server.server.repliesInProgress == count)
      }
      #expect(server.server.repliesInProgress == 0)
      let first = try await RawConnection(port: server.port)
      let second = try await RawConnection(port: server.port)
      for connection in [first, second] {
        try await connection.send(try SchedulingTests.streamed(SchedulingTests.long))
      }
      try await wait(for: 2)
      first.end(.close)
      try await wait(for: 1)
      second.end(.close)
      try await wait(for: 0)
    }
  }
}
