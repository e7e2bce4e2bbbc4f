import Synchronization

/// Steps all live generations together: one token per lane, one call of the model, then combine, choose, report.
///
/// The engine owns its backend and runs it on a thread of its own. Generations join and leave between steps; the
/// same loop serves one reply on the command line and hundreds in an evaluation.
public actor Engine {
  private let thread: EngineThread
  /// The engine's own thread: calls of the model block for milliseconds to seconds, which must not hold up Swift's
  /// shared threads.
  public nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

  private(set) var backend: (any ModelBackend)?
  var table = LaneTable(count: 0)
  private var rows = LogitRows(vocabularySize: 0)
  private var scratch: [Float] = []
  private var waiting: [LiveGeneration] = []
  private var admission: Admission?
  private var live: [LiveGeneration] = []
  private var isLooping = false
  /// Looked for when a generation has to know them.
  private lazy var ends = backend?.vocabulary.ends ?? []
  let cancellations: CancellationBoard
  nonisolated let statusBoard = StatusBoard()

  /// How a step's lanes reach the model: as given to ``start(stepMode:load:)``, or the faster way found by timing.
  public private(set) var stepMode = StepMode.batched
  /// The most lanes of a step that ``StepMode/separate`` applies to: timing speaks of two, with more one pass over the
  /// weights serves them all.
  private var mostSeparateLanes = 2
  /// Tokens the model has computed since the engine was started, prompts included: what sharing saves shows here.
  public private(set) var computedTokens = 0
  /// Lanes that no generation holds; equals the capacity's lanes when the engine is idle.
  public var freeLanes: Int { table.freeCount }
  /// What the backend has room for; `nil` once the engine has been shut down.
  public var capacity: BackendCapacity? { backend?.capacity }

  private init(thread: EngineThread, abort: AbortSignal) {
    self.thread = thread
    cancellations = CancellationBoard(abort: abort)
  }

  deinit {
    thread.shutdown()
  }

  /// Loads a backend on the engine's thread and returns the engine that owns it.
  ///
  /// - Parameters:
  ///   - stepMode: holds for every step. `nil` times both ways on this machine and takes the faster; separate calls are
  ///     then made for at most two lanes.
  ///   - load: makes the backend; it is given the signal that tells a running call to give up.
  /// - Throws: what `load` throws.
  public static func start(
    stepMode: StepMode? = nil,
    load: @Sendable (AbortSignal) throws -> any ModelBackend
  ) async throws -> Engine {
    let abort = AbortSignal()
    let engine = Engine(thread: EngineThread(name: "selfcd.engine"), abort: abort)
    try await engine.load(stepMode: stepMode, abort: abort, load)
    return engine
  }

  private func load(
    stepMode: StepMode?, abort: AbortSignal, _ load: @Sendable (AbortSignal) throws -> any ModelBackend
  ) throws {
    let backend = try load(abort)
    self.backend = backend
    table = LaneTable(count: backend.capacity.lanes)
    rows = LogitRows(vocabularySize: backend.vocabulary.count)
    self.stepMode = try stepMode ?? StepModeTrial.run(on: backend)
    mostSeparateLanes = stepMode == nil ? 2 : .max
    publishStatus()
  }

  /// Ends every generation as cancelled and frees the model. Later requests fail.
  public func shutdown() {
    waiting = (admission?.dissolve(table: &table) ?? []) + waiting
    admission = nil
    for index in live.indices { end(&live[index], .cancelled) }
    for index in waiting.indices { end(&waiting[index], .cancelled) }
    live = []
    waiting = []
    backend = nil
  }

  /// Forgets what free lanes still hold of earlier prompts, so that what comes next is computed as by an engine that was
  /// just started.
  ///
  /// What lanes hold saves time, but was computed in calls of other sizes, which a model rounds otherwise: a score can
  /// depend on what was asked before it. A generation that is still running keeps its lanes, and one whose prompts are
  /// just being computed may count on those of others: nothing is forgotten then.
  public func forget() {
    guard let backend else { return }
    dropCancelled()
    guard admission == nil else { return }
    if table.freeCount == table.slots.count {
      backend.clear()
      table = LaneTable(count: table.slots.count)
    } else {
      for lane in table.freeLanes {
        backend.clearLane(lane)
        table[lane] = []
      }
    }
    publishStatus()
  }

  // MARK: Requests

  /// Starts a generation; its events arrive while it runs.
  public nonisolated func generate(_ request: GenerationRequest) -> GenerationHandle {
    generate([request])[0]
  }

  /// Starts several generations at once, so that they share what their prompts have in common.
  public nonisolated func generate(_ requests: [GenerationRequest]) -> [GenerationHandle] {
    let now = ContinuousClock.now
    var handles: [GenerationHandle] = []
    var generations: [LiveGeneration] = []
    for request in requests {
      let id = cancellations.makeID()
      let (events, continuation) = AsyncThrowingStream<GenerationEvent, any Error>.makeStream()
      let cancellations = cancellations
      continuation.onTermination = { _ in cancellations.cancel(id) }
      generations.append(
        LiveGeneration(id: id, request: request, continuation: continuation, submitted: now))
      handles.append(GenerationHandle(id: id, events: events) { cancellations.cancel(id) })
    }
    Task { [generations] in await self.submit(generations) }
    return handles
  }

  private func submit(_ generations: [LiveGeneration]) {
    for var generation in generations {
      do {
        try check(generation.request)
        if generation.request.options.excludesEnds { generation.learn(ends: ends) }
        waiting.append(generation)
      } catch {
        settle(generation)
        generation.continuation.finish(throwing: error)
      }
    }
    guard !isLooping, !waiting.isEmpty else { return }
    isLooping = true
    // Each step is a job of its own, so that new requests get in between two steps.
    Task { while self.step() { await Task.yield() } }
  }

  private func check(_ request: GenerationRequest) throws {
    guard let backend else { throw GenerationError.engineStopped }
    try request.options.validate()
    try backend.check(tokens: request.options.bias.keys)
    guard !request.prompts.isEmpty else { throw GenerationError.emptyPrompt(.plain) }
    guard request.lanesToStart <= backend.capacity.lanes else {
      throw GenerationError.tooManyLanes(needed: request.lanesToStart, available: backend.capacity.lanes)
    }
    // A probe stands for the plain lane in what is reported.
    for (role, prompt) in Array(request.prompts) + request.probes.map({ (.plain, $0) }) {
      try backend.check(prompt, of: role, room: 1)
    }
  }

  /// Adds to ``computedTokens`` what is computed outside the loop.
  func count(computed tokens: Int) { computedTokens += tokens }

  // MARK: The loop

  /// - Returns: whether there is anything left to do.
  private func step() -> Bool {
    guard let backend else { return false }
    dropCancelled()
    admit(to: backend)
    publishStatus()
    prefillStep(on: backend)
    decodeStep(on: backend)
    publishStatus()
    if live.isEmpty, waiting.isEmpty, admission == nil { isLooping = false }
    return isLooping
  }

  private func dropCancelled() {
    let admitted = admission?.generations.map(\.id) ?? []
    let cancelled = cancellations.takeCancelled(among: Set(live.map(\.id) + waiting.map(\.id) + admitted))
    guard !cancelled.isEmpty else { return }
    if admitted.contains(where: cancelled.contains) {
      // Whoever stays is planned anew, from what the lanes hold by now.
      waiting = (admission?.dissolve(table: &table) ?? []) + waiting
      admission = nil
    }
    for index in live.indices where cancelled.contains(live[index].id) { end(&live[index], .cancelled) }
    for index in waiting.indices where cancelled.contains(waiting[index].id) {
      end(&waiting[index], .cancelled)
    }
    live.removeAll { cancelled.contains($0.id) }
    waiting.removeAll { cancelled.contains($0.id) }
  }

  /// Takes in as many waiting generations, in order, as there are lanes for; their prompts are computed together.
  private func admit(to backend: any ModelBackend) {
    guard admission == nil else { return }
    var room = table.freeCount
    // Probes give their lanes back before the first step. One is enough for all of them, but read one after the
    // other they take a call of the model each, so that a wide engine keeps some lanes for them.
    var reserve = 0
    let admitted = waiting.prefix { generation in
      reserve = max(reserve, min(generation.request.probes.count, Self.probeLanes(of: backend)))
      room -= generation.request.prompts.count
      return room >= reserve
    }
    guard !admitted.isEmpty else { return }
    waiting.removeFirst(admitted.count)
    admission = Admission(Array(admitted), table: &table, capacity: backend.capacity)
  }

  /// While others are live, prompts are computed in calls of a part of a batch, so that nobody waits long: as large as
  /// the part of all generations that wait for theirs, since few that decode gain less than many that could begin to,
  /// and at least this one.
  private static let leastPrefillShare = 0.25

  /// Lanes that are kept for probes.
  private static func probeLanes(of backend: any ModelBackend) -> Int { max(1, backend.capacity.lanes / 4) }

  private func prefillStep(on backend: any ModelBackend) {
    guard var admission else { return }
    // Two copies of it would make every change a copy of the rows.
    self.admission = nil
    let batch = backend.capacity.batch
    let share = Double(admission.generations.count) / Double(admission.generations.count + live.count)
    let budget = max(1, Int(Double(batch) * max(share, Self.leastPrefillShare)))
    do {
      let ready = try cancellations.during(admission.generations.map(\.id)) {
        try admission.advance(
          budget: budget, probeLanes: live.isEmpty ? .max : Self.probeLanes(of: backend), on: backend,
          table: &table, computed: &computedTokens)
      }
      for (var generation, logits) in ready {
        advance(&generation, with: logits, on: backend)
        if generation.nextToken != nil { live.append(generation) }
      }
    } catch {
      for generation in admission.generations { fail(generation, error, on: backend) }
      return
    }
    if !admission.generations.isEmpty { self.admission = admission }
  }

  private func decodeStep(on backend: any ModelBackend) {
    for index in live.indices where isOutOfContext(live[index], backend) { end(&live[index], .length) }
    live.removeAll { $0.nextToken == nil }
    guard !live.isEmpty else { return }

    let appends: [LaneAppend]
    let rowOf: [[LaneRole: Int]]
    rows.removeAll()
    do {
      (appends, rowOf) = try planStep(on: backend)
      let isSeparate = stepMode == .separate && appends.count <= mostSeparateLanes
      let chunk = isSeparate ? 1 : backend.capacity.batch
      try cancellations.during(live.map(\.id)) {
        for start in stride(from: 0, to: appends.count, by: chunk) {
          try backend.decode(Array(appends[start..<min(start + chunk, appends.count)]), into: &rows)
        }
      }
    } catch {
      for generation in live { fail(generation, error, on: backend) }
      live = []
      return
    }
    for append in appends { table.append(append.tokens, to: append.lane) }
    computedTokens += appends.count

    for index in live.indices {
      live[index].wasDecoded()
      let logits = LaneLogits(
        guarded: rowOf[index][.guarded].map { rows[$0] }, plain: rowOf[index][.plain].map { rows[$0] })
      advance(&live[index], with: logits, on: backend)
    }
    live.removeAll { $0.nextToken == nil }
  }

  /// What the next call of the model has to append, and which of its rows belongs to which lane of a generation.
  ///
  /// Users of one lane that chose the same token stay together; the others part to a copy first.
  private func planStep(on backend: any ModelBackend) throws -> ([LaneAppend], rowOf: [[LaneRole: Int]]) {
    struct Continuation: Hashable {
      let lane: LaneID
      let token: TokenID
    }
    var appends: [LaneAppend] = []
    var rowOf = Array(repeating: [LaneRole: Int](), count: live.count)
    var rows: [Continuation: Int] = [:]
    var continued: Set<LaneID> = []
    for index in live.indices {
      guard let token = live[index].nextToken else { continue }
      for (role, lane) in live[index].lanes.sorted(by: {
        ($0.value, $0.key.rawValue) < ($1.value, $1.key.rawValue)
      }) {
        let continuation = Continuation(lane: lane, token: token)
        if rows[continuation] == nil {
          // The first token of a lane is decoded in it, any other in a copy.
          let target = continued.insert(lane).inserted ? lane : try fork(lane, on: backend)
          rows[continuation] = appends.count
          appends.append(LaneAppend(lane: target, tokens: [token], logits: .last))
        }
        guard let row = rows[continuation] else { continue }
        rowOf[index][role] = row
        let target = appends[row].lane
        if target != lane {
          table.giveBack(lane)
          table.take(target)
          live[index].lanes[role] = target
        }
      }
    }
    return (appends, rowOf)
  }

  /// A free lane that holds what `lane` holds; there is one for every user of a shared lane.
  private func fork(_ lane: LaneID, on backend: any ModelBackend) throws -> LaneID {
    let free = table.freeLanes(1, asNeighbours: backend.capacity.prefersNeighbours)
    guard let target = free.first else { throw BackendError.cacheFull }
    backend.clearLane(target)
    table[target] = []
    try backend.copyLane(lane, to: target)
    table[target] = table[lane]
    return target
  }

  private func isOutOfContext(_ generation: LiveGeneration, _ backend: any ModelBackend) -> Bool {
    generation.lanes.values.contains { table[$0].count >= backend.capacity.context }
  }

  /// Chooses the next token, or ends the generation, and frees lanes that are no longer needed.
  private func advance(
    _ generation: inout LiveGeneration, with logits: LaneLogits, on backend: any ModelBackend
  ) {
    generation.nextToken = nil
    do {
      if let reason = try generation.choose(from: logits, vocabulary: backend.vocabulary, scratch: &scratch) {
        return end(&generation, reason)
      }
    } catch {
      return fail(generation, error, on: backend)
    }
    for role in generation.lanesToFree() {
      if let lane = generation.lanes.removeValue(forKey: role) { table.giveBack(lane) }
    }
  }

  private func end(_ generation: inout LiveGeneration, _ reason: StopReason) {
    generation.nextToken = nil
    settle(generation)
    generation.finish(reason)
  }

  /// A cancelled call of the model ends its generations as cancelled; any other error is passed on.
  private func fail(_ generation: LiveGeneration, _ error: any Error, on backend: any ModelBackend) {
    // Another generation that shares the lane still needs it, or clears it when it fails itself.
    let own = Dictionary(generation.lanes.values.map { ($0, 1) }, uniquingKeysWith: +)
    for (lane, users) in own where table.users(of: lane) == users {
      backend.clearLane(lane)
      table[lane] = []
    }
    let isCancelled = cancellations.isCancelled(generation.id)
    settle(generation)
    if isCancelled, error as? BackendError == .aborted {
      var generation = generation
      generation.finish(.cancelled)
    } else {
      generation.continuation.finish(throwing: error)
    }
  }

  /// Frees what a generation holds. Its last event comes after this, so that whoever reads it finds the lanes free.
  private func settle(_ generation: LiveGeneration) {
    for lane in generation.lanes.values { table.giveBack(lane) }
    publishStatus()
    cancellations.forget(generation.id)
    generation.request.onEnd?()
  }
}

/// A running generation.
public struct GenerationHandle: Sendable {
  /// The generation's number, unique within its engine.
  public let id: Int
  /// Ends after ``GenerationEvent/finished(_:)``, or throws. Not to be iterated twice.
  public let events: AsyncThrowingStream<GenerationEvent, any Error>
  private let onCancel: @Sendable () -> Void

  init(
    id: Int, events: AsyncThrowingStream<GenerationEvent, any Error>, onCancel: @escaping @Sendable () -> Void
  ) {
    self.id = id
    self.events = events
    self.onCancel = onCancel
  }

  /// Asks the engine to end the generation; what was generated stays, and the stop reason is `cancelled`.
  public func cancel() { onCancel() }
}
