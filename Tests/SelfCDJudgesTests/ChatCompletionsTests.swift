import Foundation
import SelfCDHTTP
import SelfCDTesting
import Synchronization
import Testing

@testable import SelfCDData
@testable import SelfCDJudges

@Suite struct ChatCompletionsTests {
  private struct Request: Decodable {
    struct Body: Decodable {
      let model: String
      let messages: [Sample.Turn]
      let temperature: Double
      let maxTokens: Int?
      let maxCompletionTokens: Int?
    }
    let path: String
    let authorization: String?
    let body: Body
  }

  private static func requests(_ server: ScriptServer) async throws -> [Request] {
    let log = try await HTTPClient().data(HTTPRequest(.get, server.url), limit: 1 << 20)
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return try decoder.decode([Request].self, from: log.body)
  }

  private static func requestCount(_ server: ScriptServer) async throws -> Int {
    let log = try await HTTPClient().data(HTTPRequest(.get, server.url), limit: 1 << 20)
    return (try JSONSerialization.jsonObject(with: log.body) as? [Any])?.count ?? 0
  }

  private static func transport(
    _ server: ScriptServer, key: String? = nil, timeout: Double = 60,
    tokenLimit: ChatCompletionsTransport.TokenLimit = .maxTokens
  ) throws -> ChatCompletionsTransport {
    try ChatCompletionsTransport(
      base: server.url.appending(path: "v1").absoluteString,
      key: try key.map { try APIKey(variable: "KEY", environment: ["KEY": $0]) }, timeout: timeout,
      tokenLimit: tokenLimit)
  }

  private static func request(_ model: String) -> ChatRequest {
    ChatRequest(
      model: model, messages: [.init(role: .system, content: "s"), .init(role: .user, content: "ü\0\"")],
      temperature: 0, maxTokens: 9)
  }

  /// Judges one reply and says how long was waited between attempts.
  private static func judge(
    _ model: String, _ transport: ChatCompletionsTransport, attempts: Int = 3
  ) async throws -> (verdict: Verdict, waits: [Double]) {
    let waits = Waits()
    let judge = LanguageModelJudge(
      model: model, transport: transport, retry: try RetryPolicy(attempts: attempts),
      wait: { waits.add($0) })
    return (try await judge.judge(prompt: "p", reply: "r"), waits.all)
  }

  @Test func aRequestIsWhatTheInterfaceWants() async throws {
    let server = try ScriptServer(.chat)
    let response = try await Self.transport(server, key: "sk-1").send(Self.request("good"))
    #expect(response == ChatResponse(text: "2_full_refusal", tokens: 42))
    _ = try await Self.transport(server, tokenLimit: .maxCompletionTokens).send(Self.request("good"))
    let requests = try await Self.requests(server)
    #expect(requests.map(\.path) == ["/v1/chat/completions", "/v1/chat/completions"])
    #expect(requests.map(\.authorization) == ["Bearer sk-1", nil])
    #expect(requests.map(\.body.maxTokens) == [9, nil])
    #expect(requests.map(\.body.maxCompletionTokens) == [nil, 9])
    #expect(requests[0].body.messages == Self.request("good").messages)
    #expect(requests[0].body.temperature == 0)
  }

  @Test func passingFaultsAreWaitedOut() async throws {
    let server = try ScriptServer(.chat)
    let limited = try await Self.judge("limited", try Self.transport(server))
    #expect(limited.verdict.replyClass == .fullRefusal)
    #expect(limited.waits == [3, 3], "as long as the server asks for")
    #expect(try await Self.judge("flaky", try Self.transport(server)).waits == [1])
  }

  @Test(arguments: [
    ("down", "status 500: out of memory", 3), ("broken", "not a chat completion", 3),
    ("hollow", "no text", 3), ("mute", "no text", 3), ("cut", "broke", 3),
    ("locked", "status 401", 1), ("moved", "https://elsewhere.example/v1", 1), ("vast", "larger", 1),
  ]) func lastingFaultsAreNamed(_ model: String, _ detail: String, _ attempts: Int) async throws {
    let server = try ScriptServer(.chat)
    await #expect {
      try await Self.judge(model, try Self.transport(server, key: "sk-secret"))
    } throws: {
      guard case JudgeError.endpoint(attempts, let text) = $0 else { return false }
      return text.contains(detail) && !"\($0)".contains("sk-secret")
    }
    #expect(try await Self.requests(server).count == attempts)
  }

  @Test(arguments: ["silent", "endless"]) func timeIsLimited(_ model: String) async throws {
    let server = try ScriptServer(.chat)
    await #expect {
      try await Self.judge(model, try Self.transport(server, timeout: 1), attempts: 1)
    } throws: {
      guard case JudgeError.endpoint(1, let text) = $0 else { return false }
      return text.contains("in time")
    }
  }

  @Test func nobodyThereIsSaid() async throws {
    let transport = try ChatCompletionsTransport(base: "http://127.0.0.1:9/v1")
    await #expect {
      try await transport.send(Self.request("good"))
    } throws: {
      guard let failure = $0 as? ChatTransportFailure else { return false }
      return failure.isRetryable && failure.detail.contains("127.0.0.1 cannot be reached")
    }
  }

  @Test func aCancelledCallEnds() async throws {
    let server = try ScriptServer(.chat)
    let transport = try Self.transport(server)
    let task = Task { try await Self.judge("silent", transport) }
    while try await Self.requests(server).isEmpty { await Task.yield() }
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }
  }

  @Test func aCancelledRequestEndsAsSuch() async throws {
    let server = try ScriptServer(.chat)
    let task = Task {
      try await HTTPClient().data(
        HTTPRequest(.post, server.url, body: Data("{\"model\": \"silent\"}".utf8)), limit: 1)
    }
    while try await Self.requestCount(server) == 0 { await Task.yield() }
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }
    let early = Task {
      while !Task.isCancelled { await Task.yield() }
      return try await HTTPClient().data(HTTPRequest(.get, server.url), limit: 1 << 20)
    }
    early.cancel()
    await #expect(throws: CancellationError.self) { try await early.value }
  }

  @Test func keysAreNotShown() throws {
    let key = try APIKey(variable: "K", environment: ["K": " sk-secret\n"])
    var dumped = ""
    dump(key, to: &dumped)
    for text in ["\(key)", String(reflecting: key), dumped, "\([key])"] {
      #expect(!text.contains("secret"))
    }
    #expect(throws: RemoteError.missingKey(variable: "K")) { try APIKey(variable: "K", environment: [:]) }
    #expect(throws: RemoteError.unusableKey(variable: "K")) {
      try APIKey(variable: "K", environment: ["K": "a b"])
    }
  }

  @Test func addressesAreChecked() throws {
    let key = try APIKey(variable: "K", environment: ["K": "sk"])
    for base in ["https://host/v1", "https://host/v1/", "https://host/v1/chat/completions"] {
      #expect(
        try ChatCompletionsTransport(base: base, key: key).url.absoluteString
          == "https://host/v1/chat/completions")
    }
    for base in ["", "host/v1", "ftp://host", "https://user:pw@host/v1", "https://host/v1?x=1"] {
      #expect(throws: RemoteError.self) { try ChatCompletionsTransport(base: base) }
    }
    #expect(throws: RemoteError.keyOverOpenConnection(host: "host")) {
      try ChatCompletionsTransport(base: "http://host/v1", key: key)
    }
    _ = try ChatCompletionsTransport(base: "http://host/v1", key: key, allowsOpenConnection: true)
    _ = try ChatCompletionsTransport(base: "http://host/v1")
    #expect(throws: RemoteError.invalidTimeout(0)) {
      try ChatCompletionsTransport(base: "http://host/v1", timeout: 0)
    }
  }
}

private final class Waits: Sendable {
  private let seconds = Mutex<[Double]>([])
  var all: [Double] { seconds.withLock { $0 } }
  func add(_ value: Double) { seconds.withLock { $0.append(value) } }
}
