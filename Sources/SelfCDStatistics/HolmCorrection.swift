/// Holm's step-down correction for testing many conditions at once.
///
/// S. Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 6
/// (1979). It bounds the chance of any false discovery under every dependence between the tests, and rejects
/// whatever Bonferroni's correction rejects and more.
public enum HolmCorrection {
  /// The adjusted p-values in the order given: reject where the adjusted value is at most the level.
  /// - Throws: `StatisticsError.probabilityOutOfRange` for a p-value outside [0, 1].
  public static func adjusted(_ pValues: [Double]) throws(StatisticsError) -> [Double] {
    for p in pValues { try StatisticsError.check(closedUnit: p, "p-value") }
    let order = pValues.indices.sorted { (pValues[$0], $0) < (pValues[$1], $1) }
    var result = pValues
    var largest = 0.0
    for (rank, index) in order.enumerated() {
      largest = max(largest, min(1, Double(pValues.count - rank) * pValues[index]))
      result[index] = largest
    }
    return result
  }
}
