/// A one-sided upper bound on a rate of losses where a costly reading was made of some items only.
///
/// Items whose cheap reading changed are all read; of those whose cheap reading did not change, a random sample is; items
/// that are the same before and after cannot be losses. The bound is made in two steps.
///
/// 1. *How many losses there can be among these items.* The losses found where everything was read, plus the most that
///    may be hidden where a sample was read (``FinitePopulation``, at a share of the level). In the same way, how many
///    trials, items that could be lost at all, there are at least. The only chance in this step is that of the draw, so
///    that ``rateHere`` holds whatever the items are.
/// 2. *What that says about further items.* ``ClopperPearson`` with the most losses and the fewest trials, at the rest of
///    the level. This assumes that the items were drawn independently from the population that the bound is about.
///
/// Whatever the truth, ``bound`` lies below it with probability at most 1 − ``confidence``: the steps' error
/// probabilities add up to that (Bonferroni). No rate of errors of the cheap reading is assumed or estimated, and it may
/// err differently before and after; the costly reading is taken as the truth.
public struct AuditedLossBound: Codable, Sendable, Hashable {
  /// Items that are read alike.
  public struct Group: Codable, Sendable, Hashable {
    /// All items.
    public var items: Int
    /// Those that were read.
    public var read: Int
    /// Those that were read and could be lost.
    public var trials: Int
    /// Those that were read and are lost.
    public var lost: Int

    /// Makes a group.
    public init(items: Int = 0, read: Int = 0, trials: Int = 0, lost: Int = 0) {
      self.items = items
      self.read = read
      self.trials = trials
      self.lost = lost
    }
  }

  /// How the error level 1 − confidence is shared. The shares were chosen once, before any data, so that bounds are
  /// short over samples of 50 to 300 of up to 4,000 items.
  public enum LevelShare {
    /// For hidden losses.
    public static let hidden = 0.5
    /// For trials that were not read, half of it for each group that is sampled.
    public static let trials = 0.1
    /// For items beyond those at hand.
    public static let population = 0.4
  }

  /// The confidence of ``bound``.
  public var confidence: Double
  /// Losses that were found.
  public var found: Int
  /// The best estimate of the rate of losses; nil where no trial was found.
  public var estimate: Double?
  /// The most losses that there can be among the items.
  public var mostLosses: Int
  /// The fewest trials that there can be among the items.
  public var fewestTrials: Int
  /// The upper bound on the rate among these very items: ``mostLosses`` in ``fewestTrials``.
  public var rateHere: Double
  /// The confidence of ``rateHere``: that of the draw alone; 1 where everything was read.
  public var confidenceHere: Double
  /// The upper bound on the rate in the population that the items are from.
  public var bound: Double

  /// Computes the bound.
  /// - Parameters:
  ///   - changed: Items whose cheap reading changed; all of them are read.
  ///   - unchanged: Items whose cheap reading did not change, with a random sample read.
  ///   - identical: Items that are the same before and after, with a random sample read; none can be lost.
  ///   - readsAll: Whether it was decided beforehand that everything is read. The whole level is then that of the
  ///     second step.
  ///   - confidence: The confidence of the bound.
  /// - Throws: `StatisticsError` for counts that cannot be, or a confidence outside (0, 1).
  public init(
    changed: Group, unchanged: Group, identical: Group, readsAll: Bool = false, confidence: Double = 0.95
  ) throws(StatisticsError) {
    try StatisticsError.check(openUnit: confidence, "confidence")
    for group in [changed, unchanged, identical] { try Self.check(group) }
    guard identical.lost == 0 else {
      throw .countOutOfRange(name: "losses among identical items", value: identical.lost, allowed: "0")
    }
    let isComplete = [changed] + (readsAll ? [unchanged, identical] : [])
    for group in isComplete where group.read != group.items {
      throw .countOutOfRange(
        name: "items read of a group of which all are read", value: group.read, allowed: "\(group.items)")
    }
    let level = 1 - confidence
    func most(_ count: Int, of group: Group, share: Double) throws(StatisticsError) -> Int {
      try FinitePopulation.mostSuccesses(
        in: group.read, with: count, population: group.items, confidence: 1 - share * level)
    }
    self.confidence = confidence
    found = changed.lost + unchanged.lost
    estimate = Self.estimate(changed, unchanged, identical)
    mostLosses = try changed.lost + most(unchanged.lost, of: unchanged, share: LevelShare.hidden)
    var trials = changed.trials
    for group in [unchanged, identical] {
      trials +=
        group.items - (try most(group.read - group.trials, of: group, share: LevelShare.trials / 2))
    }
    fewestTrials = trials
    let hasTrials = trials > 0
    rateHere = hasTrials ? min(1, Double(mostLosses) / Double(trials)) : 1
    confidenceHere = readsAll ? 1 : 1 - (LevelShare.hidden + LevelShare.trials) * level
    bound =
      hasTrials
      ? try ClopperPearson.upperBound(
        successes: min(mostLosses, trials), trials: trials,
        confidence: 1 - (readsAll ? 1 : LevelShare.population) * level) : 1
  }

  private static func check(_ group: Group) throws(StatisticsError) {
    guard group.items >= 0, (0...max(0, group.items)).contains(group.read) else {
      throw .countOutOfRange(name: "items read", value: group.read, allowed: "from 0 to \(group.items)")
    }
    guard (0...group.read).contains(group.trials) else {
      throw .countOutOfRange(name: "trials", value: group.trials, allowed: "from 0 to \(group.read)")
    }
    guard (0...group.trials).contains(group.lost) else {
      throw .countOutOfRange(name: "losses", value: group.lost, allowed: "from 0 to \(group.trials)")
    }
  }

  private static func estimate(_ groups: Group...) -> Double? {
    var (lost, trials) = (0.0, 0.0)
    for group in groups where group.read > 0 {
      let scale = Double(group.items) / Double(group.read)
      lost += scale * Double(group.lost)
      trials += scale * Double(group.trials)
    }
    return trials > 0 ? lost / trials : nil
  }
}
