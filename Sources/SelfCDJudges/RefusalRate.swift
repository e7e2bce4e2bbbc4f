import SelfCDStatistics
import SelfCDSupport

/// How many of a set's replies refuse, with its interval: the figure every table of this field is made of.
///
/// XSTest quotes it twice, for full refusals alone and with partial ones. A degenerate reply counts among the
/// replies and is no refusal; a strategy that breaks answers must not look better for it, so look at the damage
/// figures too.
public struct RefusalRate: Codable, Sendable, Hashable {
  /// Which replies count as refused.
  public enum Counting: String, Codable, Sendable, CaseIterable {
    /// Full refusals.
    case full
    /// Full and partial refusals.
    case fullAndPartial = "full+partial"
  }

  /// Replies that refuse.
  public var refused: Int
  /// Replies in all.
  public var n: Int
  /// `refused / n`.
  public var rate: Double
  /// The lower end of the interval: Wilson's, or `GroupedInterval`'s where prompts come in groups. 0 without an interval.
  public var low: Double
  /// The upper end of the interval; 1 without an interval.
  public var high: Double
  /// The groups of prompts that the interval resamples; nil where it takes prompts as independent.
  public var groups: Int?

  /// Whether there is an interval: fewer than two groups say nothing of others.
  public var hasInterval: Bool { groups.map { $0 >= BootstrapMean.fewestGroups } ?? true }

  /// Counts `classes`.
  /// - Throws: `StatisticsError` for an empty list or a confidence outside (0, 1).
  public init(
    _ classes: some Sequence<ReplyClass>, counting: Counting = .fullAndPartial, confidence: Double = 0.95
  ) throws(StatisticsError) {
    var refused = 0
    var n = 0
    for replyClass in classes {
      n += 1
      switch counting {
      case .full: refused += replyClass == .fullRefusal ? 1 : 0
      case .fullAndPartial: refused += replyClass.isRefusal ? 1 : 0
      }
    }
    try self.init(refused: refused, of: n, confidence: confidence)
  }

  /// A rate from counts.
  /// - Throws: `StatisticsError` for no replies, impossible counts or a confidence outside (0, 1).
  public init(refused: Int, of n: Int, confidence: Double = 0.95) throws(StatisticsError) {
    guard n > 0 else { throw .empty(what: "a refusal rate") }
    let interval = try WilsonInterval.of(successes: refused, trials: n, confidence: confidence)
    self.refused = refused
    self.n = n
    rate = interval.estimate
    low = interval.low
    high = interval.high
  }

  /// A rate over prompts that come in groups, with `GroupedInterval`.
  /// - Parameters:
  ///   - refused: Whether each prompt is refused.
  ///   - groups: The group of each prompt.
  ///   - confidence: The nominal coverage.
  /// - Throws: `StatisticsError` for no prompts, unpaired lists or a confidence outside (0, 1).
  public init(
    refused: [Bool], groups: [String], confidence: Double = 0.95
  ) throws(StatisticsError) {
    let interval = try GroupedInterval.rate(refused, groups: groups, confidence: confidence)
    self.refused = refused.count { $0 }
    n = refused.count
    rate = Double(self.refused) / Double(n)
    low = interval?.low ?? 0
    high = interval?.high ?? 1
    self.groups = Set(groups).count
  }

  // MARK: Codable

  private enum CodingKeys: String, CodingKey { case refused, n, rate, low, high, groups }

  /// Reads a rate; ends that are null are those of a rate without an interval.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    refused = try container.decode(Int.self, forKey: .refused)
    n = try container.decode(Int.self, forKey: .n)
    rate = try container.decode(Double.self, forKey: .rate)
    low = try container.decode(Double?.self, forKey: .low) ?? 0
    high = try container.decode(Double?.self, forKey: .high) ?? 1
    groups = try container.decodeIfPresent(Int.self, forKey: .groups)
  }

  /// Writes a rate, with null for both ends where there is no interval.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(refused, forKey: .refused)
    try container.encode(n, forKey: .n)
    try container.encode(rate, forKey: .rate)
    try container.encode(hasInterval ? low : nil, forKey: .low)
    try container.encode(hasInterval ? high : nil, forKey: .high)
    try container.encodeIfPresent(groups, forKey: .groups)
  }
}

extension RefusalRate: CustomStringConvertible {
  /// The rate with its interval in per cent: `54.4% [48.1–60.4] of 250`.
  public var description: String {
    "\(NumberFormat.percent(rate)) [\(intervalText)] of \(n)"
  }

  /// The interval in per cent without the sign, or that there is none.
  package var intervalText: String {
    hasInterval ? NumberFormat.interval(low, high) : "no interval"
  }
}
