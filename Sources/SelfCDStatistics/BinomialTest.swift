/// The exact binomial test of a rate. Matches `scipy.stats.binomtest(k, n, p, alternative)`.
public enum BinomialTest {
  /// What is held against the null hypothesis that the rate equals the tested one.
  public enum Alternative: String, Codable, Sendable, CaseIterable {
    /// The rate is smaller: the p-value of Learn-then-Test for a risk bound (Angelopoulos et al., arXiv
    /// 2110.01052), where the null hypothesis is "the risk is at least this".
    case less
    /// The rate is larger.
    case greater
    /// The rate differs: the sum of all outcomes no more likely than the one seen.
    case twoSided
  }

  /// The p-value of `successes` in `trials` when the rate is `rate`.
  /// - Throws: `StatisticsError` for counts outside 0...trials or a rate outside [0, 1].
  public static func pValue(
    successes: Int, trials: Int, rate: Double, alternative: Alternative
  ) throws(StatisticsError) -> Double {
    switch alternative {
    case .less:
      return try BinomialDistribution.cumulative(successes: successes, trials: trials, probability: rate)
    case .greater:
      return try BinomialDistribution.upperTail(successes: successes, trials: trials, probability: rate)
    case .twoSided:
      return try twoSided(successes: successes, trials: trials, rate: rate)
    }
  }

  private static func twoSided(successes: Int, trials: Int, rate: Double) throws(StatisticsError) -> Double {
    let seen = try BinomialDistribution.mass(successes: successes, trials: trials, probability: rate)
    let mean = rate * Double(trials)
    if Double(successes) == mean { return 1 }
    // Outcomes that equal the seen probability up to rounding count as ties, as in SciPy and R.
    let limit = seen * (1 + 1e-7)
    func isNoMoreLikely(_ count: Int) throws(StatisticsError) -> Bool {
      try BinomialDistribution.mass(successes: count, trials: trials, probability: rate) <= limit
    }
    // The mass falls on both sides of the mean, so the far tail's beginning is found by halving.
    if Double(successes) < mean {
      var near = Int(mean.rounded(.up)) - 1
      var far = trials + 1
      while far - near > 1 {
        let middle = near + (far - near) / 2
        if try isNoMoreLikely(middle) { far = middle } else { near = middle }
      }
      let lower = try BinomialDistribution.cumulative(
        successes: successes, trials: trials, probability: rate)
      guard far <= trials else { return min(1, lower) }
      return min(
        1, lower + (try BinomialDistribution.upperTail(successes: far, trials: trials, probability: rate)))
    }
    var near = Int(mean.rounded(.down)) + 1
    var far = -1
    while near - far > 1 {
      let middle = far + (near - far) / 2
      if try isNoMoreLikely(middle) { far = middle } else { near = middle }
    }
    let upper = try BinomialDistribution.upperTail(successes: successes, trials: trials, probability: rate)
    guard far >= 0 else { return min(1, upper) }
    return min(
      1, upper + (try BinomialDistribution.cumulative(successes: far, trials: trials, probability: rate)))
  }
}
