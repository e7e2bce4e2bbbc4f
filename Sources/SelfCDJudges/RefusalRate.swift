import SelfCDStatistics
import SelfCDSupport

/// How many of a set's replies refuse, with Wilson's interval: the figure every table of this field is made of.
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
  /// The lower end of Wilson's interval.
  public var low: Double
  /// The upper end of Wilson's interval.
  public var high: Double

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
}

extension RefusalRate: CustomStringConvertible {
  /// The rate with its interval in per cent: `54.4% [48.1–60.4] of 250`.
  public var description: String {
    "\(NumberFormat.percent(rate)) [\(NumberFormat.interval(low, high))] of \(n)"
  }
}
