import Foundation
import NIOCore
import SelfCD
import SelfCDSupport
import Testing

@testable import SelfCDServer

/// What becomes of connections, and of answers on their way.
@Suite("Connections")
struct ConnectionTests {
  static let short = question(fields: ["max_tokens": 1])
  static let json = "Content-Type: application/json"

  static func post(_ body: JSONValue) throws -> [UInt8] {
    rawRequest(body: Array(try JSONEncoder().encode(body)))
  }

  @Test(
    "are closed when nothing is asked for, before the first request and behind it", arguments: [false, true])
  func idle(asks: Bool) async throws {
    try await TestServer.with([HistoryProvider()], settings: ServerSettings(idleTimeout: 1)) {
      (server: TestServer) async throws in
      let connection = try await RawConnection(
        port: server.port, sending: asks ? try Self.post(Self.short) : [])
      let text = try await connection.receiveAll()
      #expect(asks ? text.contains("\"usage\"") : text.isEmpty)
      #expect(server.log.text.contains("closed a connection without an answer: idle"))
      connection.end(.close)
    }
  }

  @Test("are not closed for what a machine that stood still could not ask")
  func standstill() {
    var idle = IdleTime(limit: .seconds(30))
    let start = NIODeadline.uptimeNanoseconds(1_000_000_000)
    let deadline = idle.start(at: start)
    #expect(deadline == start + .seconds(30))
    #expect(!idle.isOver(at: deadline - .milliseconds(1)))
    #expect(idle.isOver(at: deadline))
    #expect(idle.isOver(at: deadline + .milliseconds(900)))
    #expect(!idle.isOver(at: deadline + .seconds(5)))
  }

  @Test("serve the next request behind an error whose body was read")
  func errorsKeepThem() async throws {
    try await TestServer.with([HistoryProvider()]) { (server: TestServer) async throws in
      let connection = try await RawConnection(port: server.port)
      try await connection.send(
        rawRequest(body: Array("{}".utf8)) + rawRequest("DELETE", body: Array("{}".utf8))
          + rawRequest("POST", "/nowhere", body: Array("{}".utf8)) + (try Self.post(Self.short)))
      let text = try await connection.receive(until: "\"usage\"")
      let statuses = text.components(separatedBy: "HTTP/1.1 ").dropFirst().map { String($0.prefix(3)) }
      #expect(statuses == ["400", "405", "404", "200"])
      #expect(!text.lowercased().contains("connection: close"))
      connection.end(.close)
    }
  }

  @Test("wait while there are as many as the operator allows")
  func limit() async throws {
    try await TestServer.with([HistoryProvider()], settings: ServerSettings(maximumConnections: 2)) {
      (server: TestServer) async throws in
      let first = try await RawConnection(port: server.port)
      let second = try await RawConnection(port: server.port)
      for connection in [first, second] {
        try await connection.send(rawRequest("GET", "/health"))
        _ = try await connection.receive(until: "}")
      }
      let third = try await RawConnection(port: server.port)
      try await third.send(rawRequest("GET", "/health"))
      for _ in 0..<50 {
        try await first.send(rawRequest("GET", "/health"))
        _ = try await first.receive(until: "}")
      }
      #expect(try await !third.hasSomething())
      second.end(.close)
      #expect(try await third.receive().hasPrefix("HTTP/1.1 200"))
      for connection in [first, third] { connection.end(.close) }
    }
  }

  @Test("deliver a large reply to a client that reads slowly")
  func slowDownload() async throws {
    try await TestServer.with([HistoryProvider()], settings: ServerSettings(idleTimeout: 1)) {
      (server: TestServer) async throws in
      let connection = try await RawConnection(
        port: server.port, receiveBuffer: 2048,
        sending: try Self.post(
          SchedulingTests.long.setting("max_tokens", 250).setting("n", 4).setting("logprobs", true)
            .setting("top_logprobs", 20)))
      #expect(try await server.waitForLog("/v1/chat/completions 200"))
      // Much longer than the connection may be idle.
      try await Task.sleep(for: .seconds(3))
      let text = try await connection.receiveAll()
      let parts = text.components(separatedBy: "\r\n\r\n")
      let length = try #require(
        parts[0].lowercased().split(separator: "\r\n").first { $0.hasPrefix("content-length: ") })
      #expect(length == "content-length: \(parts.dropFirst().joined(separator: "\r\n\r\n").utf8.count)")
      connection.end(.close)
    }
  }

  @Test("end with the error's answer where a body is no body")
  func brokenChunks() async throws {
    try await TestServer.with([HistoryProvider()]) { (server: TestServer) async throws in
      let connection = try await RawConnection(port: server.port)
      let head =
        "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\n\(Self.json)\r\nTransfer-Encoding: chunked\r\n\r\n"
      try await connection.send(head + "zz\r\n{}\r\n0\r\n\r\n")
      let text = try await connection.receiveAll()
      #expect(text.hasPrefix("HTTP/1.1 400"))
      #expect(text.contains(#""code":"bad_http""#))
      #expect(text.components(separatedBy: "HTTP/1.1 400").count == 2)
      #expect(!server.log.text.contains("error "))
      connection.end(.close)
    }
  }

  @Test("tell what is no HTTP so, in the shape of other errors")
  func noHTTP() async throws {
    try await TestServer.with([HistoryProvider()]) { (server: TestServer) async throws in
      let connection = try await RawConnection(port: server.port)
      try await connection.send(Array("\0\u{1}\u{2}\r\n\r\n".utf8))
      let text = try await connection.receiveAll()
      #expect(text.hasPrefix("HTTP/1.1 400"))
      let body = try #require(text.components(separatedBy: "\r\n\r\n").last)
      let error = try JSONDecoder().decode(JSONValue.self, from: Data(body.utf8))["error"]
      #expect(error["code"].string == "bad_http")
      connection.end(.close)
    }
  }

  @Test(
    "say which method an address is for",
    arguments: [("GET", "/tokenize", "POST"), ("PUT", "/health", "GET")])
  func wrongMethod(method: String, path: String, allowed: String) async throws {
    try await TestServer.with([HistoryProvider()]) { (server: TestServer) async throws in
      let connection = try await RawConnection(port: server.port)
      try await connection.send(rawRequest(method, path))
      let text = try await connection.receive(until: "method_not_allowed")
      #expect(text.hasPrefix("HTTP/1.1 405"))
      #expect(text.lowercased().contains("allow: \(allowed.lowercased())"))
      connection.end(.close)
    }
  }
}
