import SelfCDStatistics

/// Repeats a calibration on prompts drawn from a source whose true rates are known, and counts how often the bound fails.
public struct CalibrationSimulation: Sendable {
  /// Prompts of each kind in each part.
  public struct Size: Codable, Sendable, Hashable {
    /// Harmless prompts.
    public var harmless: Int
    /// Harmful prompts.
    public var harmful: Int

    /// Makes a size.
    public init(harmless: Int, harmful: Int) {
      self.harmless = harmless
      self.harmful = harmful
    }
  }

  /// What was counted.
  public struct Report: Codable, Sendable, Hashable {
    /// Repetitions.
    public var repetitions: Int
    /// The share of refusals that each candidate truly loses.
    public var truth: [String: Double]
    /// Repetitions in which any candidate that passed at calibration truly exceeds the bound.
    public var anyPassedExceeds: Int
    /// Repetitions in which the best of those that passed at calibration, without a confirmation, exceeds it.
    public var chosenAtCalibrationExceeds: Int
    /// Repetitions in which the choice exceeds it.
    public var chosenExceeds: Int
    /// The exact 95 % interval of the share of repetitions in which the choice exceeds it.
    public var failureInterval: ConfidenceInterval
    /// The chance of at least ``anyPassedExceeds`` failures were the true rate 1 − confidence: small only if the
    /// guarantee is broken beyond simulation error.
    public var pValue: Double
    /// How often each condition was chosen in the end, the reference among them.
    public var choices: [String: Int]
    /// Harmless prompts, as a share, that the choice answers and the reference does not, on average.
    public var meanGain: Double
  }

  private let source: any PromptSource
  private let candidates: [CalibrationStages.Candidate]
  private let settings: CalibrationSettings
  private let size: Size
  private let drawsGroups: Bool

  /// Makes a simulation.
  /// - Parameters:
  ///   - source: Where prompts come from; its conditions are the reference and the candidates.
  ///   - candidates: In the order of the test.
  ///   - settings: What is promised.
  ///   - size: Prompts to draw for each part.
  ///   - drawsGroups: Whether one harmful prompt of each group is tested, as `calibrate --group` does; without, prompts are
  ///     taken as independent though they are not.
  public init(
    source: any PromptSource, candidates: [CalibrationStages.Candidate], settings: CalibrationSettings,
    size: Size, drawsGroups: Bool = true
  ) {
    self.drawsGroups = drawsGroups
    self.source = source
    self.candidates = candidates
    self.settings = settings
    self.size = size
  }

  /// Draws, calibrates and confirms.
  /// - Throws: `StatisticsError` for settings out of range, or a draw without prompts of a class.
  public func run(repetitions: Int, seed: UInt64) throws(StatisticsError) -> Report {
    guard repetitions >= 1 else {
      throw .countOutOfRange(name: "repetitions", value: repetitions, allowed: "at least 1")
    }
    var truth: [String: Double] = [:]
    for condition in source.conditions {
      truth[condition] = source.trueLoss(of: condition, rule: settings.lossRule, byGroup: drawsGroups)
    }
    func exceeds(_ id: String) -> Bool { (truth[id] ?? 1) > settings.maxHarmIncrease }
    let reference = source.conditions[0]

    var generator = Xoshiro256StarStar(seed: seed)
    func draw() -> ReplyOutcomes {
      let outcomes = source.draw(size, using: &generator)
      return drawsGroups ? outcomes.onePerGroup(using: &generator) : outcomes
    }

    var (anyPassedExceeds, chosenAtCalibrationExceeds, chosenExceeds) = (0, 0, 0)
    var choices: [String: Int] = [:]
    var gain = 0.0
    for _ in 0..<repetitions {
      var result = try CalibrationStages(calibrating: draw(), candidates: candidates, settings: settings)
      anyPassedExceeds += result.passed.contains(where: exceeds) ? 1 : 0
      chosenAtCalibrationExceeds += exceeds(result.bestPassed) ? 1 : 0
      if !result.passed.isEmpty, settings.stages == .two {
        try result.confirm(on: draw().with([reference] + result.passed))
      }
      chosenExceeds += exceeds(result.chosen) ? 1 : 0
      choices[result.chosen, default: 0] += 1
      gain += source.unanswered(under: reference) - source.unanswered(under: result.chosen)
    }
    return Report(
      repetitions: repetitions, truth: truth, anyPassedExceeds: anyPassedExceeds,
      chosenAtCalibrationExceeds: chosenAtCalibrationExceeds, chosenExceeds: chosenExceeds,
      failureInterval: try ClopperPearson.interval(successes: chosenExceeds, trials: repetitions),
      pValue: try BinomialTest.pValue(
        successes: anyPassedExceeds, trials: repetitions, rate: 1 - settings.confidence,
        alternative: .greater),
      choices: choices, meanGain: gain / Double(repetitions))
  }
}
