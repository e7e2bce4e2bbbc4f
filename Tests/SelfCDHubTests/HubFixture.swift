import Crypto
import Foundation
import SelfCDHTTP
import SelfCDHub
import SelfCDTesting
import Synchronization
import Testing

/// The test hub with an empty cache of its own.
final class HubFixture: Sendable {
  struct Request: Decodable {
    let path: String
    let authorization: String?
    let range: String?
    let encoding: String?
    let isContent: Bool
  }

  static let commit = "0123456789abcdef0123456789abcdef01234567"
  let server: ScriptServer
  let cache: URL
  let waits = Mutex<[Double]>([])
  let events = Mutex<[HubEvent]>([])

  init() throws {
    server = try ScriptServer(.hub)
    cache = FileManager.default.temporaryDirectory.appending(path: "selfcd-hub-\(UUID().uuidString)")
  }

  deinit { try? FileManager.default.removeItem(at: cache) }

  func hub(
    token: String? = nil, isOffline: Bool = false, pauses: [Double] = [1, 2, 4], piece: Int64 = 64 << 20,
    endpoint: URL? = nil
  ) -> ModelHub {
    ModelHub(
      settings: HubSettings(
        endpoint: endpoint ?? server.url, cache: cache, token: token, isOffline: isOffline),
      pauses: pauses, piece: piece, wait: { seconds in self.waits.withLock { $0.append(seconds) } })
  }

  func fetch(_ name: String, _ hub: ModelHub? = nil) async throws -> URL {
    try await (hub ?? self.hub()).path(of: try HubReference(parsing: "hf:acme/\(name)")) { event in
      self.events.withLock { $0.append(event) }
    }
  }

  func requests() async throws -> [Request] {
    let log = try await HTTPClient().data(
      HTTPRequest(.get, server.url.appending(path: "_log")), limit: 1 << 20)
    return try JSONDecoder().decode([Request].self, from: log.body)
  }

  func downloads() async throws -> [Request] {
    try await requests().filter { $0.path.contains("/resolve/") }
  }

  /// The blobs of a repository, finished or not.
  func blobs(_ name: String) -> [String] {
    let folder = cache.appending(path: "models--acme--\(name)/blobs").path
    return ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
  }

  static func sha256(_ url: URL) throws -> String {
    SHA256.hash(data: try Data(contentsOf: url)).map { String(format: "%02x", $0) }.joined()
  }

  /// That a snapshot's file is a link to a blob named by its own checksum.
  static func expectSound(_ url: URL, size: Int, _ location: SourceLocation = #_sourceLocation) throws {
    let blob = url.resolvingSymlinksInPath()
    #expect(try Data(contentsOf: url).count == size, sourceLocation: location)
    #expect(try sha256(url) == blob.lastPathComponent, sourceLocation: location)
    #expect(blob.deletingLastPathComponent().lastPathComponent == "blobs", sourceLocation: location)
    let target = try FileManager.default.destinationOfSymbolicLink(atPath: url.path)
    #expect(target.hasPrefix("../"), "relative, so that the cache can be moved", sourceLocation: location)
  }
}
