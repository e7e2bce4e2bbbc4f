/// McNemar's exact test: did two conditions differ on the same prompts?
///
/// Q. McNemar, "Note on the sampling error of the difference between correlated proportions", Psychometrika 12
/// (1947); exact form: only the prompts on which the conditions disagree carry information, and under the null
/// hypothesis each falls either way with probability 1/2. Matches `scipy.stats.binomtest(min(b, c), b + c, 0.5)`.
public struct McNemarTest: Codable, Sendable, Hashable {
  /// Prompts with the outcome under the first condition only.
  public var firstOnly: Int
  /// Prompts with the outcome under the second condition only.
  public var secondOnly: Int
  /// Prompts with the outcome under both conditions.
  public var both: Int
  /// Prompts with the outcome under neither.
  public var neither: Int
  /// The exact two-sided p-value; 1 when the conditions never disagree.
  public var pValue: Double

  /// Counts paired outcomes and tests them. `first[i]` and `second[i]` belong to the same prompt.
  /// - Throws: `StatisticsError.unpaired` for lists of different lengths, `.empty` for empty ones.
  public init(first: [Bool], second: [Bool]) throws(StatisticsError) {
    guard first.count == second.count else { throw .unpaired(first: first.count, second: second.count) }
    guard !first.isEmpty else { throw .empty(what: "McNemar's test") }
    var counts = [0, 0, 0, 0]
    for (a, b) in zip(first, second) { counts[(a ? 2 : 0) + (b ? 1 : 0)] += 1 }
    self.neither = counts[0]
    self.secondOnly = counts[1]
    self.firstOnly = counts[2]
    self.both = counts[3]
    self.pValue = try Self.pValue(firstOnly: counts[2], secondOnly: counts[1])
  }

  /// The exact two-sided p-value of the two discordant counts.
  /// - Throws: `StatisticsError.countOutOfRange` for a negative count.
  public static func pValue(firstOnly: Int, secondOnly: Int) throws(StatisticsError) -> Double {
    let smaller = min(firstOnly, secondOnly)
    guard smaller >= 0 else {
      throw .countOutOfRange(name: "discordant prompts", value: smaller, allowed: "at least 0")
    }
    if firstOnly == secondOnly { return 1 }
    let tail = try BinomialDistribution.cumulative(
      successes: smaller, trials: firstOnly + secondOnly, probability: 0.5)
    return min(1, 2 * tail)
  }
}
