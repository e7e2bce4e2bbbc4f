/// An estimate with the interval around it.
public struct ConfidenceInterval: Codable, Sendable, Hashable {
  /// The point estimate.
  public var estimate: Double
  /// The lower end.
  public var low: Double
  /// The upper end.
  public var high: Double
  /// The nominal coverage, for example 0.95.
  public var confidence: Double

  /// Makes an interval from its parts.
  public init(estimate: Double, low: Double, high: Double, confidence: Double) {
    self.estimate = estimate
    self.low = low
    self.high = high
    self.confidence = confidence
  }
}
