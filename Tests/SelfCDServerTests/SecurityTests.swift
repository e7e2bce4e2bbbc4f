import Foundation
import SelfCD
import SelfCDSupport
import Synchronization
import Testing

@testable import SelfCDServer

@Suite("Security")
struct SecurityTests {
  /// What a raw request is answered with, down to the status line.
  static func status(_ server: TestServer, _ bytes: [UInt8]) async throws -> String {
    let connection = try await RawConnection(port: server.port)
    defer { connection.end(.close) }
    try await connection.send(bytes)
    return String(try await connection.receive().prefix { $0 != "\r" && $0 != "\r\n" })
  }

  static let body = Array(#"{"messages":[{"role":"user","content":"Hi"}],"max_tokens":1}"#.utf8)
  static let json = "Content-Type: application/json"

  static let strangers: [(host: String?, headers: [String], status: String)] = [
    ("evil.example", [json], "403"), (nil, [json], "403"), ("localhost.evil.example", [json], "403"),
    ("127.0.0.1.nip.io:80", [json], "403"), ("localhost:x", [json], "403"),
    ("localhost", [json, "Origin: https://evil.example"], "403"),
    ("localhost", [json, "Origin: null"], "403"),
    ("localhost:1", [json, "Origin: http://localhost:2"], "403"),
    ("localhost", ["Content-Type: text/plain"], "415"), ("localhost", [], "415"),
    ("localhost", ["Content-Type: application/x-www-form-urlencoded"], "415"),
    ("localhost", [json], "200"), ("LOCALHOST:1234", [json], "200"), ("[::1]:80", [json], "200"),
    ("127.0.0.1", ["Content-Type: application/json; charset=utf-8"], "200"),
    ("localhost:7", [json, "Origin: http://localhost:7"], "200"),
    ("localhost", [json, "Origin: https://localhost"], "200"),
  ]

  @Test("keeps pages of other origins out")
  func browsers() async throws {
    try await TestServer.with([HistoryProvider()]) { (server: TestServer) async throws in
      for (host, headers, expected) in Self.strangers {
        let line = try await Self.status(server, rawRequest(host: host, headers: headers, body: Self.body))
        #expect(line.hasPrefix("HTTP/1.1 \(expected)"), "\(host ?? "none") \(headers): \(line)")
      }
    }
  }

  @Test("lets the pages in that the operator lists")
  func cors() async throws {
    let origin = "https://chat.example"
    try await TestServer.with([HistoryProvider()], settings: ServerSettings(corsOrigins: [origin])) {
      (server: TestServer) async throws in
      let connection = try await RawConnection(port: server.port)
      try await connection.send(
        rawRequest(
          "OPTIONS",
          headers: [
            "Origin: \(origin)", "Access-Control-Request-Method: POST",
            "Access-Control-Request-Headers: authorization,x-stainless-os",
          ]))
      let answer = try await connection.receive()
      #expect(answer.hasPrefix("HTTP/1.1 204"))
      #expect(answer.lowercased().contains("access-control-allow-origin: \(origin)"))
      #expect(answer.lowercased().contains("x-stainless-os"))
      connection.end(.close)
      let listed = try await server.post(question(fields: ["max_tokens": 1]), headers: ["Origin": origin])
      #expect(listed.status == 200 && listed.head["Access-Control-Allow-Origin"] == origin)
      let other = try await server.post(question(), headers: ["Origin": "https://other.example"])
      #expect(other.status == 403 && other.head["Access-Control-Allow-Origin"] == nil)
    }
    try await TestServer.with([HistoryProvider()]) { (server: TestServer) async throws in
      let answer = try await server.post(question(fields: ["max_tokens": 1]))
      #expect(answer.head["Access-Control-Allow-Origin"] == nil)
    }
  }

  static let malformed: [(String, [UInt8], Set<String>)] = [
    ("no JSON", rawRequest(body: Array("{nope".utf8)), ["400"]),
    ("nothing", rawRequest(), ["400"]),
    ("no UTF-8", rawRequest(body: [0x7B, 0x22, 0xFF, 0xFE, 0x22, 0x7D]), ["400"]),
    (
      "many values",
      rawRequest(body: Array(("{\"a\":[" + String(repeating: "0,", count: 30_000) + "0]}").utf8)), ["400"]
    ),
    ("deep", rawRequest(body: Array(String(repeating: "[", count: 200_000).utf8)), ["400"]),
    ("huge, as declared", rawRequest(length: 1 << 40), ["413"]),
    ("huge, as sent", rawRequest(body: [UInt8](repeating: 0x20, count: 3 << 20)), ["413"]),
    (
      "huge, in chunks",
      Array(
        "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\n\(json)\r\nTransfer-Encoding: chunked\r\n\r\n"
          .utf8)
        + Array("200000\r\n".utf8) + [UInt8](repeating: 0x20, count: 0x200000) + Array("\r\n0\r\n\r\n".utf8),
      ["413"]
    ),
    ("many headers", rawRequest(headers: (0..<500).map { "X-\($0): y" } + [json], body: body), ["400"]),
    (
      "a long header",
      rawRequest(headers: ["X: " + String(repeating: "y", count: 60_000), json], body: body), ["400"]
    ),
    ("a negative length", rawRequest(length: -1), ["400"]),
    ("no HTTP", Array("\0\u{1}\u{2}\r\n\r\n".utf8), ["400"]),
    ("another method", rawRequest("DELETE", body: body), ["405"]),
    ("another path", rawRequest("POST", "/../../etc/passwd", body: body), ["404"]),
  ]

  @Test("answers what is malformed with 4xx and goes on", arguments: malformed.indices)
  func malformedRequests(index: Int) async throws {
    let (name, bytes, expected) = Self.malformed[index]
    try await TestServer.with([HistoryProvider()]) { (server: TestServer) async throws in
      let line = try await Self.status(server, bytes)
      #expect(expected.contains(String(line.dropFirst(9).prefix(3))), "\(name): \(line)")
      #expect(try await server.get("/health").status == 200)
    }
  }

  @Test("a connection whose body nobody read is closed")
  func unreadBody() async throws {
    try await TestServer.with([HistoryProvider()]) { (server: TestServer) async throws in
      let connection = try await RawConnection(port: server.port)
      try await connection.send(rawRequest(host: "evil.example", length: 1000, body: Array("{".utf8)))
      let answer = try await connection.receiveAll()
      #expect(answer.hasPrefix("HTTP/1.1 403"))
      #expect(answer.lowercased().contains("connection: close"))
      connection.end(.close)
    }
  }

  @Test("wants a key where there are any, and tells nobody")
  func keys() async throws {
    let secret = "correct-horse-battery-staple"
    let ring = Mutex("alice \(secret)\nbob another-long-secret-key requests/min=2")
    let read: @Sendable () throws -> APIKeys = { try APIKeys(parsing: ring.withLock { $0 }) }
    try await TestServer.with([HistoryProvider()], settings: ServerSettings(logsPrompts: false), keys: read) {
      (server: TestServer) async throws in
      let body = question("My secret question", ["max_tokens": 1])
      func status(_ key: String?) async throws -> Int {
        try await server.post(body, headers: key.map { ["Authorization": "Bearer \($0)"] } ?? [:]).status
      }
      #expect(try await status(nil) == 401)
      #expect(try await status("wrong-horse-battery-staple") == 401)
      #expect(try await status(secret + "x") == 401)
      #expect(try await status(secret) == 200)
      for path in ["/v1/models", "/metrics", "/selfcd/policy"] {
        #expect(try await server.get(path).status == 401)
        #expect(try await server.get(path, headers: ["Authorization": "Bearer \(secret)"]).status == 200)
      }
      #expect(try await server.get("/health").status == 200)

      #expect(try await status("another-long-secret-key") == 200)
      #expect(try await status("another-long-secret-key") == 200)
      let third = try await server.post(body, headers: ["Authorization": "Bearer another-long-secret-key"])
      #expect(third.status == 429 && third.head.retryAfter() != nil)

      ring.withLock { $0 = "carol a-completely-new-secret" }
      await server.server.reload()
      #expect(try await status(secret) == 401)
      #expect(try await status("a-completely-new-secret") == 200)
      ring.withLock { $0 = "carol short" }
      await server.server.reload()
      #expect(try await status("a-completely-new-secret") == 200)

      #expect(server.log.text.contains(" alice"))
      #expect(!server.log.text.contains("horse"))
      #expect(!server.log.text.contains("secret question"))
      #expect(server.log.text.contains("too short"))
    }
  }

  @Test("reaches beyond this machine with keys only")
  func exposure() throws {
    let everywhere = ServerSettings(host: "0.0.0.0")
    #expect(throws: ServerError.keysRequired(host: "0.0.0.0")) { try everywhere.validate(keys: APIKeys()) }
    for host in ["127.example.org", "127.0.0.1.example.org", "127.0.0", "127.0.0.256", "127.0.0.+1"] {
      #expect(throws: ServerError.keysRequired(host: host)) {
        try ServerSettings(host: host).validate(keys: APIKeys())
      }
    }
    try everywhere.validate(keys: try APIKeys(parsing: "0123456789abcdef"))
    for host in ["127.0.0.1", "localhost", "::1", "127.0.0.2"] {
      try ServerSettings(host: host).validate(keys: APIKeys())
    }
  }

  @Test("keys are read line by line and never quoted")
  func keyFiles() throws {
    let keys = try APIKeys(
      parsing: """
        # people
        alice 0123456789abcdef tokens/min=500

        fedcba9876543210fedc
        """, limits: ClientLimits(requestsPerMinute: 9))
    #expect(keys.keys.map(\.name) == ["alice", "key2"])
    #expect(keys.key(for: "0123456789abcdef")?.limits == .init(requestsPerMinute: 9, tokensPerMinute: 500))
    #expect(keys.key(for: "0123456789abcdeF") == nil)
    #expect(keys.key(for: "") == nil)
    let line = "a 0123456789abcdef;b 0123456789abcdeg"
    #expect(try APIKeys(parsing: line, separatedBySemicolons: true).keys.count == 2)
    #expect(try APIKeys(parsing: "a 0123456789;abcdef").key(for: "0123456789;abcdef")?.name == "a")
    for text in [
      "short", "a b c d e", "a 0123456789abcdef tokens/min=0", "a 0123456789abcdef gold/min=5",
      "a häßlicherschlüssel",
      "a 0123456789abcdef\na 0123456789abcdeg",
    ] {
      let error = #expect(throws: KeyError.self) { try APIKeys(parsing: text) }
      #expect(error?.description.contains("0123456789") == false)
    }
    #expect(!"\(keys)".contains("0123"))
    var dumped = ""
    dump(keys, to: &dumped)
    #expect(!dumped.contains("alice"))
  }

  @Test("limits log-probabilities by what was asked for")
  func logProbabilityLimit() async throws {
    let limits = ClientLimits(logProbabilitiesPerMinute: 100)
    try await TestServer.with([HistoryProvider()], settings: ServerSettings(limits: limits)) {
      (server: TestServer) async throws in
      let body = question(fields: ["logprobs": true, "top_logprobs": 4, "max_tokens": 15])
      #expect(try await server.post(body).status == 200)
      let second = try await server.post(body)
      #expect(second.status == 429 && second.errorCode == "rate_limit_exceeded")
      let tooMany = try await server.post(body.setting("max_tokens", 50))
      #expect(tooMany.status == 400 && tooMany.errorCode == "over_limit")
      #expect(try await server.post(question(fields: ["max_tokens": 1])).status == 200)
    }
    try await TestServer.with(
      [HistoryProvider()], policy: ServerPolicy(allowsLogProbabilities: false)
    ) { (server: TestServer) async throws in
      #expect(try await server.post(question(fields: ["logprobs": true])).status == 403)
      #expect(try await server.post(question(fields: ["selfcd": ["explain": true]])).status == 403)
    }
  }
}

@Suite("Client limits")
struct ClientLimitTests {
  @Test("charge the tokens of texts that are only counted")
  func tokenize() async throws {
    let limits = ClientLimits(tokensPerMinute: 60)
    try await TestServer.with([HistoryProvider()], settings: ServerSettings(limits: limits)) {
      (server: TestServer) async throws in
      let body: JSONValue = ["content": .string(String(repeating: "x", count: 600))]
      #expect(try await server.post(body, to: "/tokenize").json["count"].int == 600)
      // More than a minute's worth: it was known only afterwards, and is owed.
      let second = try await server.post(["content": "x"], to: "/tokenize")
      #expect(second.status == 429 && second.errorCode == "rate_limit_exceeded")
      #expect((second.head.retryAfter() ?? 0) > 300)
    }
  }

  @Test(
    "do not wait for texts that cannot fit to be tokenized", arguments: ["/v1/chat/completions", "/tokenize"])
  func longTexts(path: String) async throws {
    try await TestServer.with([HistoryProvider()]) { (server: TestServer) async throws in
      let long = try await server.post(question(String(repeating: "x", count: 5000)), to: path)
      #expect(long.status == 400 && long.errorCode == "context_length_exceeded")
      #expect(long.json["error"]["message"].string?.contains("bytes") == true)
    }
  }

  @Test("charge what was generated for a client that went away", arguments: RawConnection.Ending.allCases)
  func abandonedStream(how: RawConnection.Ending) async throws {
    let limits = ClientLimits(logProbabilitiesPerMinute: 950)
    try await TestServer.with(
      [HistoryProvider(delay: 0.05)], settings: ServerSettings(limits: limits)
    ) { (server: TestServer) async throws in
      let body = question(fields: [
        "logprobs": true, "top_logprobs": 4, "max_tokens": 190, "temperature": 2, "seed": 5,
      ])
      let connection = try await RawConnection(port: server.port)
      try await connection.send(try SchedulingTests.streamed(body))
      // The first piece counts, too: a slow reader finds many events behind the head.
      var read = try await connection.receive()
      #expect(read.hasPrefix("HTTP/1.1 200"))
      // Enough that it takes half a minute until as much may be asked for again, on a slow machine, too.
      while read.split(separator: "data: ").count < 90 {
        let piece = try await connection.receive()
        try #require(!piece.isEmpty && !piece.contains("[DONE]"))
        read += piece
      }
      connection.end(how)
      #expect(try await server.waitFor("selfcd_lanes_free", 4))
      // The whole worst case is free again only if nothing was charged.
      let again = try await server.post(body)
      #expect(again.status == 429 && again.errorCode == "rate_limit_exceeded")
      if how == .halfClose { connection.end(.close) }
    }
  }
}

@Suite("Client meter")
struct ClientMeterTests {
  /// Texts that were tokenized side by side have all been let in before the first was charged.
  @Test("every text is charged, also behind one that overdrew")
  func overdrawn() throws {
    let clock = Mutex(0.0)
    let meter = ClientMeter(now: { clock.withLock { $0 } })
    let client = Client(name: "a", limits: ClientLimits(tokensPerMinute: 60))
    try meter.checkTokens(of: client)
    for _ in 0..<3 { meter.charge(tokens: 60, for: client) }
    // 120 tokens are owed, at one a second.
    clock.withLock { $0 = 115 }
    #expect(throws: APIError.self) { try meter.checkTokens(of: client) }
    clock.withLock { $0 = 125 }
    try meter.checkTokens(of: client)
  }

  @Test("fills up over a minute and gives back what was not used")
  func buckets() throws {
    let clock = Mutex(0.0)
    let meter = ClientMeter(now: { clock.withLock { $0 } })
    let client = Client(
      name: "a",
      limits: ClientLimits(requestsPerMinute: 2, tokensPerMinute: 60, logProbabilitiesPerMinute: 10))
    try meter.countRequest(of: client)
    try meter.countRequest(of: client)
    let error = #expect(throws: APIError.self) { try meter.countRequest(of: client) }
    #expect(error?.status == .tooManyRequests && error?.retryAfter == 30)
    clock.withLock { $0 = 30 }
    try meter.countRequest(of: client)
    #expect(throws: APIError.self) { try meter.countRequest(of: client) }
    try meter.countRequest(of: Client(name: "b", limits: client.limits))

    let first = try meter.reserve(tokens: 50, logProbabilities: 10, for: client)
    #expect(throws: APIError.self) { try meter.reserve(tokens: 20, logProbabilities: 0, for: client) }
    first.settle(tokens: 5, logProbabilities: 1)
    first.settle(tokens: 0, logProbabilities: 0)
    // Refused for its log-probabilities; its tokens are put back.
    #expect(throws: APIError.self) { try meter.reserve(tokens: 50, logProbabilities: 10, for: client) }
    _ = try meter.reserve(tokens: 55, logProbabilities: 9, for: client)
    let over = #expect(throws: APIError.self) {
      try meter.reserve(tokens: 61, logProbabilities: 0, for: client)
    }
    #expect(over?.status == .badRequest)
  }
}
