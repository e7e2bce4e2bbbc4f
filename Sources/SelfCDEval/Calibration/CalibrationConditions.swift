import SelfCD

extension CalibrationProfile.Generation {
  /// What a bound holds for, to compare replies with.
  public var conditions: MeasuredConditions {
    MeasuredConditions(
      maximumTokens: maxTokens, temperature: options.sampling.temperature, system: system,
      contrastStart: options.contrastStart)
  }
}
