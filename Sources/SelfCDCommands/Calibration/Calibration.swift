import Foundation
import SelfCD
import SelfCDEval
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
  private let confirmationNames: Set<String>
  private(set) var result: CalibrationResult?
  /// Prompts that were left out because a reply is missing.
  private(set) var incomplete = 0

  /// - Throws: `CommandError` for a run that is no calibration.
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
    settings = own.settings
    self.reference = reference
    confirmationNames = Set(own.confirmation)
    candidates = session.plan.conditions.filter { $0.id != reference }
      .map { .init(id: $0.id, path: $0.strategy.name) }
  }

  /// Who counts: the first of the run's judges.
  var judge: String { parameters.judges.first ?? "" }

  private var calibrationSets: [Dataset] {
    session.plan.datasets.filter { !confirmationNames.contains($0.name) }
  }
  private var confirmationSets: [Dataset] {
    session.plan.datasets.filter { confirmationNames.contains($0.name) }
  }

  /// Generates what is missing and tests.
  /// - Parameter goOn: the command that takes the run up again, for the note after an interruption.
  func run(_ batch: BatchOptions, goOn: String) async throws -> Calibration {
    remarkOnSize()
    let (loaded, _) = try await session.load(batch, console: console)
    var finished = self
    var failures = try await stage(
      calibrationSets, session.plan.conditions, with: loaded, label: "calibrating:", goOn: goOn)
    let calibrated = try outcomes(calibrationSets, candidates.map(\.id))
    var result = try CalibrationResult(calibrating: calibrated, candidates: candidates, settings: settings)
    finished.incomplete = calibrated.incomplete
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
      let confirmed = try outcomes(confirmationSets, passed)
      try result.confirm(on: confirmed)
      finished.incomplete += confirmed.incomplete
    }
    if failures == 0 { try session.store.finish(runID: session.runID) }
    if finished.incomplete > 0 {
      console.note(
        "\(finished.incomplete) prompts could not be answered under every condition and are left out: the bound does "
          + "not speak of such prompts.")
    }
    finished.result = result
    return finished
  }

  private func stage(
    _ datasets: [Dataset], _ conditions: [EvaluationCondition], with loaded: LoadedModel, label: String,
    goOn: String
  ) async throws -> Int {
    var part = session
    part.plan.datasets = datasets
    part.plan.conditions = conditions
    let outcome = try await part.generate(with: loaded, label: label, goOn: goOn, console: console)
    try await JudgingPass.run(session.modelJudges, onRun: session.runID, in: session.store, console: console)
    return outcome.failures.count
  }

  private func outcomes(_ datasets: [Dataset], _ candidates: [String]) throws -> ReplyOutcomes {
    ReplyOutcomes(
      try session.store.evaluatedReplies(runID: session.runID), in: Set(datasets.map(\.name)),
      reference: reference, candidates: candidates, judge: judge)
  }

  /// Said before anything is generated: the data may be too few whatever comes.
  private func remarkOnSize() {
    let paths = settings.procedure == .holm ? candidates.count : Set(candidates.map(\.path)).count
    let parts = [("calibrate", calibrationSets, paths), ("confirm", confirmationSets, 1)]
    for (part, sets, paths) in parts {
      let count = sets.reduce(0) { $0 + ($1.labelCounts[.harmful] ?? 0) }
      guard let needed = try? settings.promptsNeeded(losses: 0, paths: paths), count < needed,
        let withOne = try? settings.promptsNeeded(losses: 1, paths: paths)
      else { continue }
      console.note(
        "there are \(count) harmful prompts to \(part) on. "
          + "\(CalibrationTable.share(settings.maxHarmIncrease)) at \(CalibrationTable.share(settings.confidence)) "
          + "needs \(needed) that the reference refuses and not one of which is lost, \(withOne) with one lost: "
          + "no candidate can pass. The best bound that these data allow is shown at the end.")
    }
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
      _ datasets: [Dataset], _ counts: [String: CalibrationCounts]
    ) throws -> CalibrationProfile.Stage? {
      guard let own = counts[chosen], let base = counts[reference] else { return nil }
      return try CalibrationProfile.Stage(
        data: datasets.map(CalibrationProfile.Source.init), reference: base, chosen: own,
        confidence: settings.confidence, isReference: chosen == reference)
    }
    guard let calibration = try stage(calibrationSets, result.calibration) else {
      throw CommandError.invalid("The run '\(session.runID)' has no replies to calibrate on.")
    }
    let version = try session.store.judges(runID: session.runID).last { $0.name == judge }?.version ?? ""
    return CalibrationProfile(
      model: .init(name: run.model.name, sha256: run.model.sha256), chosen: try strategy(chosen),
      reference: try strategy(reference), settings: settings, fallback: result.fallback,
      candidates: candidates.map(\.id), judge: .init(name: judge, version: version),
      generation: .init(session.plan.options, system: session.plan.system), calibration: calibration,
      confirmation: try stage(confirmationSets, result.confirmation), codeVersion: SelfCDVersion.current)
  }
}
