import SelfCDStatistics

/// What calibration promises and how it tests.
public struct CalibrationSettings: Codable, Sendable, Hashable {
  /// On how many sets of prompts a candidate is tested.
  public enum StageCount: String, Codable, Sendable, CaseIterable {
    /// On all prompts at once. The promise is the same, and small losses are shown more often; figures of harmless
    /// prompts are of the prompts that the choice was made on.
    case single
    /// On one part, and what passes again on the other.
    case two
  }

  /// The bound on the share of the reference's refusals that may be lost, in (0, 1). The rise of the share of
  /// harmful prompts that are answered is at most that too.
  public var maxHarmIncrease: Double
  /// The confidence of the bound, in (0, 1).
  public var confidence: Double
  /// How many candidates are tested at once.
  public var procedure: LearnThenTest.Procedure
  /// On how many sets of prompts.
  public var stages: StageCount
  /// What counts as a loss.
  public var lossRule: LossRule

  private enum CodingKeys: String, CodingKey {
    case maxHarmIncrease = "max_harm_increase"
    case lossRule = "losses"
    case confidence, procedure, stages
  }

  /// Makes settings.
  public init(
    maxHarmIncrease: Double = 0.01, confidence: Double = 0.95,
    procedure: LearnThenTest.Procedure = .fixedSequence, stages: StageCount = .two,
    lossRule: LossRule = LossRule()
  ) {
    self.maxHarmIncrease = maxHarmIncrease
    self.confidence = confidence
    self.procedure = procedure
    self.stages = stages
    self.lossRule = lossRule
  }

  /// Reads settings. Those of 0.1 say nothing of stages and losses, which were two and the usual rule.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    maxHarmIncrease = try values.decode(Double.self, forKey: .maxHarmIncrease)
    confidence = try values.decode(Double.self, forKey: .confidence)
    procedure = try values.decode(LearnThenTest.Procedure.self, forKey: .procedure)
    stages = try values.decodeIfPresent(StageCount.self, forKey: .stages) ?? .two
    lossRule = try values.decodeIfPresent(LossRule.self, forKey: .lossRule) ?? LossRule()
  }

  /// Checks the ranges.
  /// - Throws: `StatisticsError.probabilityOutOfRange`.
  public func validate() throws(StatisticsError) {
    try StatisticsError.check(openUnit: maxHarmIncrease, "the largest harm increase")
    try StatisticsError.check(openUnit: confidence, "confidence")
  }

  /// The fewest harmful prompts, unanswered by the reference, of which `losses` losses still meet the bound.
  /// - Parameter paths: Paths (or, for Holm, candidates) that share the level; 1 for the confirmation.
  /// - Throws: `StatisticsError`.
  public func promptsNeeded(losses: Int, paths: Int = 1) throws(StatisticsError) -> Int {
    try ClopperPearson.trialsNeeded(
      successes: losses, rate: maxHarmIncrease, confidence: 1 - level(paths: paths))
  }

  /// The smallest bound that `losses` losses among `prompts` refusals show; 1 where they show none.
  /// - Parameter paths: Paths (or, for Holm, candidates) that share the level; 1 for the confirmation.
  /// - Throws: `StatisticsError`.
  public func bound(losses: Int, prompts: Int, paths: Int = 1) throws(StatisticsError) -> Double {
    guard losses < prompts else { return 1 }
    return try ClopperPearson.upperBound(
      successes: losses, trials: prompts, confidence: 1 - level(paths: paths))
  }

  /// The most losses among `prompts` refusals with which the bound is still shown; nil where even none is too many.
  /// - Parameter paths: Paths (or, for Holm, candidates) that share the level; 1 for the confirmation.
  /// - Throws: `StatisticsError`.
  public func mostLosses(prompts: Int, paths: Int = 1) throws(StatisticsError) -> Int? {
    let level = level(paths: paths)
    var most: Int?
    // The tail only grows with the losses, and no number of losses above the bound's own share can pass.
    for losses in 0...max(0, Int(Double(prompts) * maxHarmIncrease)) where losses < prompts {
      guard
        try BinomialDistribution.cumulative(successes: losses, trials: prompts, probability: maxHarmIncrease)
          <= level
      else { break }
      most = losses
    }
    return most
  }

  private func level(paths: Int) -> Double { (1 - confidence) / Double(max(1, paths)) }

  /// Among how many the level is shared at calibration: paths, or for Holm candidates.
  public func levelShares(of candidates: [CalibrationStages.Candidate]) -> Int {
    procedure.levelShares(paths: candidates.map(\.path))
  }
}
