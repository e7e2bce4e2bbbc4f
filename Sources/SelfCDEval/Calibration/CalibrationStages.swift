import SelfCDStatistics

/// Which candidate calibration chooses, and all that it was chosen by.
///
/// *Calibration* tests all candidates (``LearnThenTest``). With two stages, *confirmation* tests those that passed once
/// more, on prompts that had no part in it, from the fewest losses at calibration on until one fails: a fixed sequence,
/// since its order is known before the confirmation's data are. For independent prompts either stage alone limits the
/// chance of a wrong choice to 1 − confidence. Chosen is the candidate that leaves fewest harmless prompts of the
/// calibration set unanswered, so that the confirmation's figures of harmless prompts stay free of that choice.
public struct CalibrationStages: Sendable, Hashable {
  /// A candidate on its path: the order of the list is the order of the test.
  public struct Candidate: Sendable, Hashable {
    /// The condition's identifier.
    public var id: String
    /// Its path.
    public var path: String

    /// Makes a candidate.
    public init(id: String, path: String) {
      self.id = id
      self.path = path
    }
  }

  /// Why the reference was kept.
  public enum Fallback: String, Codable, Sendable {
    /// Even without a single loss the data could not show the bound.
    case tooFewPrompts = "too_few_prompts"
    /// No candidate passed at calibration.
    case noneValid = "none_valid"
    /// None of those that passed did so again at the confirmation.
    case noneConfirmed = "none_confirmed"
    /// Those that passed answer no more harmless prompts than the reference.
    case noGain = "no_gain"
    /// The reference leaves no harmless prompt unanswered, so that no candidate can answer more.
    case nothingToReduce = "nothing_to_reduce"
  }

  /// The reference's identifier.
  public var reference: String
  /// The settings.
  public var settings: CalibrationSettings
  /// The candidates, in the order of the test.
  public var candidates: [Candidate]
  /// Counts at calibration, by condition.
  public var calibration: [String: CalibrationCounts]
  /// Findings at calibration, in the candidates' order.
  public var findings: [LearnThenTest.Finding]
  /// Counts at confirmation, by condition; only of the reference and of candidates that passed.
  public var confirmation: [String: CalibrationCounts] = [:]
  /// Findings at confirmation, in the order of that test.
  public var confirmed: [LearnThenTest.Finding] = []

  /// Tests the candidates at calibration.
  /// - Parameters:
  ///   - outcomes: The calibration set; its conditions are the reference and the candidates. With the reference alone
  ///     every candidate fails, which is the result where ``reasonToStop`` says that none can be chosen.
  ///   - candidates: In the order of the test.
  ///   - settings: What is promised.
  /// - Throws: `StatisticsError`, also where one of the two axes has no prompt.
  public init(
    calibrating outcomes: ReplyOutcomes, candidates: [Candidate], settings: CalibrationSettings
  ) throws(StatisticsError) {
    try settings.validate()
    self.settings = settings
    self.candidates = candidates
    reference = outcomes.conditions[0]
    calibration = try Self.counts(outcomes, settings.lossRule)
    let counts = calibration
    findings = try LearnThenTest.test(
      candidates.map { candidate in
        let count = counts[candidate.id] ?? CalibrationCounts()
        return .init(
          id: candidate.id, path: candidate.path, lost: count.lost, trials: count.unansweredByReference)
      }, bound: settings.maxHarmIncrease, confidence: settings.confidence, procedure: settings.procedure)
  }

  /// The candidates that passed at calibration, in the order in which the confirmation tests them.
  public var passed: [String] {
    let order = Dictionary(uniqueKeysWithValues: zip(candidates.map(\.id), candidates.indices))
    return findings.filter(\.passes).map(\.id).sorted { first, second in
      let (a, b) = (calibration[first]?.lost ?? 0, calibration[second]?.lost ?? 0)
      return (a, order[first] ?? 0) < (b, order[second] ?? 0)
    }
  }

  /// Tests those that passed on other prompts.
  /// - Parameter outcomes: The confirmation set; its conditions are the reference and ``passed``.
  /// - Throws: `StatisticsError`, also where one of the two axes has no prompt.
  public mutating func confirm(on outcomes: ReplyOutcomes) throws(StatisticsError) {
    confirmation = try Self.counts(outcomes, settings.lossRule)
    let counts = confirmation
    confirmed = try LearnThenTest.test(
      passed.map { id in
        .init(
          id: id, path: "", lost: counts[id]?.lost ?? 0, trials: counts[id]?.unansweredByReference ?? 0)
      }, bound: settings.maxHarmIncrease, confidence: settings.confidence, procedure: .fixedSequence)
  }

  /// The chosen condition: the reference where no candidate is better and safe enough.
  public var chosen: String {
    switch settings.stages {
    case .single: bestPassed
    case .two: best(of: confirmed.filter(\.passes).map(\.id))
    }
  }

  /// What would be chosen without a confirmation.
  var bestPassed: String { best(of: passed) }

  /// Of equals the earlier, which lost less; the reference before all.
  private func best(of valid: [String]) -> String {
    ([reference] + valid).min { unanswered($0) < unanswered($1) } ?? reference
  }

  /// The candidate whose bound these data support best, and of equals the one that answers most harmless prompts.
  public var bestFinding: LearnThenTest.Finding? {
    guard !isReferenceOnly else { return nil }
    let stage = settings.stages == .two && findings.contains(where: \.passes) ? confirmed : findings
    return stage.min { first, second in
      (first.bestBound, unanswered(first.id)) < (second.bestBound, unanswered(second.id))
    }
  }

  /// Why the reference was kept; nil where a candidate was chosen.
  public var fallback: Fallback? {
    guard chosen == reference else { return nil }
    if calibration[reference]?.harmlessUnanswered == 0 { return .nothingToReduce }
    guard findings.contains(where: \.passes) else {
      return Self.isTooSmall(calibration[reference], settings, paths: levelShares)
        ? .tooFewPrompts : .noneValid
    }
    guard settings.stages == .single || confirmed.contains(where: \.passes) else {
      return Self.isTooSmall(confirmation[reference], settings, paths: 1) ? .tooFewPrompts : .noneConfirmed
    }
    return .noGain
  }

  /// Among how many the level is shared at calibration.
  public var levelShares: Int { settings.levelShares(of: candidates) }

  /// Whether the reference alone was asked, since its own replies leave nothing to choose.
  public var isReferenceOnly: Bool { calibration.count <= 1 }

  /// Why the candidates need not be asked; nil where one of them may be chosen.
  public var reasonToStop: Fallback? {
    let counts = calibration[reference]
    if counts?.harmlessUnanswered == 0 { return .nothingToReduce }
    return Self.isTooSmall(counts, settings, paths: levelShares) ? .tooFewPrompts : nil
  }

  private func unanswered(_ id: String) -> Int { calibration[id]?.harmlessUnanswered ?? .max }

  private static func isTooSmall(
    _ counts: CalibrationCounts?, _ settings: CalibrationSettings, paths: Int
  ) -> Bool {
    guard let needed = try? settings.promptsNeeded(losses: 0, paths: paths) else { return true }
    return (counts?.unansweredByReference ?? 0) < needed
  }

  private static func counts(
    _ outcomes: ReplyOutcomes, _ rule: LossRule
  ) throws(StatisticsError) -> [String: CalibrationCounts] {
    let counts = outcomes.counts(rule)
    guard let first = counts.first, first.harmless > 0 else { throw .empty(what: "harmless prompts") }
    guard first.harmful > 0 else { throw .empty(what: "harmful prompts") }
    return Dictionary(uniqueKeysWithValues: zip(outcomes.conditions, counts))
  }
}
