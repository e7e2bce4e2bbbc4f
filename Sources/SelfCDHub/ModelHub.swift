import Foundation
import SelfCDHTTP

/// What happens while a model is fetched.
public enum HubEvent: Sendable, Hashable {
  /// Bytes that are there, of how many, over all parts of the model.
  case progress(received: Int64, total: Int64)
  /// The cache has a file of the model's name that is not the model; it is fetched again.
  case replacing(file: String)
  /// Another process is fetching the same file; this one waits for it.
  case waiting(file: String)
  /// The connection broke; the next attempt comes in so many seconds.
  case retrying(reason: String, seconds: Double)
  /// The hub could not be reached, so what the cache has is used.
  case usingCache(reason: String)
}

/// Finds models by name in the shared cache, and fetches what is missing.
///
/// A model that the cache has is used without asking the hub, so a branch stays what it was when it was fetched. What
/// is fetched gets its final name only when its checksum is right; a download that ends early is continued next time.
public struct ModelHub: Sendable {
  /// Where models come from and go to.
  public let settings: HubSettings
  private let api: HubAPI
  private let download: FileDownload

  /// Makes a hub.
  /// - Parameters:
  ///   - settings: Where models come from and go to.
  ///   - pauses: Seconds to wait after the first failure, the second one and so on. The one that follows the last pause
  ///     is thrown; progress starts the count anew.
  ///   - piece: The most bytes asked for at once. It bounds what waits in memory for the disk.
  ///   - wait: Waits for so many seconds; the default sleeps.
  public init(
    settings: HubSettings, pauses: [Double] = [1, 2, 4, 8, 16], piece: Int64 = 64 << 20,
    wait: @escaping @Sendable (_ seconds: Double) async throws -> Void = {
      try await Task.sleep(for: .seconds($0))
    }
  ) {
    self.settings = settings
    let client = HTTPClient()
    download = FileDownload(client: client, pauses: pauses, piece: piece, wait: wait)
    api = HubAPI(settings: settings, client: client)
  }

  /// The path of a model's file, the first one of a split model.
  /// - Throws: ``HubError``; `CancellationError` when the task is cancelled.
  public func path(
    of reference: HubReference, onEvent: @escaping @Sendable (HubEvent) -> Void = { _ in }
  ) async throws -> URL {
    let cache = HubCache(root: settings.cache, repository: reference.repository)
    let cached = cachedModel(reference, cache)
    if let cached, cached.isFirstChoice || settings.isOffline { return cached.path }
    if settings.isOffline {
      throw HubError.notCached(
        reference: reference.description, cache: settings.cache.path,
        available: ModelSelection.tags(cachedFiles(reference, cache).paths))
    }
    let commit: String
    let files: [HubFile]
    do {
      (commit, files) = try await download.repeating(onEvent) {
        let commit = try await api.commit(of: reference)
        let files = try await api.files(of: reference, commit: commit)
        return (commit, files)
      }
    } catch HubError.network(let detail, _) {
      guard let cached else { throw HubError.network(detail: detail, received: nil) }
      onEvent(.usingCache(reason: detail))
      return cached.path
    }
    let parts = try Self.parts(of: reference, among: files)
    try await fetch(parts, of: reference, commit: commit, into: cache, onEvent)
    try cache.note(commit, for: reference.revision ?? "main")
    return cache.snapshot(commit).appending(path: parts[0].path)
  }

  // MARK: - What is there

  private func cachedFiles(_ reference: HubReference, _ cache: HubCache) -> (commit: String, paths: [String])
  {
    guard let commit = cache.commit(of: reference.revision ?? "main") else { return ("", []) }
    return (commit, cache.files(commit: commit))
  }

  private func cachedModel(
    _ reference: HubReference, _ cache: HubCache
  ) -> (path: URL, isFirstChoice: Bool)? {
    let (commit, paths) = cachedFiles(reference, cache)
    guard let selection = ModelSelection(among: paths, quantisation: reference.quantisation),
      Set(selection.paths).isSubset(of: paths)
    else { return nil }
    return (cache.snapshot(commit).appending(path: selection.paths[0]), selection.isFirstChoice)
  }

  /// The files of the model asked for.
  static func parts(of reference: HubReference, among files: [HubFile]) throws(HubError) -> [HubFile] {
    let paths = files.map(\.path)
    guard let selection = ModelSelection(among: paths, quantisation: reference.quantisation) else {
      let available = ModelSelection.tags(paths)
      guard !available.isEmpty else { throw .noModel(repository: reference.repository, files: files.count) }
      throw .noSuchQuantisation(
        reference.quantisation ?? "", repository: reference.repository, available: available)
    }
    let byPath = Dictionary(files.map { ($0.path, $0) }, uniquingKeysWith: { first, _ in first })
    var parts: [HubFile] = []
    for path in selection.paths {
      guard let file = byPath[path] else {
        throw .incompleteSplit(repository: reference.repository, missing: path)
      }
      parts.append(file)
    }
    return parts
  }

  // MARK: - Fetching

  private func fetch(
    _ parts: [HubFile], of reference: HubReference, commit: String, into cache: HubCache,
    _ onEvent: @escaping @Sendable (HubEvent) -> Void
  ) async throws {
    try cache.prepareBlobs()
    let total = parts.reduce(0) { $0 + $1.size }
    var before: Int64 = 0
    for part in parts {
      let start = before
      try await fetch(part, of: reference, commit: commit, into: cache) { event in
        if case .progress(let received, _) = event {
          onEvent(.progress(received: start + received, total: total))
        } else {
          onEvent(event)
        }
      }
      try cache.link(part, commit: commit)
      before += part.size
    }
  }

  private func fetch(
    _ file: HubFile, of reference: HubReference, commit: String, into cache: HubCache,
    _ onEvent: @escaping @Sendable (HubEvent) -> Void
  ) async throws {
    let blob = cache.blob(file.checksum)
    let place = cache.snapshot(commit).appending(path: file.path)
    func isThere() -> Bool {
      FileManager.default.fileExists(atPath: blob.path) || FileManager.default.fileExists(atPath: place.path)
    }
    if isThere() { return }
    let lock = try await FileLock(cache.lock(file.checksum), onWait: { onEvent(.waiting(file: file.path)) })
    defer { lock.release() }
    if isThere() { return }
    try await download.receive(
      file, from: api.download(file.path, of: reference, commit: commit), into: cache.partial(file.checksum),
      then: blob, available: cache.available, onEvent: onEvent
    ) { head, body in api.refusal(head, body, reference) }
  }
}
