/// The bootstrap of a rate whose trials come in groups: groups are drawn with replacement, whole.
///
/// A. Davison and D. Hinkley, "Bootstrap Methods and their Application" (1997), section 3.8. Prompts made of the same
/// words stand and fall together; drawn one by one they would look like more evidence than they are.
public enum ClusterBootstrap {
  /// One group's counts.
  public struct Group: Codable, Sendable, Hashable {
    /// Trials with the outcome.
    public var successes: Int
    /// All trials.
    public var trials: Int

    /// Makes counts.
    public init(successes: Int, trials: Int) {
      self.successes = successes
      self.trials = trials
    }
  }

  /// Resamples: the bound then varies by about 1 % of its distance to the estimate.
  public static let resamples = 10_000

  /// The one-sided percentile bound on successes over trials. It is 0 where there is no success at all, so that it
  /// wants an exact bound beside it.
  ///
  /// Resample r draws as many indices as there are groups by ``Xoshiro256StarStar/index(below:)`` from one generator
  /// seeded with `seed`; one without trials is passed over.
  /// - Parameters:
  ///   - groups: The groups' counts, in a fixed order.
  ///   - confidence: The nominal coverage.
  ///   - resamples: How many bootstrap samples.
  ///   - seed: The same seed gives the same bound.
  /// - Throws: `StatisticsError` without groups or trials, for impossible counts, or a confidence outside (0, 1).
  public static func upperBound(
    _ groups: [Group], confidence: Double, resamples: Int = Self.resamples, seed: UInt64
  ) throws(StatisticsError) -> Double {
    try StatisticsError.check(openUnit: confidence, "confidence")
    guard resamples >= 1 else {
      throw .countOutOfRange(name: "resamples", value: resamples, allowed: "at least 1")
    }
    guard groups.contains(where: { $0.trials > 0 }) else { throw .empty(what: "the cluster bootstrap") }
    for group in groups where group.successes < 0 || group.successes > group.trials {
      throw .countOutOfRange(name: "successes", value: group.successes, allowed: "0...\(group.trials)")
    }
    var generator = Xoshiro256StarStar(seed: seed)
    var rates: [Double] = []
    rates.reserveCapacity(resamples)
    for _ in 0..<resamples {
      var (successes, trials) = (0, 0)
      for _ in groups.indices {
        let group = groups[generator.index(below: groups.count)]
        successes += group.successes
        trials += group.trials
      }
      if trials > 0 { rates.append(Double(successes) / Double(trials)) }
    }
    return Quantile.of(rates.sorted(), confidence)
  }
}
