/// The interval of a sum of independent estimates from the interval of each of them.
///
/// MOVER, the method of variance estimates recovery: G. Y. Zou and A. Donner, "Construction of confidence limits about
/// effect measures: a general approach", Statistics in Medicine 27 (2008). The distance from each estimate to its own
/// limit stands for its standard error on that side, so that intervals that are not symmetric stay so in the sum.
public enum MoverInterval {
  /// One summand.
  public struct Part: Sendable, Hashable {
    /// What the estimate is multiplied by; not negative.
    public var weight: Double
    /// The estimate with its interval.
    public var interval: ConfidenceInterval

    /// Makes a summand.
    public init(weight: Double, interval: ConfidenceInterval) {
      self.weight = weight
      self.interval = interval
    }
  }

  /// The weighted sum of `parts` with its interval.
  /// - Parameters:
  ///   - parts: Independent estimates, whose intervals have the same confidence.
  ///   - confidence: That confidence.
  /// - Throws: `StatisticsError` without parts, or for a weight that is negative or no number.
  public static func sum(
    _ parts: [Part], confidence: Double = 0.95
  ) throws(StatisticsError) -> ConfidenceInterval {
    guard !parts.isEmpty else { throw .empty(what: "a sum of intervals") }
    if let bad = parts.firstIndex(where: { !($0.weight >= 0 && $0.weight.isFinite) }) {
      throw .notFinite(what: "the weights, which are not negative", index: bad)
    }
    var (estimate, below, above) = (0.0, 0.0, 0.0)
    for part in parts {
      let interval = part.interval
      estimate += part.weight * interval.estimate
      below += square(part.weight * (interval.estimate - interval.low))
      above += square(part.weight * (interval.high - interval.estimate))
    }
    return ConfidenceInterval(
      estimate: estimate, low: estimate - below.squareRoot(), high: estimate + above.squareRoot(),
      confidence: confidence)
  }

  private static func square(_ value: Double) -> Double { value * value }
}
