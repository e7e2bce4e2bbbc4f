/// Wilson's score interval for a proportion.
///
/// E. B. Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22 (1927). Without
/// continuity correction. It stays inside [0, 1] and keeps near-nominal coverage for rates close to 0 and 1,
/// where refusal rates live (Brown, Cai and DasGupta, "Interval estimation for a binomial proportion", 2001).
/// Matches `scipy.stats.binomtest(k, n).proportion_ci(level, method="wilson")`.
public enum WilsonInterval {
  /// The two-sided interval of `successes` in `trials`; `estimate` is the plain proportion.
  /// - Throws: `StatisticsError` for counts outside 0...trials or a confidence outside (0, 1).
  public static func of(
    successes: Int, trials: Int, confidence: Double = 0.95
  ) throws(StatisticsError) -> ConfidenceInterval {
    try StatisticsError.check(successes: successes, trials: trials)
    return try of(
      proportion: Double(successes) / Double(trials), trials: Double(trials), confidence: confidence)
  }

  /// The two-sided interval of a proportion that is no quotient of counts, such as a weighted one.
  /// - Parameters:
  ///   - proportion: The estimate, from 0 to 1.
  ///   - trials: The number of trials that the estimate is worth, for example with a finite population correction.
  ///   - confidence: The nominal coverage.
  /// - Throws: `StatisticsError` for a proportion outside [0, 1], a confidence outside (0, 1), or no trials.
  public static func of(
    proportion p: Double, trials n: Double, confidence: Double = 0.95
  ) throws(StatisticsError) -> ConfidenceInterval {
    try StatisticsError.check(closedUnit: p, "the proportion")
    try StatisticsError.check(openUnit: confidence, "confidence")
    guard n > 0, n.isFinite else { throw .empty(what: "Wilson's interval") }
    let z = -(try NormalDistribution.quantile((1 - confidence) / 2))
    let z2 = z * z
    let centre = p + z2 / (2 * n)
    let half = z * (p * (1 - p) / n + z2 / (4 * n * n)).squareRoot()
    let scale = 1 + z2 / n
    return ConfidenceInterval(
      estimate: p,
      low: p == 0 ? 0 : (centre - half) / scale,
      high: p == 1 ? 1 : (centre + half) / scale,
      confidence: confidence)
  }
}
