/// A mean over prompts, with its bootstrap interval where there is one.
///
/// One prompt, or one group of prompts, drawn again gives itself: the percentile interval would have no width and look
/// like certainty. There is none then.
public struct BootstrapMean: Codable, Sendable, Hashable {
  /// The mean over prompts.
  public var estimate: Double
  /// The lower end; nil without an interval.
  public var low: Double?
  /// The upper end; nil without an interval.
  public var high: Double?
  /// The nominal coverage, for example 0.95.
  public var confidence: Double

  /// Fewer groups have no interval.
  public static let fewestGroups = 2

  /// Takes an interval as it is.
  public init(_ interval: ConfidenceInterval) {
    estimate = interval.estimate
    low = interval.low
    high = interval.high
    confidence = interval.confidence
  }

  /// The mean of `values`.
  /// - Parameters:
  ///   - values: One a prompt; for a paired comparison their differences.
  ///   - groups: The group of each prompt, drawn whole; nil makes each a group of its own. The ends of an interval from
  ///     groups are moved apart as far as so few groups call for.
  ///   - range: Where the ends have to stay, for example 0...1 for shares; nil for anywhere.
  ///   - resamples: How many bootstrap samples.
  ///   - confidence: The nominal coverage.
  ///   - seed: The same seed gives the same interval.
  /// - Throws: As ``PairedBootstrap/difference(_:_:groups:resamples:confidence:seed:)``.
  public init(
    of values: [Double], groups: [String]? = nil, within range: ClosedRange<Double>? = nil,
    resamples: Int = 10_000, confidence: Double = 0.95, seed: UInt64
  ) throws(StatisticsError) {
    let interval = try PairedBootstrap.difference(
      values, Array(repeating: 0, count: values.count), groups: groups, resamples: resamples,
      confidence: confidence, seed: seed)
    let count = groups.map { Set($0).count }
    guard count ?? values.count >= Self.fewestGroups else {
      self.init(interval)
      low = nil
      high = nil
      return
    }
    guard let count else {
      self.init(interval)
      return
    }
    self.init(try interval.expanded(forGroups: count, within: range))
  }

  /// The mean with its interval; nil without one.
  public var interval: ConfidenceInterval? {
    guard let low, let high else { return nil }
    return ConfidenceInterval(estimate: estimate, low: low, high: high, confidence: confidence)
  }

  private enum CodingKeys: String, CodingKey { case estimate, low, high, confidence }

  /// With null for ends that there are none of, so that every mean has the same keys.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(estimate, forKey: .estimate)
    try container.encode(low, forKey: .low)
    try container.encode(high, forKey: .high)
    try container.encode(confidence, forKey: .confidence)
  }
}
