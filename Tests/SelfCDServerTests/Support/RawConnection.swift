import Foundation

/// A socket of its own, for what no well-behaved client sends.
///
/// Calls block, so they run apart from the threads that the server under test shares with the tests.
final class RawConnection: Sendable {
  private let descriptor: Int32
  private static let queue = DispatchQueue(label: "selfcd.tests.sockets", attributes: .concurrent)

  struct Failure: Error { let call: String }

  /// - Parameters:
  ///   - receiveBuffer: bytes that the system takes for it while nobody reads, with the sender's buffer small, too; `nil`
  ///     for what is usual.
  ///   - request: sent at once, where nothing may come between.
  init(port: Int, receiveBuffer: Int32? = nil, sending request: [UInt8] = []) async throws {
    descriptor = try await Self.blocking {
      #if canImport(Glibc)
        let kind = Int32(SOCK_STREAM.rawValue)
      #else
        let kind = SOCK_STREAM
      #endif
      let descriptor = socket(AF_INET, kind, 0)
      guard descriptor >= 0 else { throw Failure(call: "socket") }
      var limit = timeval(tv_sec: 600, tv_usec: 0)
      setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
      setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
      if var size = receiveBuffer {
        setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<Int32>.size))
        // The sender's buffer begins at a multiple of the segment, which is 64 KiB on loopback.
        var segment: Int32 = 536
        setsockopt(
          descriptor, Int32(IPPROTO_TCP), TCP_MAXSEG, &segment, socklen_t(MemoryLayout<Int32>.size))
      }
      var address = sockaddr_in()
      address.sin_family = sa_family_t(AF_INET)
      address.sin_port = in_port_t(port).bigEndian
      address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
      let result = withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
      }
      guard result == 0 else {
        Foundation.close(descriptor)
        throw Failure(call: "connect")
      }
      Self.sendAll(request, descriptor)
      return descriptor
    }
  }

  /// - Parameter path: where the server's Unix socket is.
  init(unixSocket path: String) async throws {
    descriptor = try await Self.blocking {
      #if canImport(Glibc)
        let kind = Int32(SOCK_STREAM.rawValue)
      #else
        let kind = SOCK_STREAM
      #endif
      let descriptor = socket(AF_UNIX, kind, 0)
      guard descriptor >= 0 else { throw Failure(call: "socket") }
      var address = sockaddr_un()
      address.sun_family = sa_family_t(AF_UNIX)
      withUnsafeMutableBytes(of: &address.sun_path) { room in
        for (index, byte) in path.utf8.prefix(room.count - 1).enumerated() { room[index] = byte }
      }
      let result = withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
        }
      }
      guard result == 0 else {
        Foundation.close(descriptor)
        throw Failure(call: "connect")
      }
      return descriptor
    }
  }

  private static func blocking<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws
    -> Value
  {
    try await withCheckedThrowingContinuation { continuation in
      queue.async { continuation.resume(with: Result { try body() }) }
    }
  }

  /// Sends as much as the other side takes.
  func send(_ text: String) async throws { try await send(Array(text.utf8)) }

  func send(_ bytes: [UInt8]) async throws {
    try await Self.blocking { [descriptor] in Self.sendAll(bytes, descriptor) }
  }

  private static func sendAll(_ bytes: [UInt8], _ descriptor: Int32) {
    var rest = bytes[...]
    while !rest.isEmpty {
      #if canImport(Glibc)
        let flags = Int32(MSG_NOSIGNAL)
      #else
        let flags: Int32 = 0
      #endif
      let sent = rest.withUnsafeBytes { Foundation.send(descriptor, $0.baseAddress, $0.count, flags) }
      guard sent > 0 else { return }
      rest = rest.dropFirst(sent)
    }
  }

  /// What comes next; empty at the end of the connection.
  ///
  /// - Throws: ``Failure`` where the server is silent for ten minutes.
  func receive() async throws -> String {
    try await Self.blocking { [descriptor] in
      var buffer = [UInt8](repeating: 0, count: 65_536)
      let count = recv(descriptor, &buffer, buffer.count, 0)
      if count < 0, errno == EAGAIN || errno == EWOULDBLOCK { throw Failure(call: "recv: silence") }
      return count > 0 ? String(decoding: buffer.prefix(count), as: UTF8.self) : ""
    }
  }

  /// Whether something has come that nobody read.
  func hasSomething() async throws -> Bool {
    try await Self.blocking { [descriptor] in
      var byte: UInt8 = 0
      return recv(descriptor, &byte, 1, Int32(MSG_PEEK) | Int32(MSG_DONTWAIT)) > 0
    }
  }

  /// Everything until `text` has come, as often as it is wanted.
  func receive(until text: String, times: Int = 1) async throws -> String {
    var received = ""
    while received.components(separatedBy: text).count <= times {
      let piece = try await receive()
      guard !piece.isEmpty else { throw Failure(call: "recv: the end, before '\(text)'") }
      received += piece
    }
    return received
  }

  /// Everything until the server closes the connection.
  func receiveAll() async throws -> String {
    var text = ""
    while true {
      let piece = try await receive()
      if piece.isEmpty { return text }
      text += piece
    }
  }

  enum Ending: CaseIterable, Sendable { case close, halfClose, reset }

  func end(_ how: Ending) {
    switch how {
    case .close: Foundation.close(descriptor)
    case .halfClose: shutdown(descriptor, Int32(SHUT_WR))
    case .reset:
      var option = linger(l_onoff: 1, l_linger: 0)
      setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
      Foundation.close(descriptor)
    }
  }
}

/// A request as bytes, with whatever is wrong with it.
func rawRequest(
  _ method: String = "POST", _ path: String = "/v1/chat/completions", host: String? = "localhost",
  headers: [String] = ["Content-Type: application/json"], length: Int? = nil, body: [UInt8] = []
) -> [UInt8] {
  var lines = ["\(method) \(path) HTTP/1.1"] + headers
  if let host { lines.append("Host: \(host)") }
  lines.append("Content-Length: \(length ?? body.count)")
  return Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8) + body
}
