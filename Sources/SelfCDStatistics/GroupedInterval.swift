/// Intervals of rates and of their differences where prompts come in groups that stand and fall together.
///
/// Groups are drawn with replacement, whole (``PairedBootstrap``), and the ends are moved away from the estimate as far as
/// so few groups call for (Student's t, expanded percentile interval). Resampling alone still promises too much where
/// outcomes are rare: a sample that has not met a bad group has nothing to resample. Therefore an interval is never narrower
/// than the score interval for as many independent prompts as the sample is worth, its *effective* number of prompts
/// (``DesignEffect``), with Student's t in place of z. That number changes gradually with the outcomes: from the number of
/// groups, where all outcomes are the same and nothing says how far they go by groups, to the number of prompts.
///
/// From fewer than ``BootstrapMean/fewestGroups`` groups nothing can be said of others; there is no interval then. The order
/// of prompts changes nothing.
public enum GroupedInterval {
  /// The share of prompts with an outcome.
  /// - Parameters:
  ///   - outcomes: Whether each prompt has it.
  ///   - groups: The group of each prompt.
  ///   - confidence: The nominal coverage.
  ///   - resamples: How many bootstrap samples.
  ///   - seed: The same seed gives the same interval.
  /// - Returns: Nil where there are too few groups.
  /// - Throws: `StatisticsError` for no prompts, unpaired lists or a confidence outside (0, 1).
  public static func rate(
    _ outcomes: [Bool], groups: [String], confidence: Double = 0.95, resamples: Int = 10_000, seed: UInt64 = 0
  ) throws(StatisticsError) -> ConfidenceInterval? {
    let none = Array(repeating: false, count: outcomes.count)
    let drawn = try drawn(outcomes, none, groups, confidence, resamples, seed)
    let count = Set(groups).count
    guard count >= BootstrapMean.fewestGroups else { return nil }
    let effect = try DesignEffect(of: outcomes.map { $0 ? 1 : 0 }, groups: groups)
    let independent = try WilsonInterval.of(
      proportion: drawn.estimate, trials: try effect.effectiveCount(confidence: confidence),
      confidence: confidence)
    return widest(try drawn.expanded(forGroups: count, within: 0...1), independent)
  }

  /// The share of prompts with an outcome under one condition, less that under another, on the same prompts.
  /// - Parameters:
  ///   - first: Whether each prompt has the outcome under the first condition.
  ///   - second: Whether it has it under the second.
  ///   - groups: The group of each prompt.
  ///   - confidence: The nominal coverage.
  ///   - resamples: How many bootstrap samples.
  ///   - seed: The same seed gives the same interval.
  /// - Returns: Nil where there are too few groups.
  /// - Throws: `StatisticsError` for no prompts, unpaired lists or a confidence outside (0, 1).
  public static func difference(
    _ first: [Bool], _ second: [Bool], groups: [String], confidence: Double = 0.95, resamples: Int = 10_000,
    seed: UInt64 = 0
  ) throws(StatisticsError) -> ConfidenceInterval? {
    let drawn = try drawn(first, second, groups, confidence, resamples, seed)
    let count = Set(groups).count
    guard count >= BootstrapMean.fewestGroups else { return nil }
    let pairs = zip(first, second)
    let effect = try DesignEffect(
      of: pairs.map { Double(($0 ? 1 : 0) - ($1 ? 1 : 0)) }, groups: groups)
    let worth = try effect.effectiveCount(confidence: confidence)
    let n = Double(first.count)
    let independent = try PairedScoreInterval.difference(
      estimatedFirstOnly: Double(pairs.count { $0 && !$1 }) * worth / n,
      estimatedSecondOnly: Double(pairs.count { !$0 && $1 }) * worth / n, n: worth, confidence: confidence)
    return widest(try drawn.expanded(forGroups: count, within: -1...1), independent)
  }

  /// The bootstrap's interval, with groups in the order of their names.
  private static func drawn(
    _ first: [Bool], _ second: [Bool], _ groups: [String], _ confidence: Double, _ resamples: Int,
    _ seed: UInt64
  ) throws(StatisticsError) -> ConfidenceInterval {
    guard first.count == second.count else { throw .unpaired(first: first.count, second: second.count) }
    guard first.count == groups.count else { throw .unpaired(first: first.count, second: groups.count) }
    let order = groups.indices.sorted { groups[$0] < groups[$1] }
    func values(_ outcomes: [Bool]) -> [Double] { order.map { outcomes[$0] ? 1 : 0 } }
    return try PairedBootstrap.difference(
      values(first), values(second), groups: order.map { groups[$0] }, resamples: resamples,
      confidence: confidence, seed: seed)
  }

  private static func widest(
    _ drawn: ConfidenceInterval, _ independent: ConfidenceInterval
  ) -> ConfidenceInterval {
    ConfidenceInterval(
      estimate: drawn.estimate, low: min(drawn.low, independent.low),
      high: max(drawn.high, independent.high), confidence: drawn.confidence)
  }
}
