import SelfCD
import SelfCDData
import SelfCDEval
import SelfCDJudges
import SelfCDStore
import SelfCDSupport

/// Carries a calibration out: generates for one stage, tests, and generates for the next only what passed.
public struct CalibrationRun: Sendable {
  /// What is generated in turn.
  public enum Stage: String, Sendable, Hashable, CaseIterable {
    /// The harmless prompts under the reference and the condition beside it, to know rates and speed (``TuningRun``).
    case baseRates
    /// The reference's replies to the prompts to calibrate on.
    case reference
    /// The candidates' replies to them.
    case calibration
    /// The replies of those that passed to the prompts to confirm on.
    case confirmation
  }

  /// What came of it.
  public struct Outcome: Sendable {
    /// The tests.
    public var result: CalibrationStages
    /// Prompts that were left out because a reply is missing.
    public var incomplete: Int
    /// Replies that could not be generated.
    public var failures: Int
    /// Why the candidates were not measured; nil where they were.
    public var stoppedBecause: CalibrationStages.Fallback?
  }

  /// The run that the replies are of.
  public let run: EvaluationRun
  /// What is promised, and how it is tested.
  public let settings: CalibrationSettings
  /// The condition that candidates are compared with.
  public let reference: String
  /// Conditions that are measured on the prompts to calibrate on and are no candidates: what a tuning shows beside the
  /// reference.
  public let comparisons: [String]
  /// In the order of the test.
  public let candidates: [CalibrationStages.Candidate]
  /// Who counts: the first of the run's judges.
  public let judge: any ReplyJudge
  /// How the prompts were parted.
  public let split: CalibrationProfile.Split?
  /// Earlier calibrations of the same model on some of the same harmful prompts, in this store.
  public let earlier: [EarlierCalibration]
  private let confirmationNames: Set<String>

  /// Takes up a run that was begun with a calibration's settings.
  /// - Throws: ``RunError`` for a run that is no calibration, or whose counting judge is not at hand.
  public init(_ run: EvaluationRun) throws {
    self.run = run
    let record = try run.store.run(id: run.id)
    earlier = try run.store.calibrations(before: record)
    let settings = try RunSettings(of: record)
    guard let own = settings.calibration, let reference = settings.reference else {
      throw RunError.notACalibration(run: run.id)
    }
    guard let name = settings.judges.first, let judge = run.judges.first(where: { $0.name == name }) else {
      throw RunError.judgeMissing(run: run.id, judge: settings.judges.first)
    }
    self.judge = judge
    split = own.split
    self.settings = own.settings
    self.reference = reference
    confirmationNames = Set(own.confirmation)
    let comparisons = [own.tuning?.comparison].compactMap(\.self)
    self.comparisons = comparisons
    candidates = run.plan.conditions.filter { $0.id != reference && !comparisons.contains($0.id) }
      .map { .init(id: $0.id, path: $0.strategy.name) }
  }

  var calibrationSets: [Dataset] { sets { !confirmationNames.contains($0) } }
  private var confirmationSets: [Dataset] { sets(where: confirmationNames.contains) }

  /// Runs of 0.1 hold whole groups; what is tested is one harmful prompt of each all the same.
  private func sets(where isWanted: (String) -> Bool) -> [Dataset] {
    let sets = run.plan.datasets.filter { isWanted($0.name) }
    guard let split, let group = split.group else { return sets }
    return GroupDraw.onePerGroup(sets, column: group, seed: split.seed)
  }

  /// Whether any candidate was asked before.
  /// - Throws: `StoreError`.
  public func hasCandidateReplies() throws -> Bool {
    let asked = Set(candidates.map(\.id))
    return try run.store.keys(runID: run.id).contains { asked.contains($0.condition) }
  }

  /// What the prompts can show.
  /// - Throws: `StatisticsError` for settings out of range.
  public func plan() throws -> CalibrationPlan {
    try CalibrationPlan(
      calibration: calibrationSets, confirmation: confirmationSets, candidates: candidates, settings: settings
    )
  }

  // MARK: Carrying it out

  /// Generates what is missing and tests. The reference comes first: where its own replies leave nothing to choose, the
  /// candidates are not asked.
  /// - Parameters:
  ///   - model: The model, with as many lanes as the plan's widest condition needs.
  ///   - isInsistent: Whether to measure the candidates even where none of them can pass.
  ///   - observer: Told what happens.
  /// - Throws: ``RunError``, `StatisticsError`, what the runner, the judges and the store throw.
  public func run(
    with model: ChatModel, isInsistent: Bool = false, observer: @escaping RunObserver = { _ in }
  ) async throws -> Outcome {
    let first = run.plan.conditions.filter { $0.id == reference || comparisons.contains($0.id) }
    var failures = try await stage(.reference, calibrationSets, first, model, observer)
    let base = try tested([])
    var outcome = Outcome(result: base.result, incomplete: base.incomplete, failures: 0)
    if let reason = base.result.reasonToStop, reason == .nothingToReduce || !isInsistent {
      try run.store.plan(
        calibrationSets.reduce(0) { $0 + $1.samples.count } * first.count, runID: run.id)
      outcome.stoppedBecause = reason
    } else {
      failures += try await choose(&outcome, model, observer)
    }
    outcome.failures = failures
    if failures == 0 { try run.store.finish(runID: run.id) }
    return outcome
  }

  /// Measures the candidates, and once more those that pass.
  /// - Returns: The number of replies that are missing.
  private func choose(
    _ outcome: inout Outcome, _ model: ChatModel, _ observer: @escaping RunObserver
  ) async throws -> Int {
    var failures = try await stage(.calibration, calibrationSets, run.plan.conditions, model, observer)
    let calibrated = try tested(candidates.map(\.id))
    outcome.incomplete = calibrated.incomplete
    outcome.result = calibrated.result
    let passed = outcome.result.passed
    let stored = calibrationSets.reduce(0) { $0 + $1.samples.count } * run.plan.conditions.count
    guard !passed.isEmpty, settings.stages == .two else {
      try run.store.plan(stored, runID: run.id)
      return failures
    }
    let conditions = run.plan.conditions.filter { $0.id == reference || passed.contains($0.id) }
    let more = confirmationSets.reduce(0) { $0 + $1.samples.count } * conditions.count
    try run.store.plan(stored + more, runID: run.id)
    failures += try await stage(.confirmation, confirmationSets, conditions, model, observer)
    let confirmed = try outcomes(confirmationSets, passed)
    try outcome.result.confirm(on: confirmed)
    outcome.incomplete += confirmed.incomplete
    return failures
  }

  private func stage(
    _ stage: Stage, _ datasets: [Dataset], _ conditions: [EvaluationCondition], _ model: ChatModel,
    _ observer: @escaping RunObserver
  ) async throws -> Int {
    observer(.stage(stage))
    var part = run
    part.plan.datasets = datasets
    part.plan.conditions = conditions
    let outcome = try await part.generate(with: model, observer: observer)
    try await run.judge(observer: observer)
    return outcome.failures.count
  }

  /// The test on the calibration's prompts, with the replies of the reference and of the candidates named.
  private func tested(_ asked: [String]) throws -> (result: CalibrationStages, incomplete: Int) {
    let outcomes = try outcomes(calibrationSets, asked)
    let result = try CalibrationStages(
      calibrating: outcomes, candidates: candidates, settings: settings)
    return (result, outcomes.incomplete)
  }

  func outcomes(_ datasets: [Dataset], _ candidates: [String]) throws -> ReplyOutcomes {
    let outcomes = ReplyOutcomes(
      try run.store.replies(runID: run.id, withSteps: false), of: datasets, reference: reference,
      candidates: candidates, judge: judge.name, version: judge.version)
    // A few replies that a judge cannot make sense of count against the strategy; if they are many, the figures would be
    // about the judge.
    if let cell = outcomes.missingVerdicts.first(where: \.areTooMany) {
      throw RunError.verdictsMissing(
        judge: judge.name, missing: cell.missing, replies: cell.replies, condition: cell.condition,
        label: cell.isHarmful ? .harmful : .safe)
    }
    return outcomes
  }

  // MARK: The profile

  /// The profile of what was chosen.
  /// - Throws: ``RunError``, `StatisticsError`, `StoreError`.
  public func profile(of result: CalibrationStages) throws -> CalibrationProfile {
    let record = try run.store.run(id: run.id)
    let chosen = result.chosen
    func strategy(_ id: String) throws -> StrategySetting {
      guard let condition = run.plan.conditions.first(where: { $0.id == id }) else {
        throw RunError.noCondition(run: run.id, condition: id)
      }
      return StrategySetting(condition.strategy)
    }
    func stage(
      _ datasets: [Dataset], _ counts: [String: CalibrationCounts]
    ) throws -> CalibrationProfile.StageFigures? {
      guard let own = counts[chosen], let base = counts[reference] else { return nil }
      return try CalibrationProfile.StageFigures(
        data: datasets.map(CalibrationProfile.Source.init), reference: base, chosen: own,
        confidence: settings.confidence, isReference: chosen == reference)
    }
    guard let calibration = try stage(calibrationSets, result.calibration) else {
      throw RunError.notCalibrated(run: run.id)
    }
    return CalibrationProfile(
      model: .init(
        name: record.model.name, sha256: record.model.sha256, adapters: record.model.adapters),
      chosen: try strategy(chosen),
      reference: try strategy(reference), settings: settings, fallback: result.fallback,
      candidates: result.isReferenceOnly ? [] : candidates.map(\.id),
      judge: .init(name: judge.name, version: judge.version), split: split,
      generation: .init(run.plan.options, system: run.plan.system), earlier: earlier,
      calibration: calibration, confirmation: try stage(confirmationSets, result.confirmation),
      codeVersion: SelfCDVersion.current)
  }
}
