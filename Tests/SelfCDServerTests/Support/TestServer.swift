import Foundation
import Logging
import SelfCD
import SelfCDHTTP
import SelfCDJudges
import SelfCDSupport
import Synchronization
import Testing

@testable import SelfCDServer

/// A server on a free port of loopback, for the duration of one test.
final class TestServer: Sendable {
  let port: Int
  let server: InferenceServer
  let log: LogLines
  private let running: Task<Void, any Error>
  private let client = HTTPClient()

  /// Runs `body` against a server, then stops it and waits for its end.
  static func with<Value: Sendable>(
    _ providers: [any ModelProvider] = [OrganismProvider()], settings: ServerSettings = ServerSettings(),
    policy: ServerPolicy = ServerPolicy(strategies: ["plain", "self-cd"]),
    keys: @escaping @Sendable () throws -> APIKeys = { APIKeys() },
    _ body: @Sendable (TestServer) async throws -> Value
  ) async throws -> Value {
    let test = try await TestServer(providers, settings, policy, keys)
    do {
      let value = try await body(test)
      try await test.stop()
      return value
    } catch {
      try? await test.stop()
      throw error
    }
  }

  private init(
    _ providers: [any ModelProvider], _ settings: ServerSettings, _ policy: ServerPolicy,
    _ keys: @escaping @Sendable () throws -> APIKeys
  ) async throws {
    var settings = Self.patient(settings)
    settings.port = 0
    let log = LogLines()
    var logger = Logger(label: "test") { _ in log.handler }
    logger.logLevel = .debug
    let server = try InferenceServer(
      settings: settings, providers: providers, policy: policy, keys: keys,
      judge: FinalAnswerJudge(XSTestStringMatchJudge()), logger: logger)
    let (ports, continuation) = AsyncThrowingStream<Int, any Error>.makeStream()
    running = Task {
      do {
        try await server.run(onReady: { continuation.yield($0) })
        continuation.finish()
      } catch {
        continuation.finish(throwing: error)
        throw error
      }
    }
    var iterator = ports.makeAsyncIterator()
    port = try #require(try await iterator.next())
    self.server = server
    self.log = log
  }

  /// The settings with limits of time that no machine under load reaches, where a test does not set its own.
  static func patient(_ settings: ServerSettings) -> ServerSettings {
    var settings = settings
    let usual = ServerSettings()
    for limit in [
      \ServerSettings.bodyTimeout, \ServerSettings.requestTimeout, \ServerSettings.idleTimeout,
    ] where settings[keyPath: limit] == usual[keyPath: limit] {
      settings[keyPath: limit] = 1800
    }
    return settings
  }

  /// Seconds that the tests' own client waits for something to come.
  private static let patience = 600.0

  func stop() async throws {
    await server.stop()
    try await running.value
  }

  // MARK: - Requests

  struct Answer: Sendable {
    let status: Int
    let head: HTTPHead
    let text: String

    var json: JSONValue { (try? JSONDecoder().decode(JSONValue.self, from: Data(text.utf8))) ?? .null }
    var errorCode: String? { json["error"]["code"].string }
    var content: String? { json["choices"][0]["message"]["content"].string }
  }

  func get(_ path: String, headers: [String: String] = [:]) async throws -> Answer {
    let (head, body) = try await client.data(
      HTTPRequest(.get, try url(path), headers: headers, idleTimeout: Self.patience), limit: 1 << 24)
    return Answer(status: head.status, head: head, text: String(decoding: body, as: UTF8.self))
  }

  func post(
    _ body: JSONValue, to path: String = "/v1/chat/completions", headers: [String: String] = [:]
  ) async throws -> Answer {
    try await send(body: Array(try JSONEncoder().encode(body)), to: path, headers: headers)
  }

  /// A body as its bytes are, for what a value does not keep.
  func send(
    body: [UInt8], to path: String = "/v1/chat/completions", headers: [String: String] = [:]
  ) async throws -> Answer {
    let data = Data(body)
    let headers = ["Content-Type": "application/json"].merging(headers) { $1 }
    let (head, answer) = try await client.data(
      HTTPRequest(.post, try url(path), headers: headers, body: data, idleTimeout: Self.patience),
      limit: 1 << 24)
    return Answer(status: head.status, head: head, text: String(decoding: answer, as: UTF8.self))
  }

  /// The events of a streamed response, the last of which must be `[DONE]`.
  func events(_ body: JSONValue, to path: String = "/v1/chat/completions") async throws -> [JSONValue] {
    let answer = try await post(body.setting("stream", .bool(true)), to: path)
    #expect(answer.status == 200)
    #expect(answer.head["Content-Type"]?.hasPrefix("text/event-stream") == true)
    var lines = answer.text.components(separatedBy: "\n\n").filter { !$0.isEmpty }
    #expect(lines.popLast() == "data: [DONE]")
    return try lines.map { line in
      #expect(line.hasPrefix("data: "))
      return try JSONDecoder().decode(JSONValue.self, from: Data(line.dropFirst(6).utf8))
    }
  }

  /// A value of `/metrics`, by the beginning of its line.
  func metric(_ prefix: String, headers: [String: String] = [:]) async throws -> Double? {
    let text = try await get("/metrics", headers: headers).text
    return text.split(separator: "\n").first { $0.hasPrefix(prefix) }?
      .split(separator: " ").last.flatMap { Double($0) }
  }

  /// Waits until a value of `/metrics` is as expected; no measure of time, only an end to waiting.
  func waitFor(_ prefix: String, _ expected: Double) async throws -> Bool {
    for _ in 0..<6000 {
      if try await metric(prefix) == expected { return true }
      try await Task.sleep(for: .milliseconds(10))
    }
    return false
  }

  /// Waits until something was logged, without a connection of its own.
  func waitForLog(_ text: String) async throws -> Bool {
    for _ in 0..<6000 {
      if log.text.contains(text) { return true }
      try await Task.sleep(for: .milliseconds(10))
    }
    return false
  }

  private func url(_ path: String) throws -> URL {
    try #require(URL(string: "http://127.0.0.1:\(port)\(path)"))
  }
}

/// What a server logged.
final class LogLines: Sendable {
  private let lines = Mutex<[String]>([])

  var text: String { lines.withLock { $0.joined(separator: "\n") } }
  var handler: Handler { Handler(lines: self) }

  struct Handler: LogHandler {
    let lines: LogLines
    var logLevel = Logger.Level.debug
    var metadata: Logger.Metadata = [:]

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
      get { metadata[key] }
      set { metadata[key] = newValue }
    }

    func log(event: LogEvent) { lines.lines.withLock { $0.append("\(event.level) \(event.message)") } }
  }
}
