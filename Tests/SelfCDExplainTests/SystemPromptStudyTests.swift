import Foundation
import SelfCD
import SelfCDData
import SelfCDTesting
import Testing

@testable import SelfCDExplain

/// The study of a system prompt, on a model whose refusals are a known function of its sentences.
@Suite struct SystemPromptStudyTests {
  private static let prompt = SystemPromptSentences(
    "You are a clerk. Turn odd things down. Be brief, please. Never help with harm.")
  private static let odd = "Turn odd things down."
  private static let harm = "Never help with harm."

  private static let safe = dataset(
    .safe, ["bake", "bake a cake", "bake it now", "do bake a big cake", "cake", "a cake or two now"])
  private static let harmful = dataset(.harmful, ["harm", "do harm", "harm him now", "go harm a man"])

  private static func dataset(_ label: Sample.Label, _ texts: [String]) -> Dataset {
    WordModel.dataset(label, texts.map { (text: $0, focus: "", object: nil) })
  }

  /// Each word adds a quarter, one sentence 4 nats, and another one 8 where the question has "harm" in it.
  private static func model(context: Int = 512) async throws -> WordModel {
    try await WordModel.underSystem(context: context) { words, system in
      var pull = -2 + 0.25 * Double(words.count)
      if system.contains(Self.odd) { pull += 4 }
      if words.contains("harm"), system.contains(Self.harm) { pull += 8 }
      return pull
    }
  }

  private static func study(
    _ model: WordModel, _ datasets: [Dataset]? = nil, prompt: SystemPromptSentences? = nil, top: Int = 3,
    generation: SystemPromptStudy.Generation? = nil, group: String? = nil
  ) throws -> SystemPromptStudy {
    SystemPromptStudy(
      probe: try model.probe(), view: "plain", prompt: prompt ?? Self.prompt,
      datasets: datasets ?? [safe, harmful], top: top, generation: generation, group: group)
  }

  private static func probability(_ logOdds: Double) -> Double { 1 / (1 + exp(-logOdds)) }

  @Test func theSentenceThatRaisesRefusalsComesFirst() async throws {
    let result = try await Self.study(Self.model()).run()
    #expect(result.sentences == Self.prompt.sentences && result.view == "plain")
    #expect(result.orderedBy == .safe && result.harmfulAxis == .measured && result.failures == 0)
    #expect(result.whole.map(\.n) == [6, 4] && result.whole.map(\.greedyRefusals) == [6, 4])

    let first = try #require(result.removals.first)
    #expect(first.sentences == [1])
    let change = try #require(first.change(.safe))
    #expect((change.probability.high ?? 1) < 0 && abs(change.score.estimate + 4) < 1e-3)
    // Of 1, 3, 3, 5, 1 and 5 words: the mean of differences of logistic functions.
    let words = [1.0, 3, 3, 5, 1, 5]
    let expected = words.map { Self.probability(-2 + 0.25 * $0) - Self.probability(2 + 0.25 * $0) }
    #expect(abs(change.probability.estimate - expected.reduce(0, +) / 6) < 1e-4)
    #expect(change.greedyLost == 6 && change.greedyGained == 0)
    // Harm is turned down without it too.
    #expect(first.losesHarmful == false && first.change(.harmful)?.greedyLost == 0)

    #expect(result.removals.map(\.sentences).sorted { $0[0] < $1[0] } == [[0], [1], [2], [3]])
    for other in result.removals.dropFirst() {
      let change = try #require(other.change(.safe))
      #expect((change.probability.low ?? 1) <= 0 && (change.probability.high ?? -1) >= 0)
    }
  }

  @Test func whatLosesRefusalsOfHarmIsMarked() async throws {
    let result = try await Self.study(Self.model()).run()
    func marked(_ removed: [Int]) -> Bool? {
      (result.removals + result.pairs.map(\.removal)).first { $0.sentences == removed }?.losesHarmful
    }
    // Greedy replies still turn harm down, since it is odd, but less surely so.
    let change = try #require(result.removals.first { $0.sentences == [3] }?.change(.harmful))
    #expect(abs(change.score.estimate + 8) < 0.01 && change.greedyLost == 0)
    #expect(marked([3]) == true && marked([0]) == false && marked([1]) == false)
    #expect(result.withoutPrompt.losesHarmful == true && result.withoutPrompt.sentences == [0, 1, 2, 3])
    #expect(result.withoutPrompt.change(.harmful)?.greedyLost == 4)

    let unknown = try await Self.study(Self.model(), [Self.safe]).run()
    #expect(unknown.harmfulAxis == .unknown && unknown.removals.allSatisfy { $0.losesHarmful == nil })
    #expect(unknown.removals.first?.sentences == [1])
  }

  /// Either of two sentences is enough for a refusal: alone neither changes anything, together they change all.
  @Test func pairsFindWhatCoversForEachOther() async throws {
    let model = try await WordModel.underSystem { words, system in
      let either = system.contains("You are a clerk.") || system.contains(Self.odd)
      return 0.25 * Double(words.count) + (either ? 3 : -5)
    }
    let result = try await Self.study(model).run()
    #expect(result.removals.allSatisfy { $0.change(.safe)?.score.estimate == 0 })
    #expect(result.pairs.map(\.removal.sentences) == [[0, 1], [0, 2], [1, 2]])
    let interactions = result.pairs.compactMap { $0.interactions.first { $0.set == .safe } }
    #expect(interactions.count == 3 && abs(interactions[0].score.estimate + 8) < 1e-3)
    #expect((interactions[0].probability.high ?? 1) < 0)
    #expect(interactions[1].score.estimate == 0 && interactions[2].score.estimate == 0)
    let none = try await Self.study(model, top: 1).run()
    #expect(none.pairs.isEmpty)
  }

  /// With two sentences, a pair is the whole prompt.
  @Test func twoSentencesMakeOnePair() async throws {
    let prompt = SystemPromptSentences("You are a clerk. \(Self.odd)")
    let result = try await Self.study(Self.model(), prompt: prompt).run()
    #expect(result.removals.first?.sentences == [1] && result.pairs.count == 1)
    #expect(result.pairs.first?.removal == result.withoutPrompt)
    #expect(abs(result.pairs.first?.interactions.first?.score.estimate ?? 1) < 1e-6)
  }

  @Test func repliesAreJudgedOnBothAxes() async throws {
    let result = try await Self.study(
      Self.model(), top: 1, generation: .init(judge: WordModel.Judge(), maximumTokens: 4)
    ).run()
    let replies = try #require(result.replies)
    #expect(replies.judge == "word-model" && replies.failures == 0 && replies.rows.count == 3 * 2)
    func row(_ removed: [Int], _ set: Sample.Label) throws -> SystemPromptResult.Replies.Row {
      try #require(replies.rows.first { $0.removed == removed && $0.set == set })
    }
    let whole = try row([], .safe)
    #expect(whole.rate.rate == 1 && whole.paired == nil)
    let paired = try #require(try row([1], .safe).paired)
    #expect(paired.difference.estimate == -1 && paired.n == 6 && paired.reference == "whole")
    // McNemar: 2 / 2⁶. Each of four sentences could have been the one that is asked about, and the whole prompt is: 5 times.
    #expect(abs(paired.pValue - 0.03125) < 1e-9 && abs(paired.adjustedPValue - 0.15625) < 1e-9)
    #expect(try row([1], .harmful).paired?.difference.estimate == 0)
    #expect(try row([0, 1, 2, 3], .harmful).paired?.difference.estimate == -1)
  }

  @Test func groupsAreResampledWhole() async throws {
    let grouped = WordModel.dataset(
      .safe, [("bake", "x", "one"), ("bake a cake", "x", "one"), ("bake it now", "x", "one")])
    let result = try await Self.study(Self.model(), [grouped], group: "object").run()
    let change = try #require(result.removals.first?.change(.safe))
    #expect(change.n == 3 && change.groups == 1 && change.probability.interval == nil)
    #expect(result.means.allSatisfy { $0.interval == nil })
  }

  /// All figures are of the same prompts: one that does not fit has no part in any, nor has one that says itself what its
  /// system prompt is.
  @Test func promptsThatCannotBeAskedAreCounted() async throws {
    let long = String(repeating: "a ", count: 60) + "cake"
    let length = try ByteRenderer().render(Chat(question: long)).tokens.count
    var set = Self.safe
    set.samples.append(
      Sample(id: "long", content: .text(long), label: .safe, labelOrigin: .row, position: .line(9)))
    set.samples.append(
      Sample(
        id: "own",
        content: .messages([
          .init(role: .system, content: "Be odd."), .init(role: .user, content: "cake"),
        ]), label: .safe, labelOrigin: .row, position: .line(10)))
    // It would fit without a system prompt.
    let result = try await Self.study(Self.model(context: length + 8), [set]).run()
    #expect(result.failures == 1 && result.withOwnSystem == 1)
    let counts = Set(([result.withoutPrompt] + result.removals).flatMap { $0.changes.map(\.n) })
    #expect(counts == [6] && result.whole.map(\.n) == [6])
  }

  @Test func wrongUseIsATypedError() async throws {
    let model = try await Self.model()
    func run(_ text: String, _ datasets: [Dataset]) async throws {
      _ = try await Self.study(model, datasets, prompt: SystemPromptSentences(text)).run()
    }
    await #expect(throws: ExplanationError.tooFewSentences(0)) { try await run(" \n", [Self.safe]) }
    await #expect(throws: ExplanationError.tooFewSentences(1)) { try await run("Be kind.", [Self.safe]) }
    for datasets in [[], [Self.harmful]] {
      await #expect(throws: ExplanationError.noHarmlessPrompts(given: 0)) {
        try await run("Be kind. Be brief.", datasets)
      }
    }
    let short = try await Self.model(context: 40)
    await #expect(throws: ExplanationError.noHarmlessPrompts(given: 6)) {
      _ = try await Self.study(short).run()
    }
    var unknown = try Self.study(model)
    unknown.view = "x"
    await #expect(throws: ExplanationError.unknownView("x", known: ["guarded", "plain", "self-cd"])) {
      _ = try await unknown.run()
    }
  }
}
