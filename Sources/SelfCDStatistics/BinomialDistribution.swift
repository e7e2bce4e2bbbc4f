import RealModule

/// The binomial distribution: k successes in n independent trials of probability p.
public enum BinomialDistribution {
  /// P(X = `successes`).
  ///
  /// Loader's saddle-point expansion ("Fast and accurate computation of binomial probabilities", 2000): exact to
  /// a few units in the last place for any n, where log-gamma differences lose digits.
  /// - Throws: `StatisticsError` for counts outside 0...trials or a probability outside [0, 1].
  public static func mass(successes: Int, trials: Int, probability: Double) throws(StatisticsError) -> Double
  {
    try StatisticsError.check(successes: successes, trials: trials)
    try StatisticsError.check(closedUnit: probability, "probability")
    return density(
      successes: Double(successes), failures: Double(trials - successes), p: probability, q: 1 - probability)
  }

  /// P(X ≤ `successes`), the regularised incomplete beta function I_{1−p}(n − k, k + 1).
  /// - Throws: `StatisticsError` for counts outside 0...trials or a probability outside [0, 1].
  public static func cumulative(
    successes: Int, trials: Int, probability: Double
  ) throws(StatisticsError) -> Double {
    try StatisticsError.check(successes: successes, trials: trials)
    try StatisticsError.check(closedUnit: probability, "probability")
    if successes == trials { return 1 }
    if probability == 0 { return 1 }
    if probability == 1 { return 0 }
    return try IncompleteBeta.regularized(
      1 - probability, a: Double(trials - successes), b: Double(successes) + 1)
  }

  /// P(X ≥ `successes`), computed as a tail of its own so that small values keep their relative accuracy.
  /// - Throws: `StatisticsError` for counts outside 0...trials or a probability outside [0, 1].
  public static func upperTail(
    successes: Int, trials: Int, probability: Double
  ) throws(StatisticsError) -> Double {
    try StatisticsError.check(successes: successes, trials: trials)
    try StatisticsError.check(closedUnit: probability, "probability")
    if successes == 0 { return 1 }
    return try IncompleteBeta.regularized(
      probability, a: Double(successes), b: Double(trials - successes) + 1)
  }

  /// The density for real counts, with q = 1 − p given separately; counts are not negative.
  static func density(successes x: Double, failures y: Double, p: Double, q: Double) -> Double {
    if p <= 0 { return x == 0 ? 1 : 0 }
    if q <= 0 { return y == 0 ? 1 : 0 }
    let n = x + y
    if x == 0 { return Double.exp(n * Double.log(onePlus: -p)) }
    if y == 0 { return Double.exp(n * Double.log(p)) }
    let exponent =
      stirlingError(n) - stirlingError(x) - stirlingError(y) - deviance(x, n * p) - deviance(y, n * q)
    return Double.exp(exponent) * Double.sqrt(n / (2 * Double.pi * x * y))
  }

  /// log Γ(n+1) minus Stirling's formula for it.
  private static func stirlingError(_ n: Double) -> Double {
    if n < 16 {
      let halfLogTwoPi = 0.918938533204672741780329736406
      return Double.logGamma(n + 1) - (n + 0.5) * Double.log(n) + n - halfLogTwoPi
    }
    let s = n * n
    return (1 / 12.0 - (1 / 360.0 - (1 / 1260.0 - (1 / 1680.0 - 1 / 1188.0 / s) / s) / s) / s) / n
  }

  /// x log(x/m) + m − x, by a series where the terms would cancel.
  private static func deviance(_ x: Double, _ m: Double) -> Double {
    guard abs(x - m) < 0.1 * (x + m) else { return x * Double.log(x / m) + m - x }
    let v = (x - m) / (x + m)
    var sum = (x - m) * v
    var term = 2 * x * v
    for j in 1...1_000 {
      term *= v * v
      let next = sum + term / Double(2 * j + 1)
      if next == sum { break }
      sum = next
    }
    return sum
  }
}
