import RealModule

/// The standard normal distribution.
public enum NormalDistribution {
  /// P(Z ≤ x), from the complementary error function so that the lower tail keeps its relative accuracy.
  public static func cumulative(_ x: Double) -> Double {
    0.5 * Double.erfc(-x / Double.sqrt(2))
  }

  /// The x with P(Z ≤ x) = `probability`.
  ///
  /// Acklam's rational approximation (relative error below 1.2e-9) followed by one step of Halley's method,
  /// which leaves an error near 1e-15. The upper half is computed by symmetry, so that `1 - p` is never formed
  /// from a p that has already lost digits.
  /// - Throws: `StatisticsError.probabilityOutOfRange` unless 0 < `probability` < 1.
  public static func quantile(_ probability: Double) throws(StatisticsError) -> Double {
    try StatisticsError.check(openUnit: probability, "probability")
    if probability > 0.5 { return -lowerQuantile(1 - probability) }
    return lowerQuantile(probability)
  }

  private static func lowerQuantile(_ p: Double) -> Double {
    let start: Double
    if p < 0.02425 {
      let q = Double.sqrt(-2 * Double.log(p))
      start = polynomial(q, tailNumerator) / (polynomial(q, tailDenominator) * q + 1)
    } else {
      let q = p - 0.5
      let r = q * q
      start = q * polynomial(r, centreNumerator) / (polynomial(r, centreDenominator) * r + 1)
    }
    let error = cumulative(start) - p
    let u = error * Double.sqrt(2 * Double.pi) * Double.exp(start * start / 2)
    guard u.isFinite else { return start }
    return start - u / (1 + start * u / 2)
  }

  /// Horner's scheme, highest power first.
  private static func polynomial(_ x: Double, _ coefficients: [Double]) -> Double {
    coefficients.reduce(0) { $0 * x + $1 }
  }

  private static let centreNumerator = [
    -3.969683028665376e+01, 2.209460984245205e+02, -2.759285104469687e+02,
    1.383577518672690e+02, -3.066479806614716e+01, 2.506628277459239e+00,
  ]
  private static let centreDenominator = [
    -5.447609879822406e+01, 1.615858368580409e+02, -1.556989798598866e+02,
    6.680131188771972e+01, -1.328068155288572e+01,
  ]
  private static let tailNumerator = [
    -7.784894002430293e-03, -3.223964580411365e-01, -2.400758277161838e+00,
    -2.549732539343734e+00, 4.374664141464968e+00, 2.938163982698783e+00,
  ]
  private static let tailDenominator = [
    7.784695709041462e-03, 3.224671290700398e-01, 2.445134137142996e+00, 3.754408661907416e+00,
  ]
}
