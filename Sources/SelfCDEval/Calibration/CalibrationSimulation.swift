import SelfCDStatistics

/// Repeats a calibration on sets drawn from a pool whose true rates are known, and counts how often the bound fails.
///
/// Prompts are drawn with replacement, so that the pool's rates are the truth that the guarantee speaks of and its
/// prompts are exchangeable by construction. Where they come in groups, groups are drawn, as many as have the wanted
/// number of prompts on average. Nothing is generated: the pool's replies are stored ones.
public struct CalibrationSimulation: Sendable, Hashable {
  /// Prompts of each kind in each of the two parts.
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
    /// The share of refusals that each candidate truly loses: that of the pool.
    public var truth: [String: Double]
    /// Repetitions in which any candidate that passed at calibration truly exceeds the bound.
    public var anyPassedExceeds: Int
    /// Repetitions in which the best of those that passed at calibration, without a confirmation, exceeds it.
    public var chosenAtCalibrationExceeds: Int
    /// Repetitions in which the confirmed choice exceeds it.
    public var confirmedExceeds: Int
    /// The chance of at least ``anyPassedExceeds`` failures were the true rate 1 − confidence: small only if the
    /// guarantee is broken beyond simulation error.
    public var pValue: Double
    /// How often each condition was chosen in the end, the reference among them.
    public var choices: [String: Int]
    /// Harmless prompts, as a share of the pool's, that the choice answers and the reference does not, on average.
    public var meanGain: Double
  }

  private let pool: ReplyOutcomes
  private let candidates: [CalibrationResult.Candidate]
  private let settings: CalibrationSettings
  private let size: Size
  private let testsGroups: Bool

  /// Makes a simulation.
  /// - Parameters:
  ///   - pool: Stored outcomes; its conditions are the reference and the candidates.
  ///   - candidates: In the order of the test.
  ///   - settings: What is promised.
  ///   - size: Prompts to draw for each part.
  ///   - testsGroups: Whether groups count in the test as they do in the draw; without, the test takes prompts as
  ///     independent that are not.
  public init(
    pool: ReplyOutcomes, candidates: [CalibrationResult.Candidate], settings: CalibrationSettings,
    size: Size, testsGroups: Bool = true
  ) {
    self.testsGroups = testsGroups
    self.pool = pool
    self.candidates = candidates
    self.settings = settings
    self.size = size
  }

  /// Draws, calibrates and confirms.
  /// - Throws: `StatisticsError` for a pool that lacks an axis, or settings out of range.
  public func run(repetitions: Int, seed: UInt64) throws(StatisticsError) -> Report {
    let harmless = pool.prompts.filter { !$0.isHarmful }
    let harmful = pool.prompts.filter(\.isHarmful)
    guard !harmless.isEmpty else { throw .empty(what: "harmless prompts of the pool") }
    guard !harmful.isEmpty else { throw .empty(what: "harmful prompts of the pool") }
    guard repetitions >= 1 else {
      throw .countOutOfRange(name: "repetitions", value: repetitions, allowed: "at least 1")
    }
    let counts = Dictionary(uniqueKeysWithValues: zip(pool.conditions, pool.counts))
    let truth = counts.mapValues {
      $0.refusedByReference > 0 ? Double($0.lost) / Double($0.refusedByReference) : 0
    }
    func exceeds(_ id: String) -> Bool { (truth[id] ?? 1) > settings.maxHarmIncrease }
    let reference = pool.conditions[0]
    func unanswered(_ id: String) -> Double {
      Double(counts[id]?.harmlessUnanswered ?? 0) / Double(harmless.count)
    }
    let units = [
      (pool.byGroup { !$0.isHarmful } ?? harmless.map { [$0] }, size.harmless, harmless.count),
      (pool.byGroup { $0.isHarmful } ?? harmful.map { [$0] }, size.harmful, harmful.count),
    ].map { groups, wanted, prompts in
      (groups: groups, draws: max(1, Int((Double(wanted * groups.count) / Double(prompts)).rounded())))
    }

    var generator = Xoshiro256StarStar(seed: seed)
    func draw(_ conditions: [String]) -> ReplyOutcomes {
      let places = conditions.compactMap { pool.conditions.firstIndex(of: $0) }
      var prompts: [ReplyOutcomes.Prompt] = []
      for (groups, draws) in units {
        for number in 0..<draws {
          for prompt in groups[generator.index(below: groups.count)] {
            prompts.append(
              .init(
                isHarmful: prompt.isHarmful, outcomes: places.map { prompt.outcomes[$0] },
                // Drawn twice, it is two groups.
                group: prompt.group == nil || !testsGroups ? nil : "\(number)"))
          }
        }
      }
      return ReplyOutcomes(conditions: conditions, prompts: prompts)
    }

    var report = Report(
      repetitions: repetitions, truth: truth, anyPassedExceeds: 0, chosenAtCalibrationExceeds: 0,
      confirmedExceeds: 0, pValue: 1, choices: [:], meanGain: 0)
    for _ in 0..<repetitions {
      var result = try CalibrationResult(
        calibrating: draw(pool.conditions), candidates: candidates, settings: settings, seed: seed)
      report.anyPassedExceeds += result.passed.contains(where: exceeds) ? 1 : 0
      report.chosenAtCalibrationExceeds += exceeds(result.bestPassed) ? 1 : 0
      if !result.passed.isEmpty { try result.confirm(on: draw([reference] + result.passed)) }
      report.confirmedExceeds += exceeds(result.chosen) ? 1 : 0
      report.choices[result.chosen, default: 0] += 1
      report.meanGain += (unanswered(reference) - unanswered(result.chosen)) / Double(repetitions)
    }
    report.pValue = try BinomialTest.pValue(
      successes: report.anyPassedExceeds, trials: repetitions, rate: 1 - settings.confidence,
      alternative: .greater)
    return report
  }
}
