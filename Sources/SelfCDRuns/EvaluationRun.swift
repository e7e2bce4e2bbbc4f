import SelfCD
import SelfCDData
import SelfCDEval
import SelfCDJudges
import SelfCDStore
import SelfCDSupport

/// A stored run that is about to be generated, new or resumed.
///
/// ```swift
/// let run = try EvaluationRun(starting: "first", plan: plan, model: ModelFile(path: path), in: store)
/// try await run.run(with: loaded.chat)
/// print(try StoredEvaluation(runID: run.id, in: store).summary.rows)
/// ```
public struct EvaluationRun: Sendable {
  /// The run's identifier.
  public let id: String
  /// Where it is stored.
  public let store: RunStore
  /// What is generated; a part of it, where only that is wanted.
  public var plan: EvaluationPlan
  /// The judges; the first one's verdicts are counted.
  public let judges: [any ReplyJudge]
  /// Judges that the run began with and that are not at hand: judge with them afterwards.
  public let missingJudges: [String]

  /// Stores a new run with everything that resuming it takes.
  /// - Parameters:
  ///   - name: The run's identifier in the store.
  ///   - plan: What is generated.
  ///   - judges: The first one's verdicts are counted. Rules judge each reply as it comes, models what is stored.
  ///   - reference: The condition that others are compared with; nil for the usual one.
  ///   - group: The column that says which prompts belong together, so that intervals resample whole groups; nil takes
  ///     prompts as independent.
  ///   - calibration: What is tested with the replies, where the run is a calibration.
  ///   - model: The model's file.
  ///   - store: Where the run is kept.
  /// - Throws: ``RunError`` for a name that is taken or stands for the latest run and for a reference that is no condition,
  ///   `MissingColumn`, `EvaluationError` for the plan, `StoreError`, what reading the file throws.
  public init(
    starting name: String, plan: EvaluationPlan, judges: [any ReplyJudge] = JudgeCatalogue.local,
    reference: String? = nil, group: String? = nil, calibration: RunSettings.Calibration? = nil,
    model: ModelFile, in store: RunStore
  ) throws {
    try RunError.check(newRun: name)
    try plan.validate()
    try plan.datasets.checkGroups(by: group)
    if let reference, !plan.conditions.contains(where: { $0.id == reference }) {
      throw RunError.noReference(reference, known: plan.conditions.map(\.id))
    }
    let record = RunRecord(
      id: name, codeVersion: SelfCDVersion.current,
      model: .init(name: model.name, identity: try model.identity(), metadata: model.metadata),
      parameters: try RunSettings(
        plan: plan, judges: judges.map(\.name), reference: reference, group: group, model: model,
        calibration: calibration
      ).json(),
      seeds: [plan.options.sampling.seed], machine: .current, planned: plan.planned)
    do {
      try store.begin(
        record, datasets: plan.datasets, conditions: try plan.conditions.map { try ConditionRecord($0) })
    } catch StoreError.alreadyExists {
      throw RunError.nameTaken(run: name)
    }
    id = name
    self.store = store
    self.plan = plan
    self.judges = judges
    missingJudges = []
  }

  // MARK: Carrying it out

  /// Generates and judges what is missing, and marks the run as finished where nothing failed.
  /// - Parameters:
  ///   - model: The model, with as many lanes as the plan's widest condition needs.
  ///   - timing: Seconds for which each condition is decoded by itself, to know its speed; 0 for none.
  ///   - observer: Told what happens.
  /// - Throws: As ``generate(with:observer:)`` and ``judge(observer:)``.
  @discardableResult
  public func run(
    with model: ChatModel, timing: Double = 0, observer: @escaping RunObserver = { _ in }
  ) async throws -> EvaluationOutcome {
    let outcome = try await generate(with: model, observer: observer)
    if outcome.failures.isEmpty { try store.finish(runID: id) }
    if timing > 0 { try await time(model, seconds: timing, observer: observer) }
    try await judge(observer: observer)
    return outcome
  }

  /// Generates what the store lacks of the plan, which may be a part of the run's; the run is not marked as finished.
  /// Rules judge each reply as it comes.
  /// - Throws: ``RunError/interrupted(done:planned:)`` where the task was cancelled: what was generated until then is
  ///   stored; ``RunError/nothingAnswered(reason:)``; what the runner and the store throw.
  public func generate(
    with model: ChatModel, observer: @escaping RunObserver = { _ in }
  ) async throws -> EvaluationOutcome {
    let done = try storedKeys()
    let runner = EvaluationRunner(
      model: model, plan: plan, judges: judges.filter { $0 is any LocalReplyJudge })
    let outcome = try await runner.run(skipping: done, into: RunSink(store, runID: id)) {
      observer(.generated($0))
    }
    if !outcome.failures.isEmpty { observer(.failed(outcome.failures)) }
    let progress = outcome.progress
    if outcome.isInterrupted { throw RunError.interrupted(done: progress.done, planned: progress.planned) }
    if progress.done == 0, let failure = outcome.failures.first {
      throw RunError.nothingAnswered(reason: failure.reason)
    }
    return outcome
  }

  /// Judges what has no verdict yet by each of the judges in its present version.
  /// - Throws: What made a judge fail, after its verdicts so far were stored; `StoreError`.
  public func judge(observer: @escaping RunObserver = { _ in }) async throws {
    try await store.judge(runID: id, by: judges, onlyMissing: true, observer: observer)
  }

  /// Times the conditions one reply at a time, since those of an evaluation share lanes and steps, and keeps the speeds;
  /// not again where that was done.
  /// - Throws: `CancellationError`, what the engine and the store throw.
  public func time(
    _ model: ChatModel, seconds: Double, observer: @escaping RunObserver = { _ in }
  ) async throws {
    guard try store.speeds(runID: id).isEmpty else { return }
    let speeds = try await SpeedTrial(model: model, plan: plan).run(seconds: seconds) { observer(.timed($0)) }
    try store.add(speeds: speeds, to: id)
  }
}
