/// How much further Student's t reaches than a normal distribution, where groups are few.
enum FewGroups {
  /// t / z, with one degree of freedom less than there are groups.
  /// - Parameters:
  ///   - groups: How many groups there are, 2 or more.
  ///   - confidence: The coverage of the two-sided interval.
  /// - Returns: 1 or more; close to 1 from some hundred groups on.
  /// - Throws: `StatisticsError` for fewer than two groups or a confidence outside (0, 1).
  static func reach(_ groups: Int, confidence: Double) throws(StatisticsError) -> Double {
    guard groups >= BootstrapMean.fewestGroups else {
      throw .countOutOfRange(
        name: "groups", value: groups, allowed: "at least \(BootstrapMean.fewestGroups)")
    }
    try StatisticsError.check(openUnit: confidence, "confidence")
    let tail = (1 - confidence) / 2
    let student = try StudentDistribution.quantile(tail, degreesOfFreedom: groups - 1)
    let normal = try NormalDistribution.quantile(tail)
    return student / normal
  }
}

/// What a bootstrap of whole groups leaves out where groups are few.
///
/// The variance over resamples of G groups is (G − 1) / G of the unbiased one, and percentile ends go by a normal
/// distribution where so few groups call for Student's t with G − 1 degrees of freedom. The ends are therefore moved away
/// from the estimate by t / z · √(G / (G − 1)), each by itself, so that the interval keeps its shape: T. Hesterberg, "What
/// Teachers Should Know About the Bootstrap", The American Statistician 69 (2015), "expanded percentile".
extension ConfidenceInterval {
  /// The interval with ends as far away as so few groups call for.
  /// - Parameters:
  ///   - groups: How many groups were resampled, 2 or more.
  ///   - range: Where the ends have to stay; nil for anywhere.
  /// - Returns: A wider interval with the same estimate.
  /// - Throws: `StatisticsError` for fewer than two groups or a confidence outside (0, 1).
  package func expanded(
    forGroups groups: Int, within range: ClosedRange<Double>? = nil
  ) throws(StatisticsError) -> ConfidenceInterval {
    let reach = try FewGroups.reach(groups, confidence: confidence)
    let factor = reach * (Double(groups) / Double(groups - 1)).squareRoot()
    // An end that lies on the other side of the estimate, as it may by rounding, is never drawn in.
    let ends = (
      low: estimate - factor * max(0, estimate - low), high: estimate + factor * max(0, high - estimate)
    )
    guard let range else {
      return ConfidenceInterval(estimate: estimate, low: ends.low, high: ends.high, confidence: confidence)
    }
    return ConfidenceInterval(
      estimate: estimate, low: max(range.lowerBound, ends.low), high: min(range.upperBound, ends.high),
      confidence: confidence)
  }
}
