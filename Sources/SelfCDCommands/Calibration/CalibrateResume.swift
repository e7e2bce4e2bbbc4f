import SelfCD
import SelfCDEval
import SelfCDRuns
import SelfCDStore

/// What a calibration that is resumed may be told again.
extension CalibrateCommand {
  /// Finds options that say otherwise than the run.
  /// - Throws: `CommandError` that names them.
  func checkResumed(_ run: RunRecord, in store: RunStore) throws {
    let parameters = try RunSettings.resumable(run)
    guard let own = parameters.calibration else { return }
    guard own.tuning == nil else {
      throw CommandError.invalid(
        "The run '\(run.id)' was begun by 'selfcd tune'. Give that command the same files and settings again to go on "
          + "with it.")
    }
    let usual = try Self.parse([])
    var check = ResumeOptionConflicts()
    check.compare(
      "--max-harm-increase", maxHarmIncrease, usual: usual.maxHarmIncrease, run: own.settings.maxHarmIncrease)
    check.compare("--confidence", confidence, usual: usual.confidence, run: own.settings.confidence)
    check.compare("--procedure", procedure, usual: usual.procedure, run: own.settings.procedure)
    check.compare("--single-stage", singleStage, usual: false, run: own.settings.stages == .single)
    check.compare(
      "--partial-counts-as", partialCountsAs, usual: usual.partialCountsAs, run: own.settings.lossRule.partial
    )
    check.compare(
      "--degenerate-counts-as", degenerateCountsAs, usual: usual.degenerateCountsAs,
      run: own.settings.lossRule.degenerate)
    check.compare("--confirm-fraction", confirmFraction, usual: nil, run: own.split?.confirmFraction)
    check.compare("--group", group, usual: nil, run: own.split?.group)
    check.compare("--system", prompts.system, usual: nil, run: parameters.system)
    check.compare("--reference", conditionOptions.reference, usual: nil, run: parameters.reference)
    check.compare("--limit", files.limit, usual: nil, run: nil)
    check.compare("--format", files.format, usual: nil, run: nil)
    check.compare(options, usual: usual.options, run: parameters.options)
    check.compare(
      try conditions(reference: parameters.reference).all,
      usual: try usual.conditions(reference: parameters.reference).all,
      run: try store.conditions(runID: run.id).map { try $0.condition() })
    try check.finish(run: run.id)
  }
}
