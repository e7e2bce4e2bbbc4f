import SelfCD
import SelfCDData
import SelfCDJudges

/// Generates and judges what a plan asks for, as many replies at a time as the engine has lanes for.
///
/// All conditions of one prompt are submitted together, so that they share its prefill and are decoded once as long
/// as they agree. Every reply goes to the sink when it is finished; what a run lacks after an interruption is found
/// by comparing the plan with what is stored. Cancelling the task ends the run: replies in flight are dropped,
/// finished ones stored.
public struct EvaluationRunner: Sendable {
  private let model: ChatModel
  private let memo: RenderMemo
  private let plan: EvaluationPlan
  private let judges: [any ReplyJudge]

  /// Makes a runner.
  /// - Parameters:
  ///   - model: The model to evaluate.
  ///   - plan: What to generate.
  ///   - judges: Each gives a verdict on every reply.
  public init(model: ChatModel, plan: EvaluationPlan, judges: [any ReplyJudge]) {
    memo = RenderMemo(model.renderer)
    self.model = ChatModel(engine: model.engine, renderer: memo)
    self.plan = plan
    self.judges = judges
  }

  /// Generates what is missing.
  /// - Parameters:
  ///   - done: Replies of earlier sessions.
  ///   - sink: Where replies go.
  ///   - progress: Told after every store.
  /// - Throws: `EvaluationError` and its siblings for the plan, what the engine, a judge or the sink throws. Replies
  ///   stored before stay stored. A sample that alone cannot be answered is reported as a failure instead.
  public func run(
    skipping done: Set<ReplyKey> = [], into sink: any EvaluationSink,
    progress: @Sendable (EvaluationProgress) -> Void = { _ in }
  ) async throws -> EvaluationOutcome {
    try plan.validate()
    let capacity = await model.engine.capacity?.lanes ?? 0
    let widest = plan.widestCondition
    guard capacity >= widest else {
      throw EvaluationError.tooFewLanes(needed: widest, available: capacity)
    }
    let computedBefore = await model.engine.computedTokens
    var state = State(planned: plan.planned, done: done.count)
    try await withThrowingTaskGroup(of: Finished.self) { tasks in
      var lanesInFlight = 0
      samples: for dataset in plan.datasets {
        for sample in dataset.samples {
          let jobs = self.jobs(
            dataset: dataset.name, sample: sample, skipping: done, failures: &state.failures)
          guard !jobs.isEmpty else { continue }
          let lanes = jobs.reduce(0) { $0 + $1.request.prompts.count }
          // Twice the engine's lanes: those waiting are admitted in the step in which others end.
          while lanesInFlight > 0, lanesInFlight + lanes > 2 * capacity, let finished = try await tasks.next()
          {
            lanesInFlight -= finished.lanes
            try collect(finished, into: &state, sink: sink, progress: progress)
          }
          if Task.isCancelled { break samples }
          let handles = model.engine.generate(jobs.map(\.request))
          for (job, handle) in zip(jobs, handles) {
            tasks.addTask { try await finish(job, handle) }
          }
          lanesInFlight += lanes
        }
      }
      while let finished = try await tasks.next() {
        try collect(finished, into: &state, sink: sink, progress: progress)
      }
    }
    try flush(&state, into: sink, progress: progress)
    return EvaluationOutcome(
      progress: state.progress, failures: state.failures, isInterrupted: Task.isCancelled,
      computedTokens: await model.engine.computedTokens - computedBefore)
  }

  /// Generates all of the plan and keeps it in memory, for what is done with the replies at once.
  /// - Parameter progress: Told how much is done, 0 … 1.
  /// - Returns: The replies in the order in which they came, and what could not be generated.
  /// - Throws: As ``run(skipping:into:progress:)``; `CancellationError` where the task was cancelled.
  public func replies(
    progress: @Sendable (Double) -> Void = { _ in }
  ) async throws -> (replies: [EvaluatedReply], failures: [EvaluationFailure]) {
    let collector = ReplyCollector()
    let outcome = try await run(into: collector) { progress(Double($0.done) / Double(max(1, $0.planned))) }
    if outcome.isInterrupted { throw CancellationError() }
    return (collector.all, outcome.failures)
  }

  // MARK: One sample

  private struct Job: Sendable {
    let key: ReplyKey
    let sample: Sample
    let seed: UInt64?
    let request: GenerationRequest
  }

  /// The requests of a sample that have no reply yet.
  private func jobs(
    dataset: String, sample: Sample, skipping done: Set<ReplyKey>,
    failures: inout [EvaluationFailure]
  ) -> [Job] {
    defer { memo.forget() }
    let chat = plan.chat(for: sample)
    var jobs: [Job] = []
    for condition in plan.conditions {
      for repetition in 0..<plan.repetitions {
        let key = ReplyKey(
          dataset: dataset, sample: sample.id, condition: condition.id, repetition: repetition)
        guard !done.contains(key) else { continue }
        var options = plan.options
        options.sampling.seed = GenerationSeed.derive(run: plan.options.sampling.seed, key)
        do {
          jobs.append(
            Job(
              key: key, sample: sample, seed: options.sampling.isGreedy ? nil : options.sampling.seed,
              request: try model.request(chat, strategy: condition.strategy, options: options)))
        } catch {
          failures.append(EvaluationFailure(key: key, reason: "\(error)"))
        }
      }
    }
    return jobs
  }

  private struct Finished: Sendable {
    enum Result: Sendable {
      case reply(EvaluatedReply)
      case failure(EvaluationFailure)
      case cancelled
    }

    let lanes: Int
    let result: Result
  }

  private func finish(_ job: Job, _ handle: GenerationHandle) async throws -> Finished {
    let lanes = job.request.prompts.count
    do {
      let reply = try await handle.reply()
      if reply.stopReason == .cancelled { return Finished(lanes: lanes, result: .cancelled) }
      var evaluated = EvaluatedReply(reply, key: job.key, sample: job.sample, seed: job.seed)
      for judge in judges {
        do {
          let verdict =
            evaluated.isOnlyReasoning
            ? .onlyReasoning : try await judge.judge(prompt: job.sample.prompt, reply: reply.text)
          evaluated.judgements.append(.init(judge: judge.name, version: judge.version, verdict: verdict))
        } catch JudgeError.unknownLanguage {
          // The reply stays, without this judge's verdict: nothing it says could be told from an answer.
        }
      }
      return Finished(lanes: lanes, result: .reply(evaluated))
    } catch is CancellationError {
      return Finished(lanes: lanes, result: .cancelled)
    } catch let error as GenerationError {
      // About this prompt, not about the model: the other prompts go on.
      return Finished(
        lanes: lanes, result: .failure(EvaluationFailure(key: job.key, reason: error.description)))
    }
  }

  // MARK: Collecting

  private struct State {
    var progress: EvaluationProgress
    var failures: [EvaluationFailure] = []
    var unsaved: [EvaluatedReply] = []
    let start = ContinuousClock.now
    var lastFlush = ContinuousClock.now

    init(planned: Int, done: Int) {
      progress = EvaluationProgress(done: done, planned: planned, generated: 0, tokens: 0, elapsed: .zero)
    }
  }

  /// Replies are stored together, since each store waits for the disk; but soon, since a kill loses what is not.
  private static let patience = Duration.milliseconds(200)

  private func collect(
    _ finished: Finished, into state: inout State, sink: any EvaluationSink,
    progress: @Sendable (EvaluationProgress) -> Void
  ) throws {
    switch finished.result {
    case .cancelled: break
    case .failure(let failure): state.failures.append(failure)
    case .reply(let reply): state.unsaved.append(reply)
    }
    if state.lastFlush.duration(to: .now) > Self.patience {
      try flush(&state, into: sink, progress: progress)
    }
  }

  private func flush(
    _ state: inout State, into sink: any EvaluationSink, progress: @Sendable (EvaluationProgress) -> Void
  ) throws {
    if !state.unsaved.isEmpty { try sink.store(state.unsaved) }
    state.progress.done += state.unsaved.count
    state.progress.generated += state.unsaved.count
    state.progress.tokens += state.unsaved.reduce(0) { $0 + ($1.cost?.generatedTokens ?? 0) }
    state.progress.elapsed = state.start.duration(to: .now)
    state.unsaved = []
    state.lastFlush = .now
    progress(state.progress)
  }
}
