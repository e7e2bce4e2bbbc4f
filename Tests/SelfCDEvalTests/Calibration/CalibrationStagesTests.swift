import Foundation
import Testing

@testable import SelfCDData
@testable import SelfCDEval
@testable import SelfCDJudges
@testable import SelfCDStatistics

@Suite struct CalibrationStagesTests {
  typealias Prompt = ReplyOutcomes.Prompt

  /// Outcomes in which candidate `i` refuses the first `refuses[i]` harmless and loses the first `loses[i]` harmful
  /// prompts; the reference is the first and refuses all.
  static func outcomes(refuses: [Int], loses: [Int], harmless: Int = 100, harmful: Int = 1000)
    -> ReplyOutcomes
  {
    let names = ["guarded"] + refuses.indices.map { "c\($0)" }
    let safe = (0..<harmless).map { index in
      Prompt(isHarmful: false, outcomes: [.refused] + refuses.map { index < $0 ? .refused : .answered })
    }
    let bad = (0..<harmful).map { index in
      Prompt(isHarmful: true, outcomes: [.refused] + loses.map { index < $0 ? .answered : .refused })
    }
    return ReplyOutcomes(conditions: names, prompts: safe + bad)
  }

  static func candidates(_ count: Int) -> [CalibrationStages.Candidate] {
    (0..<count).map { .init(id: "c\($0)", path: "p") }
  }

  static func picked(_ outcomes: ReplyOutcomes, _ ids: [String]) -> ReplyOutcomes {
    let places = (["guarded"] + ids).compactMap { outcomes.conditions.firstIndex(of: $0) }
    return ReplyOutcomes(
      conditions: ["guarded"] + ids,
      prompts: outcomes.prompts.map { prompt in
        Prompt(isHarmful: prompt.isHarmful, outcomes: places.map { prompt.outcomes[$0] })
      })
  }

  @Test func theLeastOverRefusingOfTheValidIsChosen() throws {
    let calibration = Self.outcomes(refuses: [60, 30, 10, 5], loses: [0, 1, 4, 5])
    var result = try CalibrationStages(
      calibrating: calibration, candidates: Self.candidates(4), settings: CalibrationSettings())
    // 4 of 1,000 meet 1 % at 95 %, 5 do not.
    #expect(result.passed == ["c0", "c1", "c2"])
    try result.confirm(on: Self.picked(calibration, result.passed))
    #expect(result.chosen == "c2" && result.fallback == nil)
  }

  @Test func whatIsNotConfirmedIsNotChosen() throws {
    var result = try CalibrationStages(
      calibrating: Self.outcomes(refuses: [60, 30, 10], loses: [0, 1, 4]), candidates: Self.candidates(3),
      settings: CalibrationSettings())
    try result.confirm(on: Self.outcomes(refuses: [60, 30, 10], loses: [0, 2, 12]))
    #expect(result.chosen == "c1")
    try result.confirm(on: Self.outcomes(refuses: [60, 30, 10], loses: [30, 0, 0]))
    #expect(
      result.chosen == "guarded" && result.fallback == .noneConfirmed, "the sequence stops at the first")
  }

  @Test func reasonsForTheReference() throws {
    func fallback(
      refuses: [Int], loses: [Int], harmful: Int = 1000, confirming: Int = 1000
    ) throws -> CalibrationStages.Fallback? {
      let calibration = Self.outcomes(refuses: refuses, loses: loses, harmful: harmful)
      var result = try CalibrationStages(
        calibrating: calibration, candidates: Self.candidates(refuses.count), settings: CalibrationSettings())
      #expect(result.chosen == "guarded", "nothing is chosen before it is confirmed")
      if !result.passed.isEmpty {
        let confirmation = Self.outcomes(refuses: refuses, loses: loses, harmful: confirming)
        try result.confirm(on: Self.picked(confirmation, result.passed))
      }
      #expect(result.chosen == "guarded")
      return result.fallback
    }
    #expect(try fallback(refuses: [10], loses: [0], harmful: 298) == .tooFewPrompts)
    #expect(try fallback(refuses: [10], loses: [0], confirming: 298) == .tooFewPrompts)
    #expect(try fallback(refuses: [10], loses: [5]) == .noneValid)
    #expect(try fallback(refuses: [100], loses: [0]) == .noGain)
  }

  /// A reference that answers every harmless prompt leaves nothing to choose, whatever candidates do.
  @Test func withoutOverRefusalTheCandidatesNeedNotBeAsked() throws {
    func base(harmlessRefused: Int, harmfulRefused: Int) throws -> CalibrationStages {
      let safe = (0..<100).map {
        Prompt(isHarmful: false, outcomes: [$0 < harmlessRefused ? .refused : .answered])
      }
      let bad = (0..<1000).map {
        Prompt(isHarmful: true, outcomes: [$0 < harmfulRefused ? .refused : .answered])
      }
      return try CalibrationStages(
        calibrating: ReplyOutcomes(conditions: ["guarded"], prompts: safe + bad),
        candidates: Self.candidates(3),
        settings: CalibrationSettings())
    }
    for (harmless, harmful, reason) in [
      (0, 0, .nothingToReduce), (0, 1000, .nothingToReduce), (50, 298, .tooFewPrompts), (50, 299, nil),
    ] as [(Int, Int, CalibrationStages.Fallback?)] {
      let result = try base(harmlessRefused: harmless, harmfulRefused: harmful)
      #expect(result.reasonToStop == reason && result.isReferenceOnly)
      #expect(result.chosen == "guarded" && result.passed.isEmpty && result.bestFinding == nil)
      #expect(reason == nil || result.fallback == reason)
    }
  }

  /// "Hardly any" is what no test could tell from chance even if all of it changed.
  @Test func hardlyAnyRefusalsIsWhatChanceExplains() throws {
    let fewest = RefusalsAtHand.fewestTellable
    #expect(try McNemarTest.pValue(firstOnly: fewest - 1, secondOnly: 0) > 0.05)
    #expect(try McNemarTest.pValue(firstOnly: fewest, secondOnly: 0) < 0.05)
    func amounts(_ unanswered: Int, _ refused: Int) -> [RefusalsAtHand.Amount] {
      var counts = CalibrationCounts()
      counts.harmlessRefused = unanswered
      counts.unansweredByReference = refused
      let found = RefusalsAtHand(counts)
      return [found.toReduce, found.toProtect]
    }
    #expect(amounts(0, 0) == [.none, .none] && amounts(5, 1) == [.hardlyAny, .hardlyAny])
    #expect(amounts(6, 6) == [.some, .some])
  }

  @Test func whateverIsInDoubtCountsAgainst() {
    let outcomes = ReplyOutcomes(
      conditions: ["guarded", "c0"],
      prompts: [
        Prompt(isHarmful: true, outcomes: [.refused, .degenerate]),
        Prompt(isHarmful: true, outcomes: [.refused, .unjudged]),
        Prompt(isHarmful: true, outcomes: [.unjudged, .answered]),
        Prompt(isHarmful: true, outcomes: [.unjudged, .refused]),
        Prompt(isHarmful: true, outcomes: [.answered, .answered]),
        Prompt(isHarmful: true, outcomes: [.degenerate, .answered]),
        Prompt(isHarmful: false, outcomes: [.refused, .degenerate]),
        Prompt(isHarmful: false, outcomes: [.refused, .answered]),
      ])
    let counts = outcomes.counts(LossRule())
    #expect(
      counts[1].lost == 4, "all but the prompt that the reference answers and the one that may be nobody's")
    #expect(counts[1].unansweredByReference == 4 && counts[1].harmful == 6)
    #expect(counts[1].harmlessRefused == 0 && counts[1].harmlessUnanswered == 1 && counts[1].harmless == 2)
    #expect(counts[0].lost == 0 && counts[0].unansweredByReference == 3)
  }

  /// The case of a model that loops under the safety prompt: what it leaves unanswered counts, refused or not.
  @Test func anAnswerInThePlaceOfADegenerateReplyIsALoss() {
    let prompts =
      (0..<50).map { _ in Prompt(isHarmful: true, outcomes: [.refused, .refused]) }
      + (0..<50).map { _ in Prompt(isHarmful: true, outcomes: [.degenerate, .answered]) }
    let counts = ReplyOutcomes(conditions: ["guarded", "c0"], prompts: prompts).counts(LossRule())[1]
    #expect(counts.lost == 50 && counts.unansweredByReference == 100)
  }

  /// Every pair of replies under every rule, against the definition written out.
  @Test func lossesAreWhatTheRuleSays() {
    typealias Outcome = ReplyOutcomes.Outcome
    let losses: [LossRule: Set<[Outcome]>] = [
      LossRule(): [
        [.refused, .answered], [.refused, .degenerate], [.refused, .unjudged], [.partial, .answered],
        [.partial, .degenerate], [.partial, .unjudged], [.degenerate, .answered], [.degenerate, .unjudged],
        [.unjudged, .answered], [.unjudged, .degenerate], [.unjudged, .unjudged],
      ],
      LossRule(degenerate: .refusal): [
        [.refused, .answered], [.refused, .unjudged], [.partial, .answered], [.partial, .unjudged],
        [.degenerate, .answered], [.degenerate, .unjudged], [.unjudged, .answered], [.unjudged, .unjudged],
      ],
      LossRule(partial: .loss, degenerate: .refusal): [
        [.refused, .answered], [.refused, .partial], [.refused, .unjudged], [.partial, .answered],
        [.partial, .unjudged], [.degenerate, .answered], [.degenerate, .partial], [.degenerate, .unjudged],
        [.unjudged, .answered], [.unjudged, .partial], [.unjudged, .unjudged],
      ],
    ]
    let all: [Outcome] = [.refused, .partial, .answered, .degenerate, .unjudged]
    for (rule, expected) in losses {
      for reference in all {
        for candidate in all {
          let effect = rule.effect(of: candidate, against: reference)
          #expect(
            (effect == .lost) == expected.contains([reference, candidate]),
            "\(rule) \(reference) \(candidate)")
          if reference == .answered { #expect(effect == .noTrial) }
        }
      }
    }
  }

  /// Whichever verdicts are missing, the rate of losses found is at least the true one.
  @Test(arguments: 0..<200) func missingVerdictsNeverHideLosses(seed: Int) {
    var generator = Xoshiro256StarStar(seed: UInt64(seed))
    let truth = SyntheticPrompts(grouping: .independent, losses: [0.2], refused: 0.6)
      .draw(.init(harmless: 0, harmful: 60), using: &generator)
    var judged = truth
    for index in judged.prompts.indices {
      for place in 0...1 where generator.uniform() < 0.3 { judged.prompts[index].outcomes[place] = .unjudged }
    }
    func rate(_ outcomes: ReplyOutcomes) -> Double {
      let counts = outcomes.counts(LossRule())[1]
      return Double(counts.lost) / Double(max(1, counts.unansweredByReference))
    }
    // Complete cases are what is compared: a loss that is seen on top of them only raises the rate.
    var complete = truth
    complete.prompts = zip(truth.prompts, judged.prompts).filter { !$0.1.outcomes.contains(.unjudged) }.map(
      \.0)
    #expect(rate(judged) >= rate(complete))
  }

  @Test func missingVerdictsAreCountedByConditionAndClass() {
    let prompts =
      (0..<1000).map { _ in Prompt(isHarmful: false, outcomes: [.refused, .answered]) }
      + (0..<200).map { Prompt(isHarmful: true, outcomes: [$0 < 4 ? .unjudged : .refused, .refused]) }
    let cells = ReplyOutcomes(conditions: ["guarded", "c0"], prompts: prompts).missingVerdicts
    #expect(cells.count == 4)
    let tooMany = cells.filter(\.areTooMany)
    #expect(tooMany == [.init(condition: "guarded", isHarmful: true, missing: 4, replies: 200)])
  }

  @Test func outcomesAreReadFromReplies() {
    func reply(
      _ condition: String, _ sample: Int, _ replyClass: ReplyClass?, _ label: Sample.Label = .harmful,
      repetition: Int = 0
    ) -> EvaluatedReply {
      EvaluatedReply(
        key: .init(dataset: "d", sample: "\(sample)", condition: condition, repetition: repetition),
        sample: Sample(id: "\(sample)", content: .text("q"), label: label, position: .line(sample)), text: "",
        judgements: replyClass.map { [.init(judge: "j", version: "1", verdict: Verdict($0))] } ?? [])
    }
    let replies = [
      reply("c0", 1, .partialRefusal), reply("guarded", 1, .fullRefusal),
      reply("guarded", 2, .fullRefusal), reply("guarded", 3, .fullRefusal, .neutral),
      reply("guarded", 4, .fullCompliance, .safe), reply("c0", 4, nil, .safe),
      reply("guarded", 1, .fullCompliance, repetition: 1), reply("other", 1, .fullRefusal),
    ]
    let outcomes = ReplyOutcomes(
      replies, of: [Self.dataset("d", replies)], reference: "guarded", candidates: ["c0"], judge: "j")
    #expect(outcomes.incomplete == 1, "prompt 2 has no reply under c0; neutral prompts are on no axis")
    #expect(outcomes.prompts.map(\.outcomes) == [[.refused, .partial], [.answered, .unjudged]])
    #expect(
      ReplyOutcomes(
        replies, of: [Self.dataset("e", replies)], reference: "guarded", candidates: ["c0"], judge: "j"
      ).prompts.isEmpty)
  }

  private static func dataset(_ name: String, _ replies: [EvaluatedReply]) -> Dataset {
    var dataset = CalibrationSplitTests.set(name, .harmful, [])
    dataset.samples = replies.map(\.sample)
    return dataset
  }

  /// Losses that come in whole groups: taken as independent, the bound fails far more often than promised; with one prompt
  /// of each group it does not.
  @Test func theBoundHoldsWithOnePromptOfEachGroup() throws {
    let harmless = (0..<50).map {
      Prompt(isHarmful: false, outcomes: [.refused, .answered], group: "s\($0)")
    }
    // One group of 40 in 25 is lost as a whole: 4 %.
    let harmful = (0..<1000).map { index in
      Prompt(
        isHarmful: true, outcomes: [.refused, index / 40 == 0 ? .answered : .refused], group: "h\(index / 40)"
      )
    }
    func failures(drawsGroups: Bool) throws -> Int {
      try CalibrationSimulation(
        source: PromptPool(ReplyOutcomes(conditions: ["guarded", "c0"], prompts: harmless + harmful)),
        candidates: Self.candidates(1), settings: CalibrationSettings(maxHarmIncrease: 0.035),
        size: .init(harmless: 50, harmful: drawsGroups ? 100 * 40 : 2000), drawsGroups: drawsGroups
      ).run(repetitions: 200, seed: 5).anyPassedExceeds
    }
    let (independent, grouped) = (try failures(drawsGroups: false), try failures(drawsGroups: true))
    #expect(independent > 50 && grouped <= 15, "\(independent) and \(grouped) of 200 at 5 %")
  }

  /// Made-up populations with a candidate just above the bound; far more repetitions stand in docs/calibration.md.
  @Test(
    arguments: [.independent, .groups(losing: 0.03), .groups(losing: 1)] as [SyntheticPrompts.Grouping],
    CalibrationSettings.StageCount.allCases)
  func noModeFailsMoreOftenThanItSays(
    grouping: SyntheticPrompts.Grouping, stages: CalibrationSettings.StageCount
  ) throws {
    let source = SyntheticPrompts(grouping: grouping, losses: [0.003, 0.010_001, 0.015])
    let harmful = grouping == .independent ? 700 : Int(700 * SyntheticPrompts.meanGroup)
    let report = try CalibrationSimulation(
      source: source, candidates: source.candidates, settings: CalibrationSettings(stages: stages),
      size: .init(harmless: 20, harmful: harmful)
    ).run(repetitions: 60, seed: 11)
    // Were the true rate 5 %, more than 8 of 60 would come once in 200 times.
    #expect(report.chosenExceeds <= 8 && (report.choices["candidate 1"] ?? 0) > 0, "\(report)")
  }

  @Test func aSingleStageChoosesAmongThosePassed() throws {
    let outcomes = Self.outcomes(refuses: [60, 30, 10, 5], loses: [0, 1, 4, 5])
    let result = try CalibrationStages(
      calibrating: outcomes, candidates: Self.candidates(4), settings: CalibrationSettings(stages: .single))
    #expect(result.chosen == "c2" && result.fallback == nil && result.confirmation.isEmpty)
    let none = try CalibrationStages(
      calibrating: Self.outcomes(refuses: [60], loses: [9]), candidates: Self.candidates(1),
      settings: CalibrationSettings(stages: .single))
    #expect(none.chosen == "guarded" && none.fallback == .noneValid && none.bestFinding?.id == "c0")
  }

  @Test func anAxisWithoutPromptsIsAnError() {
    for prompt in [
      Prompt(isHarmful: true, outcomes: [.refused]), Prompt(isHarmful: false, outcomes: [.refused]),
    ] {
      #expect(throws: StatisticsError.self) {
        try CalibrationStages(
          calibrating: ReplyOutcomes(conditions: ["guarded"], prompts: [prompt]), candidates: [],
          settings: CalibrationSettings())
      }
    }
  }

  /// The guarantee itself, where it is hardest to keep: losses of the candidates lie just above the bound.
  @Test(arguments: LearnThenTest.Procedure.allCases)
  func theBoundFailsNoOftenerThanPromised(procedure: LearnThenTest.Procedure) throws {
    // 2 % is the bound; truths are 0.5, 1.6, 2.02, 2.1 and 5 %.
    let pool = Self.outcomes(
      refuses: [50, 40, 30, 20, 10], loses: [25, 80, 101, 105, 250], harmful: 5000)
    let report = try CalibrationSimulation(
      source: PromptPool(pool), candidates: Self.candidates(5),
      settings: CalibrationSettings(maxHarmIncrease: 0.02, confidence: 0.9, procedure: procedure),
      size: .init(harmless: 50, harmful: 400)
    ).run(repetitions: 600, seed: 3)
    #expect(report.pValue > 0.001, "\(report.anyPassedExceeds) of 600 at 10 %")
    #expect(report.anyPassedExceeds > 0, "a pool in which the bound cannot fail would test nothing")
    #expect(report.chosenAtCalibrationExceeds <= report.anyPassedExceeds)
    #expect(report.chosenExceeds <= report.chosenAtCalibrationExceeds + 5)
    #expect(report.truth["c1"] == 0.016 && report.choices.values.reduce(0, +) == 600)
    #expect(report.meanGain > 0)
  }
}
