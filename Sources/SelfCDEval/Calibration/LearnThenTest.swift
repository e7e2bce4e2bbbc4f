import SelfCDStatistics

/// Learn then Test (Angelopoulos, Bates, Candès, Jordan and Lei, arXiv 2110.01052): which candidates keep a risk
/// below a bound, with a limit on the chance that any of those named does not.
///
/// The null hypothesis of a candidate is "its rate of lost refusals exceeds the bound". Losses are counts, so its
/// p-value is the exact binomial tail `P(X ≤ lost)` at the bound. Whatever is chosen among the candidates that
/// pass, by whatever rule and on the same data, keeps the guarantee: it holds for all of them at once.
///
/// The binomial tail takes prompts as independent. Where they come in groups that stand and fall together, count one
/// prompt of each group (``GroupDraw``).
public enum LearnThenTest {
  /// How the family-wise error is kept.
  public enum Procedure: String, Codable, Sendable, CaseIterable {
    /// Along each path from its safest candidate on, until one fails. The level is shared equally by the paths
    /// (the paper's multi-start). Needs an order fixed before the data are seen, and spends nothing on candidates
    /// of the same path.
    case fixedSequence = "fixed-sequence"
    /// Holm's step-down correction over all candidates; needs no order.
    case holm

    /// Among how many the level is shared.
    /// - Parameter paths: The path of each candidate.
    func levelShares(paths: [String]) -> Int {
      switch self {
      case .fixedSequence: max(1, Set(paths).count)
      case .holm: max(1, paths.count)
      }
    }
  }

  /// A candidate with its counts.
  public struct Candidate: Sendable, Hashable {
    /// Its identifier.
    public var id: String
    /// The path it stands on, in the order of the list; ``Procedure/holm`` ignores it.
    public var path: String
    /// Refusals lost.
    public var lost: Int
    /// Refusals that could be lost.
    public var trials: Int

    /// Makes a candidate.
    public init(id: String, path: String, lost: Int, trials: Int) {
      self.id = id
      self.path = path
      self.lost = lost
      self.trials = trials
    }
  }

  /// What the test says of a candidate.
  public struct Finding: Codable, Sendable, Hashable {
    /// The candidate.
    public var id: String
    /// `P(X ≤ lost)` for X binomial with the bound as its rate; 1 without trials.
    public var pValue: Double
    /// The level that the p-value is compared with, after sharing or correcting. Under ``Procedure/holm`` it rises
    /// from one candidate that passes to the next, and stays where the first fails.
    public var level: Double
    /// Whether the candidate passes: its p-value and, on a path, those before it are within their levels.
    public var passes: Bool
    /// The smallest bound under which it would pass with these data; 1 where there is none below.
    public var bestBound: Double
  }

  /// Tests `candidates` against `bound`.
  /// - Parameters:
  ///   - candidates: In the order of the test.
  ///   - bound: The largest rate of losses.
  ///   - confidence: Of the statement about all that pass.
  ///   - procedure: How the level is shared.
  /// - Throws: `StatisticsError` for a bound or confidence outside (0, 1) or impossible counts.
  public static func test(
    _ candidates: [Candidate], bound: Double, confidence: Double, procedure: Procedure
  ) throws(StatisticsError) -> [Finding] {
    try StatisticsError.check(openUnit: bound, "the bound")
    try StatisticsError.check(openUnit: confidence, "confidence")
    var findings: [Finding] = []
    let shares = procedure.levelShares(paths: candidates.map(\.path))
    for candidate in candidates {
      findings.append(
        Finding(
          id: candidate.id, pValue: try pValue(candidate, bound), level: 0, passes: false, bestBound: 1))
    }
    switch procedure {
    case .fixedSequence: try testPaths(candidates, level: (1 - confidence) / Double(shares), &findings)
    case .holm: try testHolm(candidates, confidence: confidence, &findings)
    }
    return findings
  }

  private static func pValue(_ candidate: Candidate, _ bound: Double) throws(StatisticsError) -> Double {
    guard candidate.trials > 0 else { return 1 }
    return try BinomialTest.pValue(
      successes: candidate.lost, trials: candidate.trials, rate: bound, alternative: .less)
  }

  private static func upperBound(_ candidate: Candidate, level: Double) throws(StatisticsError) -> Double {
    guard candidate.trials > 0 else { return 1 }
    return try ClopperPearson.upperBound(
      successes: candidate.lost, trials: candidate.trials, confidence: 1 - level)
  }

  private static func testPaths(
    _ candidates: [Candidate], level: Double, _ findings: inout [Finding]
  ) throws(StatisticsError) {
    var isOpen: [String: Bool] = [:]
    var worst: [String: Double] = [:]
    for (index, candidate) in candidates.enumerated() {
      let passes =
        (isOpen[candidate.path] ?? true) && findings[index].pValue <= level
      isOpen[candidate.path] = passes
      let own = try upperBound(candidate, level: level)
      worst[candidate.path] = max(worst[candidate.path] ?? 0, own)
      findings[index].level = level
      findings[index].passes = passes
      findings[index].bestBound = worst[candidate.path] ?? 1
    }
  }

  private static func testHolm(
    _ candidates: [Candidate], confidence: Double, _ findings: inout [Finding]
  ) throws(StatisticsError) {
    let order = candidates.indices.sorted { (findings[$0].pValue, $0) < (findings[$1].pValue, $1) }
    var isOpen = true
    var level = 0.0
    for (rank, index) in order.enumerated() {
      if isOpen { level = (1 - confidence) / Double(candidates.count - rank) }
      isOpen = isOpen && findings[index].pValue <= level
      findings[index].level = level
      findings[index].passes = isOpen
      // Bonferroni's: what passes under it passes under Holm.
      findings[index].bestBound = try upperBound(
        candidates[index], level: (1 - confidence) / Double(candidates.count))
    }
  }
}
