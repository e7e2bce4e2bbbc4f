import Foundation
import Logging
import SelfCD
import Testing

@testable import SelfCDServer

/// What the server listens on besides a port, and what is found out beforehand.
@Suite("Listening socket")
struct ListeningSocketTests {
  /// A folder whose path is short enough for a socket in it.
  private final class Folder {
    let path = "/tmp/selfcd-\(UInt32.random(in: 0 ... .max))"
    init() throws {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    }
    deinit { try? FileManager.default.removeItem(atPath: path) }
    var socket: String { path + "/s.sock" }
  }

  private static func server(_ path: String, port: Int = 0) throws -> InferenceServer {
    try InferenceServer(
      settings: TestServer.patient(ServerSettings(host: "0.0.0.0", port: port, unixSocket: path)),
      providers: [HistoryProvider()], logger: Logger(label: "test") { _ in LogLines().handler })
  }

  @Test("a Unix socket is served without keys, and is gone afterwards")
  func unixSocket() async throws {
    let folder = try Folder()
    let server = try Self.server(folder.socket)
    let answer = try await server.whileServing { _ in
      let connection = try await RawConnection(unixSocket: folder.socket)
      defer { connection.end(.close) }
      try await connection.send("GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
      return try await connection.receiveAll()
    }
    #expect(answer.hasPrefix("HTTP/1.1 200"))
    #expect(answer.contains("\"ok\""))
    #expect(!FileManager.default.fileExists(atPath: folder.socket))
  }

  @Test("a socket that a killed server left is taken over; one in use, or a file, is not")
  func left() async throws {
    let folder = try Folder()
    let first = try Self.server(folder.socket)
    try await first.whileServing { _ in
      let second = try Self.server(folder.socket)
      await #expect(throws: ServerError.socketInUse(path: folder.socket)) { try await second.run() }
      await #expect(throws: ServerError.socketInUse(path: folder.socket)) { try await second.checkSetup() }
      // As if it were killed: its file is moved, and so not removed at its end.
      try FileManager.default.moveItem(atPath: folder.socket, toPath: folder.path + "/left.sock")
    }
    let left = folder.path + "/left.sock"
    #expect(FileManager.default.fileExists(atPath: left))
    let third = try Self.server(left)
    try await third.checkSetup()
    #expect(!FileManager.default.fileExists(atPath: left), "a check leaves nothing behind")

    try Data("mine".utf8).write(to: URL(filePath: left))
    let error = ServerError.cannotMakeSocket(
      path: left, reason: "there is a file of that name, which is no socket")
    await #expect(throws: error) { try await third.run() }
    #expect(try String(contentsOfFile: left, encoding: .utf8) == "mine")
  }

  @Test("a path that is too long, or leads nowhere, is named")
  func badPaths() async throws {
    let long = "/tmp/" + String(repeating: "x", count: 100)
    #expect(throws: ServerError.badSetting("path of the Unix socket", long, "1 to 103 bytes long")) {
      try Self.server(long)
    }
    let nowhere = try Self.server("/nonexistent/s.sock")
    await #expect {
      try await nowhere.checkSetup()
    } throws: {
      guard case ServerError.cannotMakeSocket("/nonexistent/s.sock", _) = $0 else { return false }
      return true
    }
  }

  @Test("a check loads nothing, and finds a port in use")
  func check() async throws {
    let provider = HistoryProvider()
    let free = try StartTests.server(provider)
    try await free.checkSetup()
    #expect(provider.loadCount == 0)
    try await TestServer.with([HistoryProvider()]) { (first: TestServer) async throws in
      let taken = try StartTests.server(provider, port: first.port)
      await #expect(throws: ServerError.addressInUse(host: "127.0.0.1", port: first.port)) {
        try await taken.checkSetup()
      }
    }
    try await free.whileServing { port in #expect(port > 0) }
  }
}
