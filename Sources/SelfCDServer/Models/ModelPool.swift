import Foundation
import SelfCD
import Synchronization

/// The models of a server: loaded when first asked for, unloaded when others need the memory.
actor ModelPool {
  private enum State {
    case unloaded
    case loading(Task<LoadedEntry, any Error>)
    case loaded(LoadedEntry)
  }

  private struct Entry {
    let provider: any ModelProvider
    var state = State.unloaded
    var bytes = 0
    var leases = 0
    var lastUse: UInt64 = 0
  }

  /// A loaded model with the queue for its lanes.
  struct LoadedEntry: Sendable {
    let model: ServedModel
    let queue: AdmissionQueue
  }

  private var entries: [String: Entry]
  private var clock: UInt64 = 0
  private let budget: Int?
  private let queueLimit: Int
  private let log: ServerLog
  private var isClosed = false
  /// In the order the operator named them.
  nonisolated let names: [String]
  private nonisolated let profileTable: Mutex<[String: [ServedProfile]]>

  /// - Parameters:
  ///   - budget: bytes that loaded models may take together; `nil` for no limit.
  ///   - queueLimit: requests that may wait for each model's lanes.
  init(providers: [any ModelProvider], budget: Int?, queueLimit: Int, log: ServerLog) {
    entries = Dictionary(providers.map { ($0.name, Entry(provider: $0)) }) { first, _ in first }
    names = providers.map(\.name)
    self.budget = budget
    self.queueLimit = queueLimit
    self.log = log
    profileTable = Mutex([:])
  }

  // MARK: Profiles

  nonisolated func profiles(of name: String) -> [ServedProfile] {
    profileTable.withLock { $0[name] ?? [] }
  }

  /// Reads the profiles of all models anew. A model whose profiles cannot be read keeps those it has.
  ///
  /// - Returns: what went wrong, by model.
  func reloadProfiles() -> [String: any Error] {
    var problems: [String: any Error] = [:]
    for name in names {
      guard let provider = entries[name]?.provider else { continue }
      do {
        let profiles = try provider.profiles()
        profileTable.withLock { $0[name] = profiles }
      } catch {
        problems[name] = error
      }
    }
    return problems
  }

  // MARK: Models

  /// A loaded model that stays loaded as long as the lease is held.
  ///
  /// - Throws: ``APIError`` (404, 503).
  func lease(_ name: String) async throws -> ModelLease {
    guard let entry = entries[name] else {
      throw APIError.notFound(
        "There is no model '\(name.prefix(120))'.", param: "model", code: "model_not_found")
    }
    guard !isClosed else {
      throw APIError.unavailable("The server is shutting down.", code: "shutting_down", retryAfter: 5)
    }
    // Counted before it is waited for, so that it is not unloaded in between.
    clock += 1
    entries[name]?.leases += 1
    entries[name]?.lastUse = clock
    do {
      let loaded: LoadedEntry
      switch entry.state {
      case .loaded(let entry): loaded = entry
      case .loading(let task): loaded = try await task.value
      case .unloaded: loaded = try await load(name, entry.provider)
      }
      return ModelLease(name: name, loaded: loaded) { Task { await self.giveBack(name) } }
    } catch {
      giveBack(name)
      if error is APIError || error is CancellationError { throw error }
      log.error("the model '\(name)' cannot be loaded: \(error)")
      throw APIError.unavailable(
        "The model '\(name)' cannot be loaded at the moment.", code: "model_not_loaded")
    }
  }

  private func giveBack(_ name: String) { entries[name]?.leases -= 1 }

  private func load(_ name: String, _ provider: any ModelProvider) async throws -> LoadedEntry {
    let bytes = try provider.memoryNeeded()
    try await makeRoom(for: bytes, name)
    // Somebody else may have begun meanwhile.
    if case .loading(let task)? = entries[name]?.state { return try await task.value }
    if case .loaded(let loaded)? = entries[name]?.state { return loaded }
    let queueLimit = queueLimit
    let start = ContinuousClock.now
    // A task of its own: one request that is cancelled must not undo the loading others wait for.
    let task = Task {
      let model = try await provider.load()
      return LoadedEntry(model: model, queue: AdmissionQueue(lanes: model.lanes, limit: queueLimit))
    }
    entries[name]?.state = .loading(task)
    entries[name]?.bytes = bytes
    do {
      let loaded = try await task.value
      entries[name]?.state = .loaded(loaded)
      log.info(
        "loaded '\(name)': \(loaded.model.lanes) lanes of \(loaded.model.capacity.context) tokens, "
          + String(format: "%.1f s", start.duration(to: .now).seconds))
      return loaded
    } catch {
      entries[name]?.state = .unloaded
      entries[name]?.bytes = 0
      throw error
    }
  }

  /// Unloads models nobody uses, the least recently used first, until `bytes` fit into the budget.
  private func makeRoom(for bytes: Int, _ name: String) async throws {
    guard let budget else { return }
    guard bytes <= budget else {
      log.error("the model '\(name)' needs \(bytes) bytes; the memory budget is \(budget)")
      throw APIError.unavailable(
        "The model '\(name)' does not fit into this server's memory budget.", code: "model_too_large")
    }
    while entries.values.reduce(0, { $0 + $1.bytes }) + bytes > budget {
      let idle = entries.filter { item in
        if case .loaded = item.value.state { return item.key != name && item.value.leases == 0 }
        return false
      }
      guard let victim = idle.min(by: { $0.value.lastUse < $1.value.lastUse })?.key else {
        throw APIError.unavailable(
          "Other models are in use and leave no memory for '\(name)'. Try again later.",
          code: "no_memory", retryAfter: 5)
      }
      await unload(victim)
    }
  }

  private func unload(_ name: String) async {
    guard case .loaded(let loaded)? = entries[name]?.state else { return }
    entries[name]?.state = .unloaded
    entries[name]?.bytes = 0
    loaded.queue.close()
    await loaded.model.chat.engine.shutdown()
    log.info("unloaded '\(name)'")
  }

  /// Models that are loaded now, by name.
  func loaded() -> [(name: String, entry: LoadedEntry)] {
    names.compactMap { name in
      guard case .loaded(let loaded)? = entries[name]?.state else { return nil }
      return (name, loaded)
    }
  }

  /// Turns away who waits for lanes; what runs goes on.
  func close() {
    isClosed = true
    for case .loaded(let loaded) in entries.values.map(\.state) { loaded.queue.close() }
  }

  /// Ends every generation and frees every model.
  func shutdown() async {
    close()
    for name in names { await unload(name) }
  }
}

/// Keeps a model loaded.
final class ModelLease: Sendable {
  let name: String
  let model: ServedModel
  let queue: AdmissionQueue
  private let onRelease: @Sendable () -> Void

  fileprivate init(
    name: String, loaded: ModelPool.LoadedEntry, onRelease: @escaping @Sendable () -> Void
  ) {
    self.name = name
    model = loaded.model
    queue = loaded.queue
    self.onRelease = onRelease
  }

  deinit { onRelease() }
}
