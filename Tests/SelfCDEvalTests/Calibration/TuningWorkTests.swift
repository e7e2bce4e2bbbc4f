import SelfCD
import SelfCDData
import SelfCDEval
import SelfCDStatistics
import Testing

/// How much a tuning generates, what fits into a time, and which candidates that means.
@Suite struct TuningWorkTests {
  /// 10 prompts to calibrate on, 6 to confirm on, seven candidates of two lanes.
  private static let work = TuningWork(
    calibrationPrompts: 10, confirmationPrompts: 6, referenceLanes: 1, comparisonLanes: 1,
    candidateLanes: Array(repeating: 2, count: 7))
  private static let grid = ["a", "b", "c", "d", "e", "f", "g"]

  private static func decision(_ seconds: Double, perLane: Double = 1) -> TuningDecision {
    TuningDecision(grid: grid, work: work, budgetSeconds: seconds, secondsPerLane: perLane)
  }

  @Test func workIsCountedByHand() {
    // Base rates alone; then two lanes a candidate on 10 prompts, and on 6 beside the reference.
    #expect(Self.work.lanes(candidates: 0) == 20 && Self.work.replies(candidates: 0) == 20)
    #expect(Self.work.lanes(candidates: 1) == 20 + 20 + 6 + 12)
    #expect(Self.work.replies(candidates: 1) == 20 + 10 + 6 + 6)
    #expect(Self.work.lanes(candidates: 3) == 20 + 60 + 6 + 36)
    #expect(Self.work.seconds(candidates: 3, secondsPerLane: 0.5) == 61)
    var single = Self.work
    single.confirmationPrompts = 0
    #expect(single.lanes(candidates: 3) == 80)
  }

  @Test func theNumberOfCandidatesIsTheLargestThatFits() {
    let cases: [(Double, Int)] = [
      (57.9, 0), (58, 1), (89.9, 1), (90, 2), (249.9, 6), (250, 7), (1e6, 7),
    ]
    for (seconds, count) in cases {
      #expect(Self.work.candidates(within: seconds, secondsPerLane: 1) == count, "\(seconds)")
      #expect(Self.work.candidates(within: seconds / 4, secondsPerLane: 0.25) == count, "\(seconds)")
    }
  }

  /// Coarse to fine in what is taken, and in the order of the test once it is.
  @Test func theNumberAloneSaysWhichCandidates() {
    let cases: [(Double, [String])] = [
      (58, ["d"]), (90, ["b", "d"]), (122, ["b", "d", "f"]), (250, Self.grid),
    ]
    for (seconds, taken) in cases {
      let decision = Self.decision(seconds)
      #expect(decision.candidates == taken, "\(seconds)")
      #expect(decision.leftOut == Self.grid.filter { !taken.contains($0) })
      #expect(decision.estimatedSeconds == seconds && decision.secondsForAll == 250)
    }
    #expect(Self.decision(10).candidates.isEmpty && Self.decision(10).leftOut == Self.grid)
    // A machine twice as fast does in the same time what takes twice as long.
    #expect(Self.decision(58, perLane: 0.5).candidates == Self.decision(116).candidates)
  }

  @Test func minutesHaveATenthToSpare() {
    #expect(TuningDecision.minutes(0) == 1 && TuningDecision.minutes(600) == 11)
    #expect(TuningDecision.minutes(601) == 12 && TuningDecision.minutes(.infinity) == 1_000_000_000)
  }

  /// The same inputs are the same tuning; whatever changes a reply or a test is another one.
  @Test func theFingerprintIsThatOfTheInputs() throws {
    func fingerprint(
      _ set: Dataset, seed: UInt64 = 0, settings: CalibrationSettings = .init(), tokens: Int = 9,
      system: String? = nil, judge: String = "a", emphasis: SafetyEmphasis = .paper, model: String = "ab"
    ) throws -> String {
      try TuningInputs(
        modelSHA256: model, split: CalibrationSplit([set], confirmFraction: 0.5, seed: seed),
        settings: settings, options: GenerationOptions(maximumTokens: tokens), system: system,
        judges: [judge], conditions: CalibrationGrid.conditions(reference: Plain(), emphasis: emphasis)
      ).fingerprint()
    }
    let set = CalibrationPlanTests.dataset("a", harmless: 8, harmful: 8)
    let own = try fingerprint(set)
    #expect(own.count == 64)
    #expect(try fingerprint(set) == own)
    let others = try [
      fingerprint(CalibrationPlanTests.dataset("a", harmless: 8, harmful: 9)), fingerprint(set, seed: 1),
      fingerprint(set, settings: .init(maxHarmIncrease: 0.02)), fingerprint(set, tokens: 8),
      fingerprint(set, system: "Be brief."), fingerprint(set, judge: "b"),
      fingerprint(set, emphasis: .strict), fingerprint(set, model: "cd"),
    ]
    #expect(Set(others + [own]).count == others.count + 1)
  }
}
