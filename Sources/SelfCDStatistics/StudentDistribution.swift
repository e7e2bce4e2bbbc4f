/// Student's t distribution, for intervals from few units.
public enum StudentDistribution {
  /// The t below which a share `probability` of the distribution lies.
  ///
  /// Through the incomplete beta function: P(|T| > t) = I_x(ν/2, 1/2) with x = ν / (ν + t²) (DLMF 8.17). Matches
  /// `scipy.stats.t.ppf`.
  /// - Parameters:
  ///   - probability: From 0 to 1, both excluded.
  ///   - degreesOfFreedom: ν, 1 or more.
  /// - Returns: The quantile; 0 at a half.
  /// - Throws: `StatisticsError` for a probability outside (0, 1) or no degree of freedom.
  public static func quantile(
    _ probability: Double, degreesOfFreedom: Int
  ) throws(StatisticsError) -> Double {
    try StatisticsError.check(openUnit: probability, "probability")
    guard degreesOfFreedom >= 1 else {
      throw .countOutOfRange(name: "degrees of freedom", value: degreesOfFreedom, allowed: "at least 1")
    }
    let degrees = Double(degreesOfFreedom)
    let tails = 2 * min(probability, 1 - probability)
    let x = try IncompleteBeta.inverse(tails, a: degrees / 2, b: 0.5)
    let distance = (degrees * (1 - x) / x).squareRoot()
    return probability < 0.5 ? -distance : distance
  }
}
