import Foundation
import Hummingbird
import NIOCore
import NIOPosix

/// What the server listens on: a port of a host, or a Unix domain socket.
struct ListeningSocket: Sendable {
  /// The most bytes of a Unix socket's path; macOS has the least room for it.
  static let longestPath = 103

  private let settings: ServerSettings

  /// - Parameter settings: the server's; they are valid.
  init(_ settings: ServerSettings) { self.settings = settings }

  /// The address for the application.
  var address: BindAddress {
    settings.unixSocket.map { .unixDomainSocket(path: $0) } ?? .hostname(settings.host, port: settings.port)
  }

  /// Removes a Unix socket that a server left when it was killed. A file that is no socket stays, and so does one that
  /// somebody answers on.
  ///
  /// - Throws: ``ServerError``.
  func clear() async throws(ServerError) {
    guard let path = settings.unixSocket, let type = Self.type(of: path) else { return }
    guard type == .typeSocket else {
      throw .cannotMakeSocket(path: path, reason: "there is a file of that name, which is no socket")
    }
    if let channel = try? await ClientBootstrap(group: Self.group).connect(unixDomainSocketPath: path).get() {
      try? await channel.close()
      throw .socketInUse(path: path)
    }
    do {
      try FileManager.default.removeItem(atPath: path)
    } catch {
      throw .cannotMakeSocket(
        path: path, reason: "the old one cannot be removed: \(error.localizedDescription)")
    }
  }

  /// Removes the Unix socket that the server listened on.
  func remove() {
    guard let path = settings.unixSocket, Self.type(of: path) == .typeSocket else { return }
    // What cannot be removed is cleared at the next start.
    try? FileManager.default.removeItem(atPath: path)
  }

  /// Opens the socket and closes it again, to see whether that can be done.
  ///
  /// - Throws: ``ServerError``.
  func check() async throws(ServerError) {
    try await clear()
    let bootstrap = ServerBootstrap(group: Self.group)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
    do {
      let channel =
        if let path = settings.unixSocket {
          try await bootstrap.bind(unixDomainSocketPath: path).get()
        } else {
          try await bootstrap.bind(host: settings.host, port: settings.port).get()
        }
      try await channel.close()
    } catch {
      throw failure(error)
    }
    remove()
  }

  /// Why the address cannot be listened on.
  /// - Parameter error: what the system said.
  func failure(_ error: any Error) -> ServerError {
    let code = (error as? IOError)?.errnoCode
    let reason = (error as? IOError)?.description ?? "\(error)"
    if let path = settings.unixSocket {
      return code == EADDRINUSE ? .socketInUse(path: path) : .cannotMakeSocket(path: path, reason: reason)
    }
    return code == EADDRINUSE
      ? .addressInUse(host: settings.host, port: settings.port)
      : .cannotBind(host: settings.host, port: settings.port, reason: reason)
  }

  private static var group: any EventLoopGroup { MultiThreadedEventLoopGroup.singleton }

  private static func type(of path: String) -> FileAttributeType? {
    // Does not follow links, so a link that leads nowhere is a file, too.
    (try? FileManager.default.attributesOfItem(atPath: path))?[.type] as? FileAttributeType
  }
}
