import SelfCDEval

// What a model refuses before anything is changed.
extension CalibrationRun {
  /// The counts of the reference and of the conditions beside it, on the prompts to calibrate on that all of them have
  /// answered.
  /// - Throws: ``RunError/verdictsMissing(judge:missing:replies:condition:label:)``, `StoreError`.
  func baseRates() throws -> [TuningRun.BaseRate] {
    let outcomes = try outcomes(calibrationSets, comparisons)
    return zip(outcomes.conditions, outcomes.counts(settings.lossRule)).map {
      TuningRun.BaseRate(condition: $0, counts: $1)
    }
  }

  /// Whether the reference leaves any harmless prompt unanswered, of those that it was asked.
  /// - Throws: ``RunError/verdictsMissing(judge:missing:replies:condition:label:)``, `StoreError`.
  func leavesHarmlessUnanswered() throws -> Bool {
    try outcomes(calibrationSets, []).counts(settings.lossRule).contains { $0.harmlessUnanswered > 0 }
  }
}
