import Foundation
import SelfCD
import SelfCDSupport
import Testing

@testable import SelfCDServer

/// What clients of all ages and kinds send besides plain HTTP/1.1.
@Suite("Dialects of HTTP")
struct HTTPDialectTests {
  static let http2Offer = [
    "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA",
  ]
  static let webSocketOffer = [
    "connection: keep-alive, upgrade", "upgrade: websocket", "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
  ]
  static let json = "Content-Type: application/json"
  static let get = rawRequest("GET", "/health")

  static func post(_ headers: [String], _ body: JSONValue = ConnectionTests.short) throws -> [UInt8] {
    rawRequest(headers: [json] + headers, body: Array(try JSONEncoder().encode(body)))
  }

  static func statuses(_ text: String) -> [String] {
    text.components(separatedBy: "HTTP/1.1 ").dropFirst().map { String($0.prefix(3)) }
  }

  // MARK: - Upgrade

  @Test("an offer of another protocol is passed over", arguments: [http2Offer, webSocketOffer])
  func upgradeOffer(offer: [String]) async throws {
    try await TestServer.with([HistoryProvider()]) { (server: TestServer) async throws in
      let connection = try await RawConnection(port: server.port)
      // JDK clients offer it on each new connection, with bodies and without; curl on each request.
      for _ in 0..<3 {
        try await connection.send(rawRequest("GET", "/health", headers: offer))
        #expect(try await connection.receive(until: "}").hasPrefix("HTTP/1.1 200"))
        try await connection.send(try Self.post(offer))
        #expect(try await connection.receive(until: "\"usage\"").hasPrefix("HTTP/1.1 200"))
      }
      try await connection.send(try Self.post([]))
      let last = try await connection.receive(until: "\"usage\"")
      #expect(last.hasPrefix("HTTP/1.1 200") && !last.lowercased().contains("connection: close"))
      connection.end(.close)
    }
  }

  @Test("requests right behind an offer are answered, however the bytes come")
  func pipelinedBehindOffer() async throws {
    try await TestServer.with([HistoryProvider()]) { (server: TestServer) async throws in
      let offering = try Self.post(Self.http2Offer)
      let all = offering + (try Self.post([])) + rawRequest("GET", "/health", headers: Self.webSocketOffer)
      for split in [all.count, offering.count, offering.count + 40, offering.count - 3, 30] {
        let connection = try await RawConnection(port: server.port)
        try await connection.send(Array(all.prefix(split)))
        try await connection.send(Array(all.dropFirst(split)))
        let text = try await connection.receive(until: "{\"status\":\"ok\"}")
        #expect(Self.statuses(text) == ["200", "200", "200"], "split at \(split)")
        connection.end(.close)
      }
    }
  }

  @Test("an offer that is no offer, and CONNECT, leave the connection as it was")
  func noOffer() async throws {
    try await TestServer.with([HistoryProvider()]) { (server: TestServer) async throws in
      let connection = try await RawConnection(port: server.port)
      // Without both fields the parser goes on by itself.
      try await connection.send(
        rawRequest("GET", "/health", headers: ["Upgrade: h2c"]) + Self.get
          + rawRequest("GET", "/health", headers: ["Connection: upgrade"]) + Self.get)
      let text = try await connection.receive(until: "{\"status\":\"ok\"}", times: 4)
      #expect(Self.statuses(text) == ["200", "200", "200", "200"])
      try await connection.send(
        Array("CONNECT localhost:1 HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8))
      #expect(try await connection.receive(until: "}").hasPrefix("HTTP/1.1 4"))
      try await connection.send(Self.get)
      #expect(try await connection.receive(until: "}").hasPrefix("HTTP/1.1 200"))
      connection.end(.close)
    }
  }

  @Test("an offer may come with the wish to close")
  func offerAndClose() async throws {
    try await TestServer.with([HistoryProvider()]) { (server: TestServer) async throws in
      let connection = try await RawConnection(
        port: server.port,
        sending: rawRequest("GET", "/health", headers: ["Connection: close, Upgrade", "Upgrade: h2c"]))
      #expect(try await connection.receiveAll().hasPrefix("HTTP/1.1 200"))
      connection.end(.close)
    }
  }

  // MARK: - HEAD

  @Test(
    "HEAD never has a body, whatever the answer",
    arguments: [
      ("/nope", "404"), ("/api/version", "404"), ("/v1/chat/completions", "405"), ("/tokenize", "405"),
      ("/health", "200"), ("/v1/models", "200"), ("/v1/models/none", "404"), ("/metrics", "200"),
    ])
  func headHasNoBody(path: String, status: String) async throws {
    try await TestServer.with([HistoryProvider()]) { (server: TestServer) async throws in
      let connection = try await RawConnection(port: server.port)
      try await connection.send(rawRequest("HEAD", path) + rawRequest("GET", "/health"))
      let text = try await connection.receive(until: "{\"status\":\"ok\"}")
      let parts = text.components(separatedBy: "\r\n\r\n")
      // Head, head, body: what follows the first head is the next answer.
      #expect(parts.count == 3 && parts[1].hasPrefix("HTTP/1.1 200"), "\(text)")
      #expect(Self.statuses(text) == [status, "200"])
      #expect(!parts[0].lowercased().contains("transfer-encoding"))
      connection.end(.close)
      let foreign = try await RawConnection(
        port: server.port, sending: rawRequest("HEAD", path, host: "evil.example"))
      let refused = try await foreign.receive(until: "\r\n\r\n")
      #expect(refused.hasPrefix("HTTP/1.1 403") && refused.hasSuffix("\r\n\r\n"))
      foreign.end(.close)
    }
  }

  // MARK: - HTTP/1.0

  static func old(_ bytes: [UInt8]) -> [UInt8] {
    Array(String(decoding: bytes, as: UTF8.self).replacing(" HTTP/1.1\r\n", with: " HTTP/1.0\r\n").utf8)
  }

  @Test(
    "HTTP/1.0 gets no chunks and the end of the connection", arguments: [true, false],
    [[], ["Connection: keep-alive"], ["Expect: 100-continue"]])
  func http10(streams: Bool, headers: [String]) async throws {
    try await TestServer.with([HistoryProvider()]) { (server: TestServer) async throws in
      let body = ConnectionTests.short.setting("stream", .bool(streams))
      let connection = try await RawConnection(
        port: server.port, sending: Self.old(try Self.post(headers, body)))
      let text = try await connection.receiveAll()
      let parts = text.components(separatedBy: "\r\n\r\n")
      #expect(text.hasPrefix("HTTP/1.0 200"))
      #expect(parts[0].lowercased().contains("connection: close"))
      #expect(!parts[0].lowercased().contains("transfer-encoding"))
      if streams {
        #expect(parts.count == 2 && parts[1].hasPrefix("data: {") && parts[1].hasSuffix("data: [DONE]\n\n"))
      } else {
        let body = parts.dropFirst().joined(separator: "\r\n\r\n")
        #expect(parts[0].lowercased().contains("content-length: \(body.utf8.count)"))
      }
      #expect(!server.log.text.contains("without an answer"))
      connection.end(.close)
      let failing = try await RawConnection(port: server.port, sending: Self.old(rawRequest("GET", "/nope")))
      #expect(try await failing.receiveAll().hasPrefix("HTTP/1.0 404"))
      failing.end(.close)
    }
  }

  @Test(
    "a client that asks for the end of the connection gets it", arguments: ["close", "Close", "TE, close"])
  func close(value: String) async throws {
    try await TestServer.with([HistoryProvider()]) { (server: TestServer) async throws in
      let connection = try await RawConnection(
        port: server.port, sending: try Self.post(["Connection: \(value)"]))
      let text = try await connection.receiveAll()
      #expect(text.hasPrefix("HTTP/1.1 200") && text.contains("\"usage\""))
      #expect(text.lowercased().contains("connection: close"))
      connection.end(.close)
    }
  }

  // MARK: - Expect

  @Test("a client that waits for leave to send its body gets it")
  func expectContinue() async throws {
    try await TestServer.with([HistoryProvider()]) { (server: TestServer) async throws in
      let body = Array(try JSONEncoder().encode(ConnectionTests.short))
      let connection = try await RawConnection(port: server.port)
      for _ in 0..<2 {
        try await connection.send(
          rawRequest(headers: [Self.json, "Expect: 100-continue"], length: body.count))
        #expect(try await connection.receive(until: "\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n")
        try await connection.send(body)
        let text = try await connection.receive(until: "\"usage\"")
        #expect(text.hasPrefix("HTTP/1.1 200") && !text.contains("100 Continue"))
        #expect(!text.lowercased().contains("connection: close"))
      }
      connection.end(.close)
    }
  }

  static let refused: [(headers: [String], path: String, length: Int, status: String)] = [
    (["Content-Type: text/plain"], "/v1/chat/completions", 10, "415"),
    ([json, "Origin: https://evil.example"], "/v1/chat/completions", 10, "403"),
    ([json], "/v1/chat/completions", 1 << 30, "413"), ([json], "/v1/responses", 10, "404"),
    ([json], "/health", 10, "405"),
  ]

  @Test("what is refused already is said at once, and its body not asked for", arguments: refused.indices)
  func expectRefused(index: Int) async throws {
    let (headers, path, length, status) = Self.refused[index]
    try await TestServer.with([HistoryProvider()]) { (server: TestServer) async throws in
      let connection = try await RawConnection(
        port: server.port,
        sending: rawRequest("POST", path, headers: headers + ["Expect: 100-continue"], length: length))
      let text = try await connection.receiveAll()
      #expect(text.hasPrefix("HTTP/1.1 \(status)"))
      #expect(text.lowercased().contains("connection: close"))
      connection.end(.close)
    }
  }

  // MARK: - Bodies

  @Test("a compressed body is refused as such", arguments: ["gzip", "br", "identity, gzip"])
  func compressed(coding: String) async throws {
    try await TestServer.with([HistoryProvider()]) { (server: TestServer) async throws in
      let connection = try await RawConnection(port: server.port)
      let bytes: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3]
      try await connection.send(
        rawRequest(headers: [Self.json, "Content-Encoding: \(coding)"], body: bytes))
      let text = try await connection.receive(until: "unsupported_content_encoding")
      #expect(text.hasPrefix("HTTP/1.1 415") && text.lowercased().contains("accept-encoding: identity"))
      try await connection.send(try Self.post(["Content-Encoding: identity"]))
      #expect(try await connection.receive(until: "\"usage\"").contains("HTTP/1.1 200"))
      connection.end(.close)
    }
  }

  @Test(
    "what belongs to other interfaces is told where chats go",
    arguments: [
      "/v1/responses", "/v1/messages", "/v1/embeddings", "/api/chat", "/api/generate", "/chat/completions",
    ])
  func otherInterfaces(path: String) async throws {
    try await TestServer.with([HistoryProvider()]) { (server: TestServer) async throws in
      let answer = try await server.post(question(), to: path)
      #expect(answer.status == 404 && answer.errorCode == "unknown_url")
      #expect(answer.json["error"]["message"].string?.contains("POST /v1/chat/completions") == true)
      #expect(answer.json["error"]["message"].string?.contains("POST \(path)") == true)
    }
  }

  @Test("a model's name may have slashes, escaped or not")
  func slashes() async throws {
    let name = "HuggingFaceTB/Tiny-Org"
    try await TestServer.with([HistoryProvider(name: name)]) { (server: TestServer) async throws in
      for path in [name, "HuggingFaceTB%2FTiny-Org", "HuggingFaceTB%2fTiny-Org", name + ":guarded"] {
        let answer = try await server.get("/v1/models/\(path)")
        #expect(answer.status == 200, "\(path)")
        #expect(answer.json["id"].string == path.removingPercentEncoding)
      }
      let missing = try await server.get("/v1/models/HuggingFaceTB/Other")
      #expect(missing.status == 404 && missing.errorCode == "model_not_found")
      #expect(missing.json["error"]["message"].string?.contains("--name") == true)
      #expect(try await server.post(question(), to: "/v1/models/a/b").status == 405)
    }
  }
}
