/// Holm's step-down correction for testing many conditions at once.
///
/// S. Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 6
/// (1979). It bounds the chance of any false discovery under every dependence between the tests, and rejects
/// whatever Bonferroni's correction rejects and more.
public enum HolmCorrection {
  /// The adjusted p-values in the order given: reject where the adjusted value is at most the level.
  /// - Parameters:
  ///   - pValues: The p-values that are there.
  ///   - family: How many tests there would be if nothing had been selected; nil for as many as p-values. Those that were
  ///     not made count as tests with p = 1, so that selecting what looks best by other figures of the same prompts cannot
  ///     make the correction smaller.
  /// - Returns: As many values.
  /// - Throws: `StatisticsError.probabilityOutOfRange` for a p-value outside [0, 1], `countOutOfRange` for a family smaller
  ///   than the p-values.
  public static func adjusted(
    _ pValues: [Double], outOf family: Int? = nil
  ) throws(StatisticsError) -> [Double] {
    let tests = family ?? pValues.count
    guard tests >= pValues.count else {
      throw .countOutOfRange(name: "tests", value: tests, allowed: "at least \(pValues.count)")
    }
    for p in pValues { try StatisticsError.check(closedUnit: p, "p-value") }
    let order = pValues.indices.sorted { (pValues[$0], $0) < (pValues[$1], $1) }
    var result = pValues
    var largest = 0.0
    for (rank, index) in order.enumerated() {
      largest = max(largest, min(1, Double(tests - rank) * pValues[index]))
      result[index] = largest
    }
    return result
  }
}
