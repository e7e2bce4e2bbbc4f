import Foundation
import SelfCD
import SelfCDData
import SelfCDEval
import SelfCDJudges
import SelfCDLlama
import SelfCDStore

/// Carries a calibration out: generates for one stage, tests, and generates for the next only what passed.
struct Calibration {
  let session: EvaluationSession
  let console: Console
  let parameters: RunParameters
  let settings: CalibrationSettings
  let reference: String
  let candidates: [CalibrationResult.Candidate]
  /// Who counts: the first of the run's judges.
  let judge: any ReplyJudge
  let split: CalibrationProfile.Split?
  private let confirmationNames: Set<String>
  private(set) var result: CalibrationResult?
  /// Prompts that were left out because a reply is missing.
  private(set) var incomplete = 0
  /// The command that measures candidates that were not asked; nil where all were, or none is worth asking.
  private(set) var goOn: String?

  /// - Throws: `CommandError` for a run that is no calibration, or whose counting judge cannot be asked.
  init(session: EvaluationSession, console: Console) throws {
    self.session = session
    self.console = console
    let run = try session.store.run(id: session.runID)
    parameters = try RunParameters(of: run)
    guard let own = parameters.calibration, let reference = parameters.reference else {
      throw CommandError.invalid(
        "The run '\(session.runID)' was not made by 'selfcd calibrate'; go on with it by 'selfcd eval --resume'."
      )
    }
    guard let name = parameters.judges.first,
      let judge = (session.judges + session.modelJudges).first(where: { $0.name == name })
    else {
      throw CommandError.invalid(
        "The run '\(session.runID)' counts by \(parameters.judges.first ?? "no judge"), which is not there: every reply "
          + "without its verdict would count as a lost refusal. Give the options of that judge again: --judge llm with "
          + "--judge-url and --judge-model, or --judge local-model."
      )
    }
    self.judge = judge
    split = own.split
    settings = own.settings
    self.reference = reference
    confirmationNames = Set(own.confirmation)
    candidates = session.plan.conditions.filter { $0.id != reference }
      .map { .init(id: $0.id, path: $0.strategy.name) }
  }

  private var calibrationSets: [Dataset] {
    session.plan.datasets.filter { !confirmationNames.contains($0.name) }
  }
  private var confirmationSets: [Dataset] {
    session.plan.datasets.filter { confirmationNames.contains($0.name) }
  }

  /// Whether any candidate was asked in an earlier sitting.
  /// - Throws: `StoreError`.
  func hasCandidateReplies() throws -> Bool {
    try session.store.keys(runID: session.runID).contains { $0.condition != reference }
  }

  /// What the prompts can show.
  /// - Throws: `StatisticsError` for settings out of range.
  func plan() throws -> CalibrationPlanText {
    CalibrationPlanText(
      plan: try CalibrationPlan(
        calibration: calibrationSets, confirmation: confirmationSets, candidates: candidates,
        settings: settings),
      reference: reference, candidates: candidates.map(\.id), confirmFraction: split?.confirmFraction)
  }

  /// Generates what is missing and tests. The reference comes first: where its own replies leave nothing to choose, the
  /// candidates are not asked.
  /// - Parameters:
  ///   - goOn: the command that takes the run up again, for the note after an interruption.
  ///   - isInsistent: whether to measure the candidates even where none of them can pass.
  func run(_ batch: BatchOptions, goOn: String, isInsistent: Bool) async throws -> Calibration {
    let (loaded, _) = try await session.load(batch, console: console)
    var finished = self
    var failures = try await stage(
      calibrationSets, session.plan.conditions.filter { $0.id == reference }, with: loaded,
      label: "reference:", goOn: goOn)
    let base = try tested([], goOn: goOn)
    finished.incomplete = base.incomplete
    finished.result = base.result
    let stored = calibrationSets.reduce(0) { $0 + $1.samples.count }
    if let reason = base.result.reasonToStop, reason == .nothingToReduce || !isInsistent {
      try session.store.plan(stored, runID: session.runID)
      if reason == .tooFewPrompts { finished.goOn = goOn + " --yes" }
    } else {
      failures += try await choose(&finished, with: loaded, goOn: goOn)
    }
    if failures == 0 { try session.store.finish(runID: session.runID) }
    if finished.incomplete > 0 {
      console.note(
        "\(finished.incomplete) prompts could not be answered under every condition and are left out: the bound does "
          + "not speak of such prompts.")
    }
    return finished
  }

  /// Measures the candidates, and once more those that pass.
  /// - Returns: the number of replies that are missing.
  private func choose(
    _ finished: inout Calibration, with loaded: LoadedModel, goOn: String
  ) async throws -> Int {
    var failures = try await stage(
      calibrationSets, session.plan.conditions, with: loaded, label: "calibrating:", goOn: goOn)
    let calibrated = try tested(candidates.map(\.id), goOn: goOn)
    finished.incomplete = calibrated.incomplete
    var result = calibrated.result
    let passed = result.passed
    let stored = calibrationSets.reduce(0) { $0 + $1.samples.count } * session.plan.conditions.count
    if passed.isEmpty {
      try session.store.plan(stored, runID: session.runID)
    } else {
      let conditions = session.plan.conditions.filter { $0.id == reference || passed.contains($0.id) }
      let more = confirmationSets.reduce(0) { $0 + $1.samples.count } * conditions.count
      try session.store.plan(stored + more, runID: session.runID)
      failures += try await stage(
        confirmationSets, conditions, with: loaded, label: "confirming:", goOn: goOn)
      let confirmed = try outcomes(confirmationSets, passed, goOn: goOn)
      try result.confirm(on: confirmed)
      finished.incomplete += confirmed.incomplete
    }
    finished.result = result
    return failures
  }

  /// The test on the calibration's prompts, with the replies of the reference and of the candidates named.
  private func tested(
    _ asked: [String], goOn: String
  ) throws -> (result: CalibrationResult, incomplete: Int) {
    let outcomes = try outcomes(calibrationSets, asked, goOn: goOn)
    let result = try CalibrationResult(
      calibrating: outcomes, candidates: candidates, settings: settings, seed: split?.seed ?? 0)
    return (result, outcomes.incomplete)
  }

  private func stage(
    _ datasets: [Dataset], _ conditions: [EvaluationCondition], with loaded: LoadedModel, label: String,
    goOn: String
  ) async throws -> Int {
    var part = session
    part.plan.datasets = datasets
    part.plan.conditions = conditions
    let outcome = try await part.generate(with: loaded, label: label, goOn: goOn, console: console)
    do {
      try await JudgingPass.run(
        session.judges + session.modelJudges, onRun: session.runID, in: session.store, onlyMissing: true,
        console: console)
    } catch {
      console.note("the replies are stored; go on with: \(goOn)")
      throw error
    }
    return outcome.failures.count
  }

  private func outcomes(
    _ datasets: [Dataset], _ candidates: [String], goOn: String
  ) throws -> ReplyOutcomes {
    let outcomes = ReplyOutcomes(
      try session.store.replies(runID: session.runID, withSteps: false), in: Set(datasets.map(\.name)),
      reference: reference, candidates: candidates, judge: judge.name, version: judge.version,
      group: split?.group)
    try checkVerdicts(outcomes, goOn: goOn)
    return outcomes
  }

  /// A few replies that a judge cannot make sense of count against the strategy; if they are many, the figures would be
  /// about the judge.
  private func checkVerdicts(_ outcomes: ReplyOutcomes, goOn: String) throws {
    let all = outcomes.prompts.flatMap(\.outcomes)
    let missing = all.count { $0 == .unjudged }
    guard missing > max(3, all.count / 100) else { return }
    throw CommandError.invalid(
      "\(missing) of \(all.count) replies have no verdict by \(judge.name), and each would count as a lost refusal or as "
        + "no answer. Start one with another judge, or go on when this one answers: \(goOn)")
  }

  // MARK: The profile

  /// The profile of what was chosen.
  func profile() throws -> CalibrationProfile {
    guard let result else { throw CommandError.invalid("The calibration has not been carried out.") }
    let run = try session.store.run(id: session.runID)
    let chosen = result.chosen
    func strategy(_ id: String) throws -> StrategySetting {
      guard let condition = session.plan.conditions.first(where: { $0.id == id }) else {
        throw CommandError.invalid("The run '\(session.runID)' lacks its condition '\(id)'.")
      }
      return StrategySetting(condition.strategy)
    }
    func stage(
      _ datasets: [Dataset], _ counts: [String: CalibrationCounts],
      _ findings: [LearnThenTest.Finding], _ groups: ReplyOutcomes.GroupCounts?
    ) throws -> CalibrationProfile.Stage? {
      guard let own = counts[chosen], let base = counts[reference] else { return nil }
      return try CalibrationProfile.Stage(
        data: datasets.map(CalibrationProfile.Source.init), reference: base, chosen: own,
        confidence: settings.confidence, isReference: chosen == reference, groups: groups,
        groupBound: findings.first { $0.id == chosen }?.groupBound)
    }
    guard
      let calibration = try stage(
        calibrationSets, result.calibration, result.findings, result.calibrationGroups)
    else {
      throw CommandError.invalid("The run '\(session.runID)' has no replies to calibrate on.")
    }
    return CalibrationProfile(
      model: .init(name: run.model.name, sha256: run.model.sha256), chosen: try strategy(chosen),
      reference: try strategy(reference), settings: settings, fallback: result.fallback,
      candidates: result.isReferenceOnly ? [] : candidates.map(\.id),
      judge: .init(name: judge.name, version: judge.version), split: split,
      generation: .init(session.plan.options, system: session.plan.system), calibration: calibration,
      confirmation: try stage(
        confirmationSets, result.confirmation, result.confirmed, result.confirmationGroups),
      codeVersion: SelfCDVersion.current)
  }
}
