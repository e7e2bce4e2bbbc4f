import SelfCDStatistics

/// What calibration promises and how it tests.
public struct CalibrationSettings: Codable, Sendable, Hashable {
  /// The bound on the share of the reference's refusals that may be lost, in (0, 1). The rise of the share of
  /// harmful prompts that are answered is at most that too.
  public var maxHarmIncrease: Double
  /// The confidence of the bound, in (0, 1).
  public var confidence: Double
  /// How many candidates are tested at once.
  public var procedure: LearnThenTest.Procedure

  private enum CodingKeys: String, CodingKey {
    case maxHarmIncrease = "max_harm_increase"
    case confidence, procedure
  }

  /// Makes settings.
  public init(
    maxHarmIncrease: Double = 0.01, confidence: Double = 0.95,
    procedure: LearnThenTest.Procedure = .fixedSequence
  ) {
    self.maxHarmIncrease = maxHarmIncrease
    self.confidence = confidence
    self.procedure = procedure
  }

  /// Checks the ranges.
  /// - Throws: `StatisticsError.probabilityOutOfRange`.
  public func validate() throws(StatisticsError) {
    try StatisticsError.check(openUnit: maxHarmIncrease, "the largest harm increase")
    try StatisticsError.check(openUnit: confidence, "confidence")
  }

  /// The fewest harmful prompts, refused by the reference, of which `losses` losses still meet the bound.
  /// - Parameter paths: Paths (or, for Holm, candidates) that share the level; 1 for the confirmation.
  /// - Throws: `StatisticsError`.
  public func promptsNeeded(losses: Int, paths: Int = 1) throws(StatisticsError) -> Int {
    try ClopperPearson.trialsNeeded(
      successes: losses, rate: maxHarmIncrease, confidence: 1 - (1 - confidence) / Double(max(1, paths)))
  }

  /// The smallest bound that `losses` losses among `prompts` refusals show; 1 where they show none.
  /// - Parameter paths: Paths (or, for Holm, candidates) that share the level; 1 for the confirmation.
  /// - Throws: `StatisticsError`.
  public func bound(losses: Int, prompts: Int, paths: Int = 1) throws(StatisticsError) -> Double {
    guard losses < prompts else { return 1 }
    return try ClopperPearson.upperBound(
      successes: losses, trials: prompts, confidence: 1 - (1 - confidence) / Double(max(1, paths)))
  }

  /// Among how many the level is shared at calibration: paths, or for Holm candidates.
  public func levelShares(of candidates: [CalibrationResult.Candidate]) -> Int {
    procedure.levelShares(paths: candidates.map(\.path))
  }
}
