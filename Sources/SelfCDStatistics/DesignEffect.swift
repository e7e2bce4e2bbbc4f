/// How many independent prompts a sample of prompts that come in groups is worth.
///
/// The design effect is the variance of the mean where whole groups are drawn, over that of as many independent prompts: J.
/// N. K. Rao and A. J. Scott, "A simple method for the analysis of clustered binary data", Biometrics 48 (1992). With n
/// prompts in G groups, of which group g has n_g with the mean x̄_g, and the mean x̄ over all prompts, that is
///
///     G / (G − 1) · Σ_g n_g² (x̄_g − x̄)²  over  Σ_i (x_i − x̄)²
///
/// Where outcomes are rare or the same throughout, both are near 0 and say nothing: one bad prompt makes it 1, none makes it
/// 0 / 0. Therefore one outcome is added to the lower sum that goes wholly by groups, which adds n / G to the upper: a prior
/// worth a single outcome for the largest effect that there can be. Without any spread the effect is then n / G, and it
/// comes to Rao and Scott's as outcomes of both kinds are met. It stays within 1 and n / G, so that
/// ``effectiveCount`` lies between the number of groups and that of prompts.
///
/// The effect is itself an estimate, from as many numbers as there are groups. ``effectiveCount(confidence:)`` allows for
/// that: E. L. Korn and B. I. Graubard, "Confidence intervals for proportions with small expected number of positive counts
/// estimated from survey data", Survey Methodology 24 (1998), who use it with an exact interval.
public struct DesignEffect: Sendable, Hashable {
  /// The effect, from 1 to prompts a group.
  public let value: Double
  /// The prompts.
  public let count: Int
  /// The groups that they make.
  public let groups: Int

  /// How many independent prompts would say as much, from the number of groups to the number of prompts.
  public var effectiveCount: Double { Double(count) / value }

  /// How many independent prompts have an interval as wide as so few groups call for: ``effectiveCount`` times (z / t)²,
  /// with t of one degree of freedom less than there are groups. A score interval of that many is the one with t in place
  /// of z.
  /// - Parameter confidence: The coverage of the interval.
  /// - Returns: Less than ``effectiveCount``; much less with 2 or 3 groups.
  /// - Throws: `StatisticsError` for a confidence outside (0, 1).
  public func effectiveCount(confidence: Double) throws(StatisticsError) -> Double {
    let reach = try FewGroups.reach(groups, confidence: confidence)
    return effectiveCount / (reach * reach)
  }

  /// What outcomes that count as one where all of them go by groups. See the type.
  private static let prior = 1.0

  /// Estimates the effect.
  /// - Parameters:
  ///   - values: One a prompt: 0 or 1, or the difference of two such.
  ///   - groups: The group of each prompt; two groups or more.
  /// - Throws: `StatisticsError` for no prompts, unpaired lists or a single group.
  public init(of values: [Double], groups: [String]) throws(StatisticsError) {
    guard values.count == groups.count else { throw .unpaired(first: values.count, second: groups.count) }
    guard !values.isEmpty else { throw .empty(what: "the design effect") }
    // Whole numbers, so that the order of prompts changes nothing.
    var sums: [String: (sum: Double, size: Double)] = [:]
    for (value, group) in zip(values, groups) {
      let own = sums[group] ?? (sum: 0, size: 0)
      sums[group] = (sum: own.sum + value, size: own.size + 1)
    }
    guard sums.count >= BootstrapMean.fewestGroups else {
      throw .countOutOfRange(
        name: "groups", value: sums.count, allowed: "at least \(BootstrapMean.fewestGroups)")
    }
    let (n, units) = (Double(values.count), Double(sums.count))
    let mean = values.reduce(0, +) / n
    let within = values.map { ($0 - mean) * ($0 - mean) }.sorted().reduce(0, +)
    let between = sums.values.map { unit in
      let distance = unit.sum - unit.size * mean
      return distance * distance
    }.sorted().reduce(0, +)
    let most = n / units
    let effect = (units / (units - 1) * between + Self.prior * most) / (within + Self.prior)
    value = min(max(effect, 1), most)
    count = values.count
    self.groups = sums.count
  }
}
