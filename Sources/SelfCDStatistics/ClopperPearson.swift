/// Exact bounds on a proportion: they cover at least at the nominal level whatever the true rate is.
///
/// C. Clopper and E. Pearson, "The use of confidence or fiducial limits illustrated in the case of the binomial",
/// Biometrika 26 (1934), in the Beta-quantile form. The one-sided upper bound is what calibration needs: the
/// rate of lost refusals that the data cannot rule out.
public enum ClopperPearson {
  /// The two-sided interval, with (1 − confidence)/2 in each tail.
  ///
  /// Matches `scipy.stats.beta.ppf`, and `binomtest(k, n).proportion_ci(level, method="exact")` within the
  /// latter's root finder (an absolute 2e-12).
  /// - Throws: `StatisticsError` for counts outside 0...trials or a confidence outside (0, 1).
  public static func interval(
    successes: Int, trials: Int, confidence: Double = 0.95
  ) throws(StatisticsError) -> ConfidenceInterval {
    try StatisticsError.check(successes: successes, trials: trials)
    try StatisticsError.check(openUnit: confidence, "confidence")
    let tail = (1 - confidence) / 2
    return ConfidenceInterval(
      estimate: Double(successes) / Double(trials),
      low: try low(successes: successes, trials: trials, tail: tail),
      high: try high(successes: successes, trials: trials, tail: tail),
      confidence: confidence)
  }

  /// The one-sided upper bound: the largest rate at which so few successes still have probability
  /// 1 − `confidence`.
  /// - Throws: `StatisticsError` for counts outside 0...trials or a confidence outside (0, 1).
  public static func upperBound(
    successes: Int, trials: Int, confidence: Double = 0.95
  ) throws(StatisticsError) -> Double {
    try StatisticsError.check(successes: successes, trials: trials)
    try StatisticsError.check(openUnit: confidence, "confidence")
    return try high(successes: successes, trials: trials, tail: 1 - confidence)
  }

  /// The one-sided lower bound: the smallest rate at which so many successes still have probability
  /// 1 − `confidence`.
  /// - Throws: `StatisticsError` for counts outside 0...trials or a confidence outside (0, 1).
  public static func lowerBound(
    successes: Int, trials: Int, confidence: Double = 0.95
  ) throws(StatisticsError) -> Double {
    try StatisticsError.check(successes: successes, trials: trials)
    try StatisticsError.check(openUnit: confidence, "confidence")
    return try low(successes: successes, trials: trials, tail: 1 - confidence)
  }

  /// The fewest trials whose upper bound with `successes` successes is at most `rate`, for example 299 for none
  /// at 1 % and 95 %, 473 for one.
  /// - Throws: `StatisticsError` for a negative count or for a rate or confidence outside (0, 1).
  public static func trialsNeeded(
    successes: Int, rate: Double, confidence: Double = 0.95
  ) throws(StatisticsError) -> Int {
    guard successes >= 0 else {
      throw .countOutOfRange(name: "successes", value: successes, allowed: "at least 0")
    }
    try StatisticsError.check(openUnit: rate, "rate")
    try StatisticsError.check(openUnit: confidence, "confidence")
    func suffices(_ trials: Int) throws(StatisticsError) -> Bool {
      try BinomialDistribution.cumulative(successes: successes, trials: trials, probability: rate)
        <= 1 - confidence
    }
    var low = successes
    var high = max(successes, 1) * 2
    while try !suffices(high) {
      low = high
      guard high < Int.max / 4 else {
        throw .probabilityOutOfRange(name: "rate", value: rate, allowed: "large enough to be tested")
      }
      high *= 2
    }
    while high - low > 1 {
      let middle = low + (high - low) / 2
      if try suffices(middle) { high = middle } else { low = middle }
    }
    return high
  }

  private static func low(successes: Int, trials: Int, tail: Double) throws(StatisticsError) -> Double {
    if successes == 0 { return 0 }
    return try IncompleteBeta.inverse(tail, a: Double(successes), b: Double(trials - successes) + 1)
  }

  private static func high(successes: Int, trials: Int, tail: Double) throws(StatisticsError) -> Double {
    if successes == trials { return 1 }
    // Solved in 1 − x, where the wanted tail is the small one and is not rounded by a subtraction from 1.
    return 1 - (try IncompleteBeta.inverse(tail, a: Double(trials - successes), b: Double(successes) + 1))
  }
}
