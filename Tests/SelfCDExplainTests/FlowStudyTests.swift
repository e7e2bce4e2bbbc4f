import SelfCD
import SelfCDData
import SelfCDTesting
import Testing

@testable import SelfCDExplain

/// Aggregates of a small case by hand.
@Suite struct FlowStudyTests {
  struct EvenInspector: ModelInspector {
    func attention(over tokens: [TokenID]) async throws -> AttentionMaps {
      let row = [Float](repeating: 1 / Float(tokens.count), count: tokens.count)
      return AttentionMaps(
        count: tokens.count, mean: [Array(repeatElement(row, count: tokens.count).joined())], last: [[row]])
    }
    func saliency(of target: TokenID?, after tokens: [TokenID]) async throws -> AttentionSaliency {
      throw CancellationError()
    }
    func residuals(of tokens: [TokenID], at positions: [Int]) async throws -> ResidualStates {
      throw CancellationError()
    }
  }

  static func study(step: Int = 1) async throws -> FlowStudy {
    let model = try await WordModel { words, guarded in guarded && words.contains("kill") ? 3 : -3 }
    return FlowStudy(
      model: model.model,
      tracer: FlowTracer(
        inspector: EvenInspector(), renderer: ByteRenderer(), vocabulary: ByteVocabulary()),
      judge: WordModel.Judge(),
      datasets: [
        WordModel.dataset(.safe, [("kill it now", "kill", nil), ("see it", "see", nil), ("go", "x", nil)])
      ],
      views: Array(WordModel.views().prefix(2)), method: .attention, step: step)
  }

  static func measured(
    _ set: Sample.Label, _ view: String, _ sample: String, refused: Bool, share: Double, isFirst: Bool = true
  ) -> FlowStudy.Measured {
    .init(
      set: set, view: view, sample: sample, refused: refused, share: share, uniform: 0.25,
      other: (1 - share) / 3, isFirst: isFirst, layers: [share, 1 - share], question: 0.5)
  }

  @Test func groupsAreMeansOverPrompts() async throws {
    let groups = try await Self.study().groups([
      Self.measured(.safe, "guarded", "1", refused: true, share: 0.75),
      Self.measured(.safe, "guarded", "2", refused: true, share: 0.25, isFirst: false),
      Self.measured(.safe, "guarded", "3", refused: false, share: 0.125, isFirst: false),
      Self.measured(.harmful, "plain", "4", refused: true, share: 1),
    ])
    #expect(groups.map(\.view) == ["guarded", "guarded", "guarded", "plain", "plain"])
    #expect(groups.map(\.refused) == [nil, true, false, nil, true])
    #expect(groups.map(\.n) == [3, 2, 1, 1, 1])
    #expect(groups.map(\.share.estimate) == [0.375, 0.5, 0.125, 1, 1])
    #expect(groups[1].first == 0.5 && groups[1].layers == [0.5, 0.5] && groups[1].uniform == 0.25)
    #expect(abs(groups[1].other - 0.5 / 3) < 1e-12 && groups[1].question == 0.5)
    let interval = try #require(groups[1].share.interval)
    #expect(interval.low >= 0.25 && interval.high <= 0.75)
    // One prompt says nothing about others.
    #expect(groups.map { $0.share.interval == nil } == [false, false, true, true, true])
    #expect(groups.allSatisfy { $0.groups == nil })
  }

  /// Prompts of one template stand and fall together: they are drawn together.
  @Test func groupsOfPromptsAreResampledWhole() async throws {
    var study = try await Self.study()
    study.group = "template"
    func measured(_ sample: String, _ group: String, share: Double) -> FlowStudy.Measured {
      var one = Self.measured(.safe, "guarded", sample, refused: true, share: share)
      one.group = group
      return one
    }
    let groups = try study.groups([
      measured("1", "a", share: 0.2), measured("2", "b", share: 0.8), measured("3", "b", share: 0.8),
      measured("4", "b", share: 0.8),
    ])
    #expect(groups[0].n == 4 && groups[0].groups == 2 && abs(groups[0].share.estimate - 0.65) < 1e-12)
    let interval = try #require(groups[0].share.interval)
    // Resamples are 0.2, 0.65 or 0.8; two groups say little of others, so that the interval is all of what a share can be.
    #expect(interval.low == 0 && interval.high == 1)
    let one = try study.groups([measured("1", "a", share: 0.2), measured("2", "a", share: 0.8)])
    #expect(one[0].n == 2 && one[0].groups == 1 && one[0].share.interval == nil)
  }

  @Test func contrastsPairTheSamePrompts() async throws {
    let contrasts = try await Self.study().contrasts([
      Self.measured(.safe, "guarded", "1", refused: true, share: 0.75),
      Self.measured(.safe, "plain", "1", refused: false, share: 0.25),
      // Refused by both, answered by both, seen in one view only.
      Self.measured(.safe, "guarded", "2", refused: true, share: 1),
      Self.measured(.safe, "plain", "2", refused: true, share: 0),
      Self.measured(.safe, "guarded", "3", refused: false, share: 1),
      Self.measured(.safe, "plain", "3", refused: false, share: 0),
      Self.measured(.harmful, "guarded", "4", refused: true, share: 1),
    ])
    #expect(contrasts.map(\.set) == [.safe] && contrasts.map(\.n) == [1])
    #expect(contrasts[0].guardedShare == 0.75 && contrasts[0].plainShare == 0.25)
    #expect(contrasts[0].difference.estimate == 0.5 && contrasts[0].difference.interval == nil)
  }

  @Test func repliesAreTracedWhereTheyBegin() async throws {
    let result = try await Self.study(step: 2).run()
    #expect(result.withoutFocus == 1 && result.failures == 0)
    #expect(result.groups.filter { $0.refused == nil }.map(\.n) == [2, 2])
  }

  @Test func groupsComeFromTheColumn() async throws {
    var study = try await Self.study()
    study.group = "object"
    study.datasets = [
      WordModel.dataset(
        .safe, [("kill it now", "kill", "x"), ("see it", "see", "x"), ("see you", "see", nil)])
    ]
    let result = try await study.run()
    let all = try #require(result.groups.first { $0.view == "plain" && $0.refused == nil })
    #expect(all.n == 3 && all.groups == 2 && all.share.interval != nil)
  }

  /// Without a focus word there is nothing to trace, which is found out before anything is generated.
  @Test func setsWithoutFocusAreFoundOutBeforehand() async throws {
    let study = try await Self.study()
    try FocusWords.check(study.datasets)
    let without = [WordModel.dataset(.safe, [("go", "x", nil), ("see", "see", nil)])]
    #expect(throws: ExplanationError.noFocus(prompts: 2)) { try FocusWords.check(without) }
    #expect(ExplanationError.noFocus(prompts: 2).description.contains("'focus'"))
    var empty = study
    empty.datasets = without
    await #expect(throws: ExplanationError.noFocus(prompts: 2)) { try await empty.run() }
  }

  /// An earlier token must not stand for one that a reply does not have; a prompt counts once, whatever views fail.
  @Test func shortRepliesAreNotTraced() async throws {
    await #expect(throws: FlowError.replyEnded(before: 9, tokens: 2)) {
      try await Self.study(step: 9).run()
    }
  }
}
