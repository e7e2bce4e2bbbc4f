/// Tango's score interval for the difference of two proportions on the same prompts.
///
/// T. Tango, "Equivalence test and confidence interval for the difference in proportions for the paired-sample design",
/// Statistics in Medicine 17 (1998). It inverts the score test of each difference, so that it stays inside [−1, 1] and
/// has width where no prompt changed sides: ± z² / (n + z²). Resampling would see no spread at all there, and promise
/// that nothing can change.
public enum PairedScoreInterval {
  /// The share with the outcome under the first condition less that under the second.
  /// - Parameters:
  ///   - firstOnly: Prompts with the outcome under the first condition only.
  ///   - secondOnly: Prompts with the outcome under the second condition only.
  ///   - n: All prompts.
  ///   - confidence: The nominal coverage.
  /// - Throws: `StatisticsError` for no prompts, impossible counts or a confidence outside (0, 1).
  public static func difference(
    firstOnly: Int, secondOnly: Int, n: Int, confidence: Double = 0.95
  ) throws(StatisticsError) -> ConfidenceInterval {
    guard n > 0 else { throw .empty(what: "the paired interval") }
    for count in [firstOnly, secondOnly] where count < 0 || count > n {
      throw .countOutOfRange(name: "discordant prompts", value: count, allowed: "0...\(n)")
    }
    guard firstOnly + secondOnly <= n else {
      throw .countOutOfRange(
        name: "discordant prompts", value: firstOnly + secondOnly, allowed: "0...\(n)")
    }
    return try difference(
      estimatedFirstOnly: Double(firstOnly), estimatedSecondOnly: Double(secondOnly), n: Double(n),
      confidence: confidence)
  }

  /// The same from counts that are estimates and need not be whole, such as those of a sample scaled up.
  /// - Parameters:
  ///   - b: Prompts with the outcome under the first condition only.
  ///   - c: Prompts with the outcome under the second condition only.
  ///   - n: All prompts.
  ///   - confidence: The nominal coverage.
  /// - Throws: `StatisticsError` for no prompts, impossible counts or a confidence outside (0, 1).
  public static func difference(
    estimatedFirstOnly b: Double, estimatedSecondOnly c: Double, n: Double, confidence: Double = 0.95
  ) throws(StatisticsError) -> ConfidenceInterval {
    guard n > 0, n.isFinite else { throw .empty(what: "the paired interval") }
    // Estimates may miss a whole by a rounding.
    try StatisticsError.check(closedUnit: b / n, "the share with the outcome under the first condition only")
    try StatisticsError.check(closedUnit: c / n, "the share with the outcome under the second condition only")
    try StatisticsError.check(
      closedUnit: max(0, (b + c) / n - 1e-9), "the share with the outcome under one condition only")
    try StatisticsError.check(openUnit: confidence, "confidence")
    let z = -(try NormalDistribution.quantile((1 - confidence) / 2))
    return ConfidenceInterval(
      estimate: (b - c) / n,
      // Conditions exchanged, the lower end is the upper one.
      low: -upperEnd(c, b, n, z), high: upperEnd(b, c, n, z), confidence: confidence)
  }

  /// The largest difference that the score test does not reject, by bisection: the score falls as the difference rises.
  private static func upperEnd(_ b: Double, _ c: Double, _ n: Double, _ z: Double) -> Double {
    var low = (b - c) / n
    var high = 1.0
    if low >= 1 { return 1 }
    for _ in 0..<100 {
      let middle = low + (high - low) / 2
      guard middle > low, middle < high else { break }
      if score(b, c, n, difference: middle) >= -z { low = middle } else { high = middle }
    }
    return low + (high - low) / 2
  }

  private static func score(_ b: Double, _ c: Double, _ n: Double, difference d: Double) -> Double {
    // The likeliest probability of "second only" given the difference: the root of a quadratic.
    let linear = -b - c + (2 * n - b + c) * d
    let constant = -c * d * (1 - d)
    let q = (max(0, linear * linear - 8 * n * constant).squareRoot() - linear) / (4 * n)
    let variance = n * (2 * q + d * (1 - d))
    return variance > 0 ? (b - c - n * d) / variance.squareRoot() : -.infinity
  }
}
