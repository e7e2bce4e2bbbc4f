import SelfCD
import SelfCDData
import SelfCDEval
import SelfCDJudges
import SelfCDStore

// How a calibration begins: its settings, its split and its conditions become a stored run.
extension CalibrationRun {
  /// Stores a new calibration with everything that resuming it takes.
  ///
  /// ```swift
  /// let split = try CalibrationSplit(datasets, confirmFraction: 0.5, seed: 0)
  /// let calibration = try CalibrationRun(
  ///   starting: "mine", split: split, conditions: CalibrationGrid.conditions(reference: Guarded()),
  ///   model: ModelFile(path: path), in: store)
  /// let outcome = try await calibration.run(with: loaded.chat)
  /// try calibration.profile(of: outcome.result).write(path: "profile.json")
  /// ```
  ///
  /// To go on with it later, make an ``EvaluationRun/init(resuming:judges:model:checking:in:)`` of its record and a
  /// ``CalibrationRun/init(_:)`` of that.
  /// - Parameters:
  ///   - name: The run's identifier in the store.
  ///   - split: The prompts; without any to confirm on for a calibration in a single stage.
  ///   - conditions: The reference first, then the candidates in the order of the test.
  ///   - settings: What is promised, and how it is tested.
  ///   - options: How long to generate. The bound holds for replies that are generated so.
  ///   - system: The system prompt of samples that have none of their own.
  ///   - judges: The first one's verdicts are counted.
  ///   - model: The model's file.
  ///   - store: Where the run is kept.
  /// - Throws: ``RunError`` for a name that is taken, a missing candidate and a split that does not fit the settings;
  ///   `MissingColumn` for prompts grouped by a column that they lack, `StatisticsError` for settings out of range, `EvaluationError` for the plan, `StoreError`, what reading the
  ///   file throws.
  public init(
    starting name: String, split: CalibrationSplit, conditions: [EvaluationCondition],
    settings: CalibrationSettings = .init(), options: GenerationOptions = .init(), system: String? = nil,
    judges: [any ReplyJudge] = JudgeCatalogue.local, model: ModelFile, in store: RunStore
  ) throws {
    guard let reference = conditions.first, conditions.count > 1 else { throw RunError.noCandidate }
    guard (settings.stages == .two) != split.confirmation.isEmpty else {
      throw RunError.otherStages(settings.stages)
    }
    try settings.validate()
    try (split.calibration + split.confirmation).checkGroups(by: split.origin.group)
    let plan = EvaluationPlan(
      datasets: split.calibration + split.confirmation, conditions: conditions, options: options,
      system: system)
    let run = try EvaluationRun(
      starting: name, plan: plan, judges: judges, reference: reference.id,
      calibration: .init(
        settings: settings, confirmation: split.confirmation.map(\.name), split: split.origin),
      model: model, in: store)
    try self.init(run)
  }
}
