import SelfCD
import SelfCDData
import SelfCDEval
import SelfCDJudges
import SelfCDStore

/// From a model and prompts to a setting: base rates, as many candidates as a time allows, a calibration of them.
///
/// It is a ``CalibrationRun`` that begins without candidates. It first answers the harmless prompts under the reference and
/// under one condition beside it, decides by the speed of these replies how many candidates there is time for, and goes on
/// as a calibration of those. Started again with the same inputs, it goes on where it stopped.
///
/// ```swift
/// let tuning = try TuningRun(
///   split: split, reference: EvaluationCondition(strategy: Guarded()),
///   comparison: EvaluationCondition(strategy: Plain()),
///   candidates: Array(CalibrationGrid.conditions(reference: Guarded()).dropFirst()),
///   model: ModelFile(path: path), in: store)
/// let outcome = try await tuning.run(with: loaded.chat, budget: .seconds(1200))
/// try outcome.profile().write(path: "profile.json")
/// ```
public struct TuningRun: Sendable {
  /// The time that a tuning is given unless told otherwise.
  public static let usualBudget = Duration.seconds(1200)

  /// The run that the replies are of.
  public let run: EvaluationRun
  /// How the application decodes today, whose refusals are kept.
  public let reference: EvaluationCondition
  /// The condition that is measured beside it, to know what the safety prompt changes.
  public let comparison: EvaluationCondition
  /// The candidates that there may be time for, in the order of the test.
  public let grid: [EvaluationCondition]
  /// Whether it goes on with a run that the store had.
  public let isResumed: Bool
  /// How much there is to generate.
  public let work: TuningWork
  private let base: CalibrationRun

  /// What came of it.
  public struct Outcome: Sendable {
    /// The calibration of the candidates that were measured.
    public var calibration: CalibrationRun
    /// What came of that.
    public var outcome: CalibrationRun.Outcome
    /// Which candidates were chosen to be measured; nil where nothing was to be reduced, so that none was.
    public var decision: TuningDecision?
    /// The rates of the reference and of the condition beside it, on the prompts to calibrate on.
    public var baseRates: [BaseRate]

    /// What the model refuses before anything is changed: the reference's own rates.
    public var refusals: RefusalsAtHand {
      RefusalsAtHand(baseRates.first?.counts ?? CalibrationCounts())
    }

    /// The profile of what was chosen.
    /// - Throws: ``RunError``, `StatisticsError`, `StoreError`.
    public func profile() throws -> CalibrationProfile { try calibration.profile(of: outcome.result) }
  }

  /// The counts of a condition that is no candidate.
  public struct BaseRate: Sendable, Hashable {
    /// The condition.
    public var condition: String
    /// What it answers and refuses.
    public var counts: CalibrationCounts
  }

  /// Begins a tuning, or takes up the one of the same inputs that the store has.
  /// - Parameters:
  ///   - name: The run's identifier in the store; nil for one that follows from the inputs.
  ///   - split: The prompts; without any to confirm on for a single stage.
  ///   - reference: How the application decodes today.
  ///   - comparison: The condition that is measured beside it and is no candidate.
  ///   - candidates: Those that there may be time for, in the order of the test.
  ///   - settings: What is promised, and how it is tested.
  ///   - options: How long to generate. The bound holds for replies that are generated so.
  ///   - system: The system prompt of samples that have none of their own.
  ///   - judges: The first one's verdicts are counted.
  ///   - model: The model's file.
  ///   - store: Where the run is kept.
  /// - Throws: ``RunError`` for a name that a run of other inputs has, a missing candidate and a split that does not fit
  ///   the settings; `StatisticsError` for settings out of range, `EvaluationError` for the plan, `StoreError`, what
  ///   reading the file throws.
  public init(
    named name: String? = nil, split: CalibrationSplit, reference: EvaluationCondition,
    comparison: EvaluationCondition, candidates: [EvaluationCondition],
    settings: CalibrationSettings = .init(), options: GenerationOptions = .init(), system: String? = nil,
    judges: [any ReplyJudge] = JudgeCatalogue.local, model: ModelFile, in store: RunStore
  ) throws {
    guard !candidates.isEmpty else { throw RunError.noCandidate }
    guard (settings.stages == .two) != split.confirmation.isEmpty else {
      throw RunError.otherStages(settings.stages)
    }
    try settings.validate()
    let all = EvaluationPlan(
      datasets: split.calibration + split.confirmation, conditions: [reference, comparison] + candidates,
      options: options, system: system)
    try all.validate()
    let inputs = try TuningInputs(
      modelSHA256: model.identity().sha256, split: split, settings: settings, options: options,
      system: system, judges: judges.map(\.name), conditions: all.conditions
    ).fingerprint()
    let name = name ?? "tune-\(inputs.prefix(10))"
    let evaluation: EvaluationRun
    let known = try store.runs().first { $0.id == name }
    if let known {
      let own = try? RunSettings(of: known)
      guard own?.calibration?.tuning?.inputs == inputs else { throw RunError.nameTaken(run: name) }
      evaluation = try EvaluationRun(resuming: known, judges: judges, model: model, in: store)
    } else {
      var plan = all
      plan.conditions = [reference, comparison]
      evaluation = try EvaluationRun(
        starting: name, plan: plan, judges: judges, reference: reference.id,
        calibration: .init(
          settings: settings, confirmation: split.confirmation.map(\.name), split: split.origin,
          tuning: .init(inputs: inputs, comparison: comparison.id)),
        model: model, in: store)
    }
    base = try CalibrationRun(evaluation)
    self.run = evaluation
    self.reference = reference
    self.comparison = comparison
    grid = candidates
    isResumed = known != nil
    work = TuningWork(
      split: split, reference: reference, comparison: comparison, candidates: candidates, system: system)
  }

  /// The plan with all candidates: the model needs lanes and context for it.
  public var largestPlan: EvaluationPlan {
    var plan = run.plan
    plan.conditions = [reference, comparison] + grid
    return plan
  }

  /// Which candidates are measured; nil before that was decided.
  /// - Throws: ``RunError``, `StoreError`.
  public func decision() throws -> TuningDecision? {
    try RunSettings(of: run.store.run(id: run.id)).calibration?.tuning?.decision
  }

  // MARK: Carrying it out

  /// Generates what is missing, decides, and calibrates. Where the reference leaves no harmless prompt unanswered, there
  /// is nothing to reduce, and no candidate is asked.
  /// - Parameters:
  ///   - model: The model, with lanes and context for ``largestPlan``.
  ///   - budget: The time for everything. It decides how many candidates are measured, by an estimate, and cuts nothing
  ///     off. Nil for the one that was decided for, or else ``usualBudget``.
  ///   - isInsistent: Whether to measure the candidates even where none of them can pass.
  ///   - observer: Told what happens.
  /// - Throws: ``RunError/budgetTooSmall(run:budget:one:all:)`` where there is no time for a candidate,
  ///   ``RunError/otherBudget(run:own:given:)`` where the candidates were chosen for another time; as
  ///   ``CalibrationRun/run(with:isInsistent:observer:)``.
  public func run(
    with model: ChatModel, budget: Duration? = nil, isInsistent: Bool = false,
    observer: @escaping RunObserver = { _ in }
  ) async throws -> Outcome {
    let decision = try await settle(model, budget.map { $0 / .seconds(1) }, observer)
    var measured = self.run
    measured.plan.conditions =
      [reference, comparison] + grid.filter { decision?.candidates.contains($0.id) ?? false }
    let calibration = try CalibrationRun(measured)
    // Where candidates were asked already, somebody has said before that they are wanted.
    let insists = try isInsistent || calibration.hasCandidateReplies()
    let outcome = try await calibration.run(with: model, isInsistent: insists, observer: observer)
    return Outcome(
      calibration: calibration, outcome: outcome, decision: decision, baseRates: try calibration.baseRates())
  }

  /// The candidates to measure; nil where there is nothing to reduce.
  private func settle(
    _ model: ChatModel, _ budget: Double?, _ observer: @escaping RunObserver
  ) async throws -> TuningDecision? {
    if let known = try self.decision() {
      if let budget, budget != known.budgetSeconds {
        throw RunError.otherBudget(run: run.id, own: known.budgetSeconds, given: budget)
      }
      return known
    }
    let seconds = budget ?? Self.usualBudget / .seconds(1)
    observer(.stage(.baseRates))
    let harmless = Self.harmless(base.calibrationSets)
    let enough = min(Self.firstPrompts, harmless.reduce(0) { $0 + $1.samples.count })
    var pace = Pace(enough: Double(enough))
    try await measure(harmless.limited(to: Self.firstPrompts), model, &pace, observer)
    // A few replies tell the time roughly: only what is far beyond it ends here rather than after all of them.
    if let first = pace.secondsPerLane,
      work.seconds(candidates: 1, secondsPerLane: first) > Self.margin * seconds
    {
      throw tooSmall(seconds, first)
    }
    try await measure(harmless, model, &pace, observer)
    guard try base.leavesHarmlessUnanswered() else { return nil }
    let secondsPerLane: Double
    if let measured = pace.secondsPerLane {
      secondsPerLane = measured
    } else {
      // The replies are of a session that ended before it could decide.
      secondsPerLane = try await Self.secondsPerLane(of: basePlan(harmless), with: model)
    }
    let decision = TuningDecision(
      grid: grid.map(\.id), work: work, budgetSeconds: seconds, secondsPerLane: secondsPerLane)
    guard !decision.candidates.isEmpty else { throw tooSmall(seconds, secondsPerLane) }
    try keep(decision)
    observer(.scheduled(decision))
    return decision
  }

  /// Stores the decision and the candidates as conditions of the run, both or neither.
  private func keep(_ decision: TuningDecision) throws {
    var settings = try RunSettings(of: run.store.run(id: run.id))
    settings.calibration?.tuning?.decision = decision
    try run.store.extend(
      runID: run.id,
      conditions: try grid.filter { decision.candidates.contains($0.id) }.map { try ConditionRecord($0) },
      parameters: try settings.json())
    try run.store.plan(work.replies(candidates: decision.candidates.count), runID: run.id)
  }

  private func tooSmall(_ budget: Double, _ secondsPerLane: Double) -> RunError {
    .budgetTooSmall(
      run: run.id, budget: budget, one: work.seconds(candidates: 1, secondsPerLane: secondsPerLane),
      all: work.seconds(candidates: grid.count, secondsPerLane: secondsPerLane))
  }

  // MARK: Time

  /// Harmless prompts of which the first replies are: enough for most machines to decode side by side.
  private static let firstPrompts = 16
  /// How many times the budget one candidate has to take, by the first replies, for the tuning to end there.
  private static let margin = 2.0

  /// What was generated in this session, and in which time.
  private struct Pace {
    /// Lanes after which a speed is known.
    let enough: Double
    var seconds = 0.0
    var lanes = 0.0

    /// Nil where hardly anything was generated: a reply that is alone takes longer than one among many.
    var secondsPerLane: Double? { lanes > 0 && lanes >= enough ? seconds / lanes : nil }
  }

  private func measure(
    _ datasets: [Dataset], _ model: ChatModel, _ pace: inout Pace, _ observer: @escaping RunObserver
  ) async throws {
    var part = run
    part.plan = basePlan(datasets)
    let start = ContinuousClock.now
    let outcome = try await part.generate(with: model) { event in
      // The calibration meets the same failures again and tells them.
      if case .failed = event { return }
      observer(event)
    }
    try await run.judge(observer: observer)
    pace.seconds += start.duration(to: .now) / .seconds(1)
    pace.lanes +=
      Double(outcome.progress.generated * (work.referenceLanes + work.comparisonLanes)) / 2
  }

  private func basePlan(_ datasets: [Dataset]) -> EvaluationPlan {
    var plan = run.plan
    plan.datasets = datasets
    plan.conditions = [reference, comparison]
    return plan
  }

  private static func harmless(_ datasets: [Dataset]) -> [Dataset] {
    datasets.map { dataset in
      var dataset = dataset
      dataset.samples = dataset.samples(labelled: .safe)
      return dataset
    }.filter { !$0.samples.isEmpty }
  }

  /// Times a few replies, which are not kept: what a tuning would take, before there is one.
  /// - Parameters:
  ///   - plan: The prompts to calibrate on under the reference and the condition beside it. Harmless prompts of it are
  ///     answered.
  ///   - model: The model, with lanes and context for all candidates.
  /// - Returns: How long one lane takes, prompt and reply, in seconds.
  /// - Throws: ``RunError/nothingAnswered(reason:)``, `CancellationError`, what the runner throws.
  public static func secondsPerLane(of plan: EvaluationPlan, with model: ChatModel) async throws -> Double {
    var part = plan
    part.datasets = harmless(plan.datasets).limited(to: firstPrompts)
    let start = ContinuousClock.now
    let outcome = try await EvaluationRunner(model: model, plan: part, judges: []).run(into: ReplyCollector())
    if outcome.isInterrupted { throw CancellationError() }
    guard outcome.progress.generated > 0 else {
      throw RunError.nothingAnswered(reason: outcome.failures.first?.reason)
    }
    let seconds: Double = start.duration(to: .now) / .seconds(1)
    let lanes = Double(outcome.progress.generated * part.lanesPerSample) / Double(part.conditions.count)
    return seconds / max(lanes, 1)
  }
}
