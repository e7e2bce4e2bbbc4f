/// Rates of a population from a sample of which only a part was read, by strata.
///
/// A cheap reading (a judge's verdict) of every item sorts the items into strata; a costly one (a person's) is made of
/// some items of each stratum, drawn at random without replacement, or of all of them. The rate is the strata's rates
/// weighted by their sizes (J. Neyman, "Contribution to the theory of sampling human populations", JASA 33, 1938; W. G.
/// Cochran, "Sampling Techniques", 1977, chapter 12). The costly reading alone decides what an item is; the cheap one
/// only makes the estimate precise.
///
/// Two things are uncertain, and both are in the interval: what the unread items are (an interval for each stratum, with
/// the finite population correction), and which items came into the sample at all (the interval of a sample of that size).
/// They are put together by ``MoverInterval``. The second is about a population that the items were drawn from
/// independently.
public enum DoubleSampling {
  /// A stratum of items, for one rate.
  public struct Stratum: Codable, Sendable, Hashable {
    /// All items.
    public var items: Int
    /// Those that were read.
    public var read: Int
    /// Those that were read and have the outcome.
    public var successes: Int
    /// The rate to take where nothing was read; its interval is then all of [0, 1].
    public var assumed: Double

    /// Makes a stratum.
    public init(items: Int, read: Int, successes: Int, assumed: Double = 0) {
      self.items = items
      self.read = read
      self.successes = successes
      self.assumed = assumed
    }
  }

  /// A stratum of items of which each has two outcomes, for the difference of two rates.
  public struct PairedStratum: Codable, Sendable, Hashable {
    /// All items.
    public var items: Int
    /// Those that were read.
    public var read: Int
    /// Those that were read and have the first outcome only.
    public var firstOnly: Int
    /// Those that were read and have the second outcome only.
    public var secondOnly: Int

    /// Makes a stratum.
    public init(items: Int, read: Int, firstOnly: Int, secondOnly: Int) {
      self.items = items
      self.read = read
      self.firstOnly = firstOnly
      self.secondOnly = secondOnly
    }

    /// A count as a share of what was read; 0 where nothing was. A whole share is exactly 1.
    fileprivate func share(_ count: Int) -> Double { read > 0 ? Double(count) / Double(read) : 0 }
  }

  /// The rate over all strata, with Wilson's interval for each and for the whole.
  /// - Throws: `StatisticsError` without items, for impossible counts or a confidence outside (0, 1).
  public static func rate(
    _ strata: [Stratum], confidence: Double = 0.95
  ) throws(StatisticsError) -> ConfidenceInterval {
    let items = strata.reduce(0) { $0 + $1.items }
    guard items > 0 else { throw .empty(what: "a rate by strata") }
    var parts: [MoverInterval.Part] = []
    for stratum in strata where stratum.items > 0 {
      parts.append(
        .init(
          weight: Double(stratum.items) / Double(items),
          interval: try interval(of: stratum, confidence: confidence)))
    }
    let estimate = min(1, max(0, parts.reduce(0) { $0 + $1.weight * $1.interval.estimate }))
    let drawn = try WilsonInterval.of(proportion: estimate, trials: Double(items), confidence: confidence)
    parts.append(.init(weight: 1, interval: drawn.aroundZero))
    let sum = try MoverInterval.sum(parts, confidence: confidence)
    return ConfidenceInterval(
      estimate: estimate, low: max(0, sum.low), high: min(1, sum.high), confidence: confidence)
  }

  /// The first rate less the second, with Tango's interval for each stratum and for the whole.
  /// - Parameters:
  ///   - strata: Items whose two outcomes may differ.
  ///   - identical: Further items whose two outcomes are known to be the same, whatever they are.
  ///   - confidence: The nominal coverage.
  /// - Throws: `StatisticsError` without items, for impossible counts or a confidence outside (0, 1).
  public static func difference(
    _ strata: [PairedStratum], identical: Int = 0, confidence: Double = 0.95
  ) throws(StatisticsError) -> ConfidenceInterval {
    let items = strata.reduce(identical) { $0 + $1.items }
    guard items > 0, identical >= 0 else { throw .empty(what: "a difference by strata") }
    var parts: [MoverInterval.Part] = []
    var (first, second) = (0.0, 0.0)
    for stratum in strata where stratum.items > 0 {
      first += Double(stratum.items) * stratum.share(stratum.firstOnly)
      second += Double(stratum.items) * stratum.share(stratum.secondOnly)
      parts.append(
        .init(
          weight: Double(stratum.items) / Double(items),
          interval: try interval(of: stratum, confidence: confidence)))
    }
    let drawn = try PairedScoreInterval.difference(
      estimatedFirstOnly: first, estimatedSecondOnly: second, n: Double(items), confidence: confidence)
    parts.append(.init(weight: 1, interval: drawn.aroundZero))
    let sum = try MoverInterval.sum(parts, confidence: confidence)
    return ConfidenceInterval(
      estimate: sum.estimate, low: max(-1, sum.low), high: min(1, sum.high), confidence: confidence)
  }

  /// What the unread items of a stratum leave open.
  private static func interval(
    of stratum: Stratum, confidence: Double
  ) throws(StatisticsError) -> ConfidenceInterval {
    guard stratum.read > 0 else {
      try StatisticsError.check(closedUnit: stratum.assumed, "the assumed rate")
      return ConfidenceInterval(estimate: stratum.assumed, low: 0, high: 1, confidence: confidence)
    }
    try StatisticsError.check(successes: stratum.read, trials: stratum.items)
    try StatisticsError.check(successes: stratum.successes, trials: stratum.read)
    let rate = Double(stratum.successes) / Double(stratum.read)
    guard let trials = FinitePopulation.effectiveTrials(sample: stratum.read, population: stratum.items)
    else { return ConfidenceInterval(estimate: rate, low: rate, high: rate, confidence: confidence) }
    return try WilsonInterval.of(proportion: rate, trials: trials, confidence: confidence)
  }

  private static func interval(
    of stratum: PairedStratum, confidence: Double
  ) throws(StatisticsError) -> ConfidenceInterval {
    guard stratum.read > 0 else {
      return ConfidenceInterval(estimate: 0, low: -1, high: 1, confidence: confidence)
    }
    try StatisticsError.check(successes: stratum.read, trials: stratum.items)
    try StatisticsError.check(successes: stratum.firstOnly + stratum.secondOnly, trials: stratum.read)
    let rate = Double(stratum.firstOnly - stratum.secondOnly) / Double(stratum.read)
    guard let trials = FinitePopulation.effectiveTrials(sample: stratum.read, population: stratum.items)
    else { return ConfidenceInterval(estimate: rate, low: rate, high: rate, confidence: confidence) }
    return try PairedScoreInterval.difference(
      estimatedFirstOnly: trials * stratum.share(stratum.firstOnly),
      estimatedSecondOnly: trials * stratum.share(stratum.secondOnly), n: trials, confidence: confidence)
  }
}

extension ConfidenceInterval {
  /// The same distances around an estimate of 0.
  fileprivate var aroundZero: ConfidenceInterval {
    ConfidenceInterval(estimate: 0, low: low - estimate, high: high - estimate, confidence: confidence)
  }
}
