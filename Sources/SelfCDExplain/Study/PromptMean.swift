import SelfCDStatistics

/// A mean over prompts.
enum PromptMean {
  /// With its bootstrap interval: prompts are what is drawn again.
  /// - Throws: `StatisticsError` for no values or such that are not finite.
  static func interval(_ values: [Double], resamples: Int, seed: UInt64) throws -> ConfidenceInterval {
    try PairedBootstrap.difference(
      values, Array(repeating: 0, count: values.count), resamples: resamples, seed: seed)
  }

  /// Alone; 0 for no values.
  static func of(_ values: [Double]) -> Double { values.reduce(0, +) / Double(max(1, values.count)) }
}
