import SelfCD
import SelfCDTesting
import Testing

/// Contrast with a negative prompt.
@Suite struct GuidanceTests {
  static let positive: [Float] = [3, 1, -0.5, -.infinity, 2]
  static let negative: [Float] = [1, 2, 0.25, 1, 2]

  static func scores(_ guidance: Float) -> [Float] {
    StrategyTests.scores(
      Guidance(guidance: guidance, negativePrompt: "x"), LaneLogits(guarded: negative, plain: positive))
  }

  /// Its own formula, and Self-CD's with α = g: they are one.
  @Test(arguments: [1.25, 1.5, 2, 7] as [Float]) func isTheFormulaAndSelfCDs(guidance: Float) {
    let row = Self.scores(guidance)
    let lanes = LaneLogits(guarded: Self.negative, plain: Self.positive)
    #expect(row == StrategyTests.scores(SelfContrastive(alpha: guidance), lanes))
    for (index, score) in row.enumerated() {
      let (p, n) = (Self.positive[index], Self.negative[index])
      if p.isFinite { #expect(abs(score - (p + (guidance - 1) * (p - n))) < 1e-4) }
    }
    #expect(row[3] == -.infinity)
  }

  @Test func oneIsTheChatItself() {
    #expect(Self.scores(1) == Self.positive)
  }

  /// A model that reasons does so under the chat itself and not under what is moved away from.
  @Test func reasoningIsThatOfTheChatItself() throws {
    let markers = ReasoningMarkers(start: [1], end: [3], isOpenAtStart: true)
    let guidance = Guidance(negativePrompt: "x")
    var rule = AnswerOnlyRule(
      guidance.makeRule(), markers: markers, roles: [.guarded, .plain], reasoningLane: guidance.reasoningLane)
    let lanes = LaneLogits(guarded: Self.negative, plain: Self.positive)
    var scores: [Float] = []
    rule.combine(lanes, step: 0, into: &scores)
    #expect(scores == Self.positive)
    var safe = AnswerOnlyRule(
      SelfContrastive(alpha: 2).makeRule(), markers: markers, roles: [.guarded, .plain],
      reasoningLane: SelfContrastive(alpha: 2).reasoningLane)
    safe.combine(lanes, step: 0, into: &scores)
    #expect(scores == Self.negative, "the guarded lane keeps the safety prompt")
  }

  @Test func aPlacedEmphasisIsTaken() throws {
    var parameters = StrategyParameters(emphasis: SafetyEmphasis.brief.placed(.lastTurn))
    parameters[.negativePrompt] = .text("Ramble.")
    let made = try StrategyCatalogue.make(Guidance.name, parameters)
    #expect(made.parameters.emphasisPosition == .lastTurn)
    #expect(try StrategyCatalogue.make(Guidance.name, made.parameters).parameters == made.parameters)
  }

  @Test func theNegativePromptStandsBeforeTheSystemPromptOfTheSecondLaneAlone() {
    let chat = Chat(question: "q", system: "Own rules.")
    let lanes = Guidance(negativePrompt: "Ramble.").lanes(for: chat)
    #expect(lanes.map(\.role) == [.guarded, .plain])
    #expect(lanes[0].chat.systemPrompt == "Ramble.\n\nOwn rules.")
    #expect(lanes[1].chat == chat)
    // What is to hold stays in both.
    let safe = Guidance(negativePrompt: "Ramble.", emphasis: .brief).lanes(for: chat)
    #expect(safe[0].chat.systemPrompt == "Ramble.\n\n\(SafetyEmphasis.brief.text)\n\nOwn rules.")
    #expect(safe[1].chat.systemPrompt == "\(SafetyEmphasis.brief.text)\n\nOwn rules.")
  }

  @Test func whatIsMissingOrOutOfRangeIsATypedError() {
    #expect(throws: StrategyError.missing(.negativePrompt, strategy: "guidance")) {
      try StrategyCatalogue.make("guidance", StrategyParameters([.guidance: .number(2)]))
    }
    for wrong in [0.99, -1, 10.1, .nan, .infinity] as [Float] {
      #expect(throws: StrategyError.self) {
        try Guidance(guidance: wrong, negativePrompt: "x").validate()
      }
    }
    for blank in ["", " \n"] {
      let error = #expect(throws: StrategyError.self) { try Guidance(negativePrompt: blank).validate() }
      #expect(error?.description.hasPrefix("negative_prompt is ") == true)
    }
    #expect(Guidance(negativePrompt: "x").isContrastive && Guidance(negativePrompt: "x").guidance == 1.5)
  }

  /// A model that says one of two things, and is much surer of the one under the negative prompt.
  @Test func aScriptedModelMovesAwayFromTheNegativePrompt() async throws {
    let vocabulary = ByteVocabulary()
    let engine = try await Engine.start(stepMode: .batched) { _ in
      ScriptedBackend(vocabulary: vocabulary) { tokens in
        var row = [Float](repeating: 0, count: vocabulary.count)
        // "A" against "B"; the negative prompt is the one with an exclamation mark.
        row[65] = tokens.contains(33) ? 9 : 5
        row[66] = 4
        return row
      }
    }
    let model = ChatModel(engine: engine, renderer: ByteRenderer())
    func reply(_ guidance: Float) async throws -> String {
      let strategy = Guidance(guidance: guidance, negativePrompt: "Say A!")
      let chat = Chat(question: "q")
      return try await model.reply(to: chat, strategy: strategy, options: .init(maximumTokens: 3)).text
    }
    // z_A = 5 + (g - 1)(5 - 9), z_B = 4.
    #expect(try await reply(1) == "AAA")
    #expect(try await reply(1.2) == "AAA")
    #expect(try await reply(1.3) == "BBB")
  }
}
