import Foundation
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1
import SelfCD
import SelfCDJudges
import ServiceLifecycle
import Synchronization
import UnixSignals

/// An OpenAI-compatible server with Self-CD in the decoding loop.
///
/// Knows models only through ``ModelProvider``. Order of calls: ``run(signals:preloads:onReady:onListening:)`` once;
/// ``reload()`` and ``stop()`` from anywhere meanwhile.
public final class InferenceServer: Sendable {
  let settings: ServerSettings
  let pool: ModelPool
  let service: GenerationService
  let playground = Playground()
  let metrics = ServerMetrics()
  let meter = ClientMeter()
  let active = ActiveRequests()
  let keyRing: KeyRing
  /// Whether profiles are read and the first model is loaded, so that requests can be answered.
  let readiness = Readiness()
  private let readKeys: @Sendable () throws -> APIKeys
  private let providers: [any ModelProvider]
  let log: ServerLog
  private struct Life {
    var group: ServiceGroup?
    var isStopped = false
    /// Why it stopped before it was ready.
    var failure: (any Error)?
  }

  private let life = Mutex(Life())

  /// - Parameters:
  ///   - settings: where and how it answers; on port 8080 of this machine by default.
  ///   - providers: the models, the first one the default.
  ///   - policy: what clients may choose; nothing by default, and models decode as they do without this server.
  ///   - keys: reads the API keys, at start and at every reload.
  ///   - judge: counts refusals in the metrics; `nil` judges nothing.
  ///   - logger: told of requests and faults; goes where the program's logging goes by default.
  /// - Throws: ``ServerError``, and what `keys` throws.
  public init(
    settings: ServerSettings = .init(), providers: [any ModelProvider], policy: ServerPolicy = .init(),
    keys: @escaping @Sendable () throws -> APIKeys = { APIKeys() }, judge: (any LocalReplyJudge)? = nil,
    logger: Logger = Logger(label: "selfcd")
  ) throws {
    let initialKeys = try keys()
    try settings.validate(keys: initialKeys)
    guard !providers.isEmpty else { throw ServerError.noModels }
    for (index, provider) in providers.enumerated() {
      guard !providers[..<index].contains(where: { $0.name == provider.name }) else {
        throw ServerError.sameName(provider.name)
      }
    }
    self.settings = settings
    self.providers = providers
    readKeys = keys
    keyRing = KeyRing(initialKeys)
    log = ServerLog(logger: logger, includesPrompts: settings.logsPrompts)
    pool = ModelPool(
      providers: providers, budget: settings.memoryBudget, queueLimit: settings.queueLimit, log: log)
    service = GenerationService(
      pool: pool, policy: policy, meter: meter, metrics: metrics, judge: judge, log: log,
      keepAlive: .seconds(settings.keepAlive))
  }

  // MARK: - Life

  /// Serves until ``stop()`` or one of the signals, then gives running requests their grace.
  ///
  /// The port is opened first, so that one that is taken is found out at once. Until the server is ready, requests get
  /// 503 with `Retry-After`, and `/health` says that it is loading.
  ///
  /// - Parameters:
  ///   - signals: what ends the server.
  ///   - preloads: whether the first model is loaded before the server is ready, so that what is wrong with it shows now.
  ///   - onReady: told the port once requests are answered, 0 for a Unix socket.
  ///   - onListening: told the port before, once it is open.
  /// - Throws: ``ServerError``.
  public func run(
    signals: [UnixSignal] = [], preloads: Bool = true, onReady: @escaping @Sendable (Int) -> Void = { _ in },
    onListening: @escaping @Sendable (Int) -> Void = { _ in }
  ) async throws {
    let socket = ListeningSocket(settings)
    try await socket.clear()
    defer { socket.remove() }
    let (ports, opened) = AsyncStream.makeStream(of: Int.self)
    let serving = Serving(
      app: application { opened.yield($0) }, active: active, pool: pool, grace: .seconds(settings.grace),
      log: log
    ) { [self] in
      // The application accepts connections only once it has been told so, and so must not wait here.
      for await port in ports {
        onListening(port)
        await start(preloads: preloads)
        if isReady { onReady(port) }
        break
      }
      await watch()
    }
    var configuration = ServiceGroupConfiguration(
      services: [.init(service: serving, successTerminationBehavior: .gracefullyShutdownGroup)],
      gracefulShutdownSignals: signals, logger: quiet)
    configuration.maximumGracefulShutdownDuration = .seconds(settings.grace + 10)
    let group = ServiceGroup(configuration: configuration)
    let isStopped = life.withLock { life in
      life.group = group
      return life.isStopped
    }
    if isStopped { return await pool.shutdown() }
    do {
      try await group.run()
    } catch let error as IOError {
      await pool.shutdown()
      throw socket.failure(error)
    }
    await pool.shutdown()
    if let failure = life.withLock({ $0.failure }) { throw failure }
  }

  /// Finds out whether the server would start, short of loading a model: whether profiles and keys can be read, the
  /// models' files are sound and have lanes enough, and the address is free.
  ///
  /// - Throws: ``ServerError``, and what reading the keys throws.
  public func checkSetup() async throws {
    try settings.validate(keys: try readKeys())
    for (model, error) in await pool.reloadProfiles() {
      throw ServerError.unusableProfile(model: model, reason: "\(error)")
    }
    try check()
    try await ListeningSocket(settings).check()
  }

  /// Reads the profiles and loads the first model, while connections are accepted already. What goes wrong stops the
  /// server.
  private func start(preloads: Bool) async {
    do {
      for (model, error) in await pool.reloadProfiles() {
        throw ServerError.unusableProfile(model: model, reason: "\(error)")
      }
      try check()
      if preloads, let first = pool.names.first {
        do {
          _ = try await pool.lease(first)
        } catch let error as APIError where error.code == "shutting_down" {
          return
        } catch is APIError {
          throw ServerError.notLoaded(model: first)
        }
      }
      readiness.set()
    } catch is CancellationError {
      // It was stopped meanwhile, and whoever did that knows why it did not come up.
    } catch {
      life.withLock { $0.failure = error }
      await stop()
    }
  }

  /// Finds out before the first request what would fail each of them: a model's file that cannot be read, though it is
  /// loaded later, and fewer lanes than what clients get needs.
  ///
  /// - Throws: ``ServerError``.
  private func check() throws(ServerError) {
    for provider in providers {
      do {
        _ = try provider.memoryNeeded()
      } catch {
        throw .unreadableModel(model: provider.name, reason: "\(error)")
      }
      guard let lanes = provider.laneCounts else { continue }
      let profiles = pool.profiles(of: provider.name)
      let usual = try? service.policy.decide(SelfCDFields(), profiles: profiles).strategy
      let offered = service.policy.offered(profiles: profiles)
        .map { service.policy.usual($0, profiles: profiles).strategy }
      let guidance: [any DecodingStrategy] =
        service.policy.allowsNegativePrompt && (profiles.isEmpty || service.policy.overridesProfiles)
        ? [Guidance(negativePrompt: "?")] : []
      for strategy in [usual].compactMap(\.self) + profiles.map(\.strategy) + offered + guidance {
        let needed = strategy.roles.count
        let all = strategy.lanesToStart(for: Chat(question: "?"))
        guard needed > lanes.requests || all > lanes.all else { continue }
        throw .tooFewLanes(
          model: provider.name, strategy: strategy.name,
          needed: max(needed, all - (lanes.all - lanes.requests)),
          lanes: lanes.requests)
      }
    }
  }

  /// Whether it answers requests; one that was stopped while it was loading never does.
  private var isReady: Bool {
    readiness.isSet && !active.isDraining && !life.withLock { $0.isStopped }
  }

  /// How many requests have a reply in progress, which ``stop()`` lets finish.
  public var repliesInProgress: Int { service.running.count }

  /// Serves while `body` runs, and then stops: for tests, and for programs with work of their own.
  ///
  /// - Parameters:
  ///   - preloads: as in ``run(signals:preloads:onReady:onListening:)``.
  ///   - body: told the port once requests are answered.
  /// - Returns: what `body` does.
  /// - Throws: what ``run(signals:preloads:onReady:onListening:)`` and `body` throw; `CancellationError` where the server
  ///   was stopped before.
  public func whileServing<Value>(
    preloads: Bool = true, isolation: isolated (any Actor)? = #isolation,
    _ body: (_ port: Int) async throws -> Value
  ) async throws -> Value {
    let (ports, ready) = AsyncStream.makeStream(of: Int.self)
    let serving = Task {
      defer { ready.finish() }
      try await run(preloads: preloads) { ready.yield($0) }
    }
    return try await withTaskCancellationHandler {
      for await port in ports {
        let result: Value
        do {
          result = try await body(port)
        } catch {
          // What went wrong in there says more than how the server ends.
          await stop()
          _ = await serving.result
          throw error
        }
        await stop()
        try await serving.value
        return result
      }
      try await serving.value
      throw CancellationError()
    } onCancel: {
      Task { await stop() }
    }
  }

  /// Takes no more requests, gives running ones their grace, and ends ``run(signals:preloads:onReady:onListening:)``.
  /// Loading a model is broken off, where its provider can do that.
  public func stop() async {
    let group = life.withLock { life in
      life.isStopped = true
      return life.group
    }
    await group?.triggerGracefulShutdown()
  }

  /// Reads profiles and keys anew, and lets models that could not be loaded be tried again. What cannot be read stays as
  /// it was.
  public func reload() async {
    await pool.forgetFailures()
    var failed = false
    for (model, error) in await pool.reloadProfiles() {
      failed = true
      log.error("the profiles of '\(model)' stay as they were: \(error)")
    }
    do {
      let keys = try readKeys()
      if keys.isEmpty, !keyRing.keys.isEmpty {
        failed = true
        log.error("there are no API keys any more; those there were stay in force")
      } else {
        keyRing.replace(with: keys)
      }
    } catch {
      failed = true
      log.error("the API keys stay as they were: \(error)")
    }
    metrics.reloaded(failed ? "failed" : "ok")
    log.info("reloaded profiles and keys" + (failed ? ", not all of them" : ""))
  }

  /// Reloads when the files behind the profiles change.
  private func watch() async {
    guard settings.watchInterval > 0 else { return }
    var known = providers.map { $0.profileStamp() }
    while !Task.isCancelled {
      do { try await Task.sleep(for: .seconds(settings.watchInterval)) } catch { return }
      let now = providers.map { $0.profileStamp() }
      if now != known {
        known = now
        await reload()
      }
    }
  }

  // MARK: - Routes

  private func application(_ onListening: @escaping @Sendable (Int) -> Void) -> Application<
    RouterResponder<ServerContext>
  > {
    let idleTimeout = TimeAmount(.seconds(settings.idleTimeout))
    let closed: @Sendable (ForcedEnd) -> Void = { [metrics, log] why in
      metrics.closedConnection(why)
      log.debug("closed a connection without an answer: \(why)")
    }
    var limits = NIOHTTPDecoderLimitConfiguration()
    limits.maxHeaderFieldSize = 16 << 10
    limits.maxHeaderListSize = 32 << 10
    limits.maxHeaderFieldCount = 100
    // Hummingbird's own timer, which is not set, would close connections whose response is not sent yet.
    let server = HTTPServerBuilder { [limits] responder in
      ServerChannel(responder: responder, limits: limits) {
        ConnectionMonitor(idleTimeout: idleTimeout, onForcedEnd: closed)
      }
    }
    return Application(
      router: router(), server: server,
      configuration: ApplicationConfiguration(
        address: ListeningSocket(settings).address, serverName: "selfcd",
        availableConnectionsDelegate: .maximum(settings.maximumConnections, logger: quiet)),
      onServerRunning: { channel in onListening(channel.localAddress?.port ?? 0) }, logger: quiet)
  }

  /// Hummingbird's own remarks, which would double ours.
  private var quiet: Logger {
    var logger = log.logger
    logger.logLevel = max(logger.logLevel, .warning)
    return logger
  }
}

/// The application and what has to happen around it: beside it, and when it is told to stop.
private struct Serving<App: ApplicationProtocol>: Service {
  let app: App
  let active: ActiveRequests
  let pool: ModelPool
  let grace: Duration
  let log: ServerLog
  let beside: @Sendable () async -> Void

  func run() async throws {
    let task = Task { await beside() }
    defer { task.cancel() }
    // A group of its own, apart from the task that is told to stop: the port stays open until the last reply is over, so
    // that whoever asks for the server's health meanwhile gets an answer.
    let group = ServiceGroup(
      configuration: ServiceGroupConfiguration(
        services: [ServiceGroupConfiguration.ServiceConfiguration(service: app)], logger: app.logger))
    let serving = Task.detached { try await group.run() }
    try await withTaskCancellationHandler {
      try await withGracefulShutdownHandler {
        try await serving.value
      } onGracefulShutdown: {
        Task {
          await pool.close()
          let ended = await active.drain(grace: grace)
          if ended > 0 { log.ended(ended, after: grace) }
          await group.triggerGracefulShutdown()
        }
      }
    } onCancel: {
      serving.cancel()
    }
  }
}
