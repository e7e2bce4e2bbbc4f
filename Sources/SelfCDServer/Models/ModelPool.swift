import Foundation
import SelfCD
import SelfCDSupport
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
    var failure: LoadFailure?
  }

  /// That a model could not be loaded. Not tried again at each request: it takes long, and fails again.
  private struct LoadFailure {
    static let pause = Duration.seconds(15)
    let retry = ContinuousClock.now + pause

    func check(_ name: String) throws(APIError) {
      if ContinuousClock.now < retry { throw error(name) }
    }

    func error(_ name: String) -> APIError {
      let seconds = max(1, Int(ContinuousClock.now.duration(to: retry).seconds.rounded(.up)))
      return .unavailable(
        "The model '\(name)' cannot be loaded; the server's log says why. It is tried again in \(seconds) s, or when the "
          + "server is told to reload.", code: "model_not_loaded", retryAfter: seconds)
    }
  }

  private static let closing = APIError.unavailable(
    "The server is shutting down.", code: "shutting_down", retryAfter: 5)

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

  /// Lets models that could not be loaded be tried at once.
  func forgetFailures() {
    for name in names { entries[name]?.failure = nil }
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
        if case .loaded(let loaded) = entries[name]?.state {
          try Self.check(profiles, of: name, against: loaded.model)
        }
        profileTable.withLock { $0[name] = profiles }
      } catch {
        problems[name] = error
      }
    }
    return problems
  }

  /// The file may be another one by now than the weights that were loaded from it, and the other way round.
  private static func check(
    _ profiles: [ServedProfile], of name: String, against model: ServedModel
  ) throws(ServerError) {
    guard let loaded = model.identity,
      let other = profiles.first(where: { $0.identity != nil && $0.identity != loaded })
    else { return }
    throw .otherWeights(model: name, profile: other.name)
  }

  // MARK: Models

  /// A loaded model that stays loaded as long as the lease is held.
  ///
  /// - Throws: ``APIError`` (404, 503); `CancellationError` for a task that is cancelled, whether or not the model is
  ///   loaded meanwhile.
  func lease(_ name: String) async throws -> ModelLease {
    guard let entry = entries[name] else {
      throw APIError.notFound(
        "There is no model '\(name.prefix(120))'.", param: "model", code: "model_not_found")
    }
    guard !isClosed else { throw Self.closing }
    if let failure = entry.failure { try failure.check(name) }
    // Counted before it is waited for, so that it is not unloaded in between.
    clock += 1
    entries[name]?.leases += 1
    entries[name]?.lastUse = clock
    do {
      let loaded: LoadedEntry
      switch entry.state {
      case .loaded(let entry): loaded = entry
      case .loading(let task): loaded = try await task.valueUnlessCancelled()
      case .unloaded: loaded = try await startLoading(name, entry.provider).valueUnlessCancelled()
      }
      return ModelLease(name: name, loaded: loaded) { Task { await self.giveBack(name) } }
    } catch {
      giveBack(name)
      throw error
    }
  }

  private func giveBack(_ name: String) { entries[name]?.leases -= 1 }

  /// A task of its own: one request that is cancelled must not undo the loading others wait for. Known before there is
  /// room, so that whoever comes meanwhile waits for it and does not look for room, too.
  private func startLoading(
    _ name: String, _ provider: any ModelProvider
  ) -> Task<LoadedEntry, any Error> {
    let task = Task { try await load(name, provider) }
    entries[name]?.state = .loading(task)
    return task
  }

  private func load(_ name: String, _ provider: any ModelProvider) async throws -> LoadedEntry {
    do {
      let bytes = try provider.memoryNeeded()
      try await makeRoom(for: bytes, name)
      entries[name]?.bytes = bytes
      let start = ContinuousClock.now
      let model = try await provider.load()
      guard !isClosed else {
        await model.chat.engine.shutdown()
        throw Self.closing
      }
      do {
        try Self.check(profiles(of: name), of: name, against: model)
      } catch {
        profileTable.withLock { $0[name] = [] }
        log.error("\(error) It is served without profiles.")
      }
      let loaded = LoadedEntry(model: model, queue: AdmissionQueue(lanes: model.lanes, limit: queueLimit))
      entries[name]?.state = .loaded(loaded)
      entries[name]?.failure = nil
      let kept = model.capacity.lanes - model.lanes
      log.info(
        "loaded '\(name)': \(NumberFormat.counted(model.lanes, "lane")) of \(model.capacity.context) tokens"
          + (kept > 0 ? " and \(kept) that \(NumberFormat.noun(kept, "keeps", "keep")) prompts" : "")
          + String(format: ", %.1f s", start.duration(to: .now).seconds))
      return loaded
    } catch {
      entries[name]?.state = .unloaded
      entries[name]?.bytes = 0
      // What was broken off at the end is no fault of the model's.
      if isClosed { throw Self.closing }
      if error is APIError { throw error }
      log.error("the model '\(name)' cannot be loaded: \(error)")
      let failure = LoadFailure()
      entries[name]?.failure = failure
      throw failure.error(name)
    }
  }

  /// Unloads models nobody uses, the least recently used first, until `bytes` fit into the budget.
  private func makeRoom(for bytes: Int, _ name: String) async throws {
    guard let budget else { return }
    guard bytes <= budget else {
      log.error(
        "the model '\(name)' needs \(NumberFormat.bytes(bytes)), more than the memory budget of "
          + "\(NumberFormat.bytes(budget)). Raise --memory-budget, or lower --ctx-size, --lanes or --cache-lanes."
      )
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

  /// Turns away who waits for lanes or for a model, and breaks off what is being loaded; what runs goes on.
  func close() {
    isClosed = true
    for entry in entries.values {
      switch entry.state {
      case .loaded(let loaded): loaded.queue.close()
      case .loading(let task): task.cancel()
      case .unloaded: break
      }
    }
  }

  /// Ends every generation and frees every model; where loading one cannot be broken off, once it is loaded.
  func shutdown() async {
    close()
    for name in names {
      if case .loading(let task)? = entries[name]?.state { _ = await task.result }
      await unload(name)
    }
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
