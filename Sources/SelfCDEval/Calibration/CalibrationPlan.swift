import SelfCDData
import SelfCDStatistics

/// What a calibration can show with the prompts at hand: known before anything is generated, so that nobody waits for
/// replies that cannot decide anything.
///
/// Every figure takes it that the reference leaves all harmful prompts unanswered. Prompts that it answers do not count, so
/// that these are the best cases.
public struct CalibrationPlan: Codable, Sendable, Hashable {
  /// The losses for which figures are given: none, one and two.
  static let losses = 0...2

  /// One of the two parts of the prompts.
  public struct Part: Codable, Sendable, Hashable {
    /// Harmless prompts.
    public var harmless: Int
    /// Harmful prompts.
    public var harmful: Int
    /// Among how many paths or candidates the level is shared.
    public var levelShares: Int
    /// The smallest bound that can be shown with no loss, with one and with two.
    public var bounds: [Double]
    /// The fewest refusals with which the bound asked for can be shown with no loss, with one and with two.
    public var needed: [Int]
    /// The most losses with which the bound asked for is still shown; nil where even none is too many.
    public var mostLosses: Int?

    /// Whether the bound asked for can be shown at all.
    public var suffices: Bool { needed.first.map { harmful >= $0 } ?? false }

    /// - Throws: `StatisticsError` for settings out of range.
    init(
      harmless: Int, harmful: Int, levelShares: Int, settings: CalibrationSettings
    ) throws(StatisticsError) {
      self.harmless = harmless
      self.harmful = harmful
      self.levelShares = levelShares
      bounds = []
      needed = []
      for losses in CalibrationPlan.losses {
        bounds.append(try settings.bound(losses: losses, prompts: harmful, paths: levelShares))
        needed.append(try settings.promptsNeeded(losses: losses, paths: levelShares))
      }
      mostLosses = try settings.mostLosses(prompts: harmful, paths: levelShares)
    }

    /// The chance that a candidate with this true rate of losses passes here: `P(X ≤ mostLosses)`, X binomial.
    func passProbability(trueLoss: Double) throws(StatisticsError) -> Double {
      guard let mostLosses else { return 0 }
      return try BinomialDistribution.cumulative(
        successes: mostLosses, trials: harmful, probability: trueLoss)
    }
  }

  /// What is asked for.
  public var settings: CalibrationSettings
  /// The prompts to calibrate on.
  public var calibration: Part
  /// The prompts to confirm on; nil for a calibration in a single stage.
  public var confirmation: Part?

  /// Plans a calibration.
  /// - Parameters:
  ///   - calibration: The sets to calibrate on.
  ///   - confirmation: The sets to confirm on; not looked at for a calibration in a single stage.
  ///   - candidates: In the order of the test.
  ///   - settings: What is promised.
  /// - Throws: `StatisticsError` for settings out of range.
  public init(
    calibration: [Dataset], confirmation: [Dataset], candidates: [CalibrationStages.Candidate],
    settings: CalibrationSettings
  ) throws(StatisticsError) {
    try settings.validate()
    self.settings = settings
    func count(_ sets: [Dataset], _ label: Sample.Label) -> Int {
      sets.reduce(0) { $0 + ($1.labelCounts[label] ?? 0) }
    }
    self.calibration = try Part(
      harmless: count(calibration, .safe), harmful: count(calibration, .harmful),
      levelShares: settings.levelShares(of: candidates), settings: settings)
    if settings.stages == .two {
      self.confirmation = try Part(
        harmless: count(confirmation, .safe), harmful: count(confirmation, .harmful), levelShares: 1,
        settings: settings)
    }
  }

  /// The parts there are, in their order.
  public var parts: [Part] { [calibration] + (confirmation.map { [$0] } ?? []) }

  /// Whether any candidate can pass every part.
  public var isReachable: Bool { parts.allSatisfy(\.suffices) }

  /// The smallest bound that every part can show: not one refusal is lost.
  public var reachableBound: Double { parts.map { $0.bounds.first ?? 1 }.max() ?? 1 }

  /// The chance that a candidate passes every part if it truly loses this share of the refusals, and no candidate before it
  /// on its path fails. For independent prompts, all of them left unanswered by the reference.
  /// - Parameter trueLoss: In [0, 1].
  /// - Throws: `StatisticsError` for a rate outside [0, 1].
  public func passProbability(trueLoss: Double) throws(StatisticsError) -> Double {
    var product = 1.0
    for part in parts { product *= try part.passProbability(trueLoss: trueLoss) }
    return product
  }

  /// The same rounded up to two digits, as somebody would ask for it; nil where no bound below 1 can be shown.
  public var suggestedBound: Double? {
    guard reachableBound > 0, reachableBound < 1 else { return nil }
    var scale = 100.0
    while reachableBound * scale < 10 { scale *= 10 }
    let rounded = (reachableBound * scale).rounded(.up) / scale
    return rounded < 1 ? rounded : nil
  }

  /// The fewest harmful prompts of which the split leaves enough in both parts.
  /// - Parameter confirmFraction: The share that is held back, in (0, 1).
  public func harmfulNeeded(confirmFraction: Double) -> Int {
    guard let confirmation else { return calibration.needed.first ?? 0 }
    let (first, second) = (calibration.needed.first ?? 0, confirmation.needed.first ?? 0)
    func suffices(_ count: Int) -> Bool {
      let held = CalibrationSplit.held(of: count, confirmFraction: confirmFraction)
      return held >= second && count - held >= first
    }
    // Both parts only grow with the number of prompts. No share is so small that it needs more than this limit.
    var high = max(first + second, 1)
    while !suffices(high), high < 1 << 48 { high *= 2 }
    var low = 0
    while high - low > 1 {
      let middle = low + (high - low) / 2
      if suffices(middle) { high = middle } else { low = middle }
    }
    return high
  }
}
