import SelfCD
import SelfCDTesting
import Testing

/// Reasoning is reported apart from the answer.
@Suite struct ReasoningTests {
  /// Writes a given text, whatever the model says.
  struct ScriptRule: DecodingRule {
    var script: [TokenID]

    mutating func combine(_ lanes: LaneLogits, step: Int, into scores: inout [Float]) {
      scores = [Float](repeating: -.infinity, count: lanes[.plain].count)
      scores[Int(script[step])] = 0
    }

    func lanesNeeded(afterStep step: Int) -> Set<LaneRole> { [.plain] }
  }

  static func reply(
    _ text: String, isOpenAtStart: Bool = false, stop: [String] = [], limit: Int = 200
  ) async throws -> Reply {
    let engine = try await EngineTests.engine()
    let vocabulary = ByteVocabulary()
    let markers = ReasoningMarkers(
      start: "<t>".utf8.map(TokenID.init), end: "</t>".utf8.map(TokenID.init), isOpenAtStart: isOpenAtStart,
      blanks: [10, 32])
    let script = text.utf8.map(TokenID.init) + [vocabulary.endOfTurn]
    return try await engine.generate(
      GenerationRequest(
        prompts: [.plain: [1, 2]], rule: ScriptRule(script: script),
        options: .init(maximumTokens: limit, stopStrings: stop), reasoning: markers)
    ).reply()
  }

  @Test func theBlockIsNotPartOfTheAnswer() async throws {
    let reply = try await Self.reply("\n<t>Hm. stop </t>\n\nYes, stop here.", stop: ["stop"])
    #expect(reply.text == "Yes, ")
    #expect(reply.reasoning == "Hm. stop ")
    #expect(reply.stopReason == .stopString)
  }

  @Test func aBlockOpenedByThePrompt() async throws {
    let reply = try await Self.reply("Hm.</t>Yes.", isOpenAtStart: true)
    #expect(reply.text == "Yes.")
    #expect(reply.reasoning == "Hm.")
  }

  @Test(arguments: ["<table>x", "<", "<t", "</table>", "<<t>Hm.</t>", "</<t>"])
  func anAnswerThatBeginsLikeAMarkerIsWhole(text: String) async throws {
    let reply = try await Self.reply(text)
    #expect(reply.text == text && reply.reasoning.isEmpty)
  }

  @Test(arguments: ["a </table> b", "a <</", "a </", "<t>", "a </</t"])
  func reasoningThatHoldsPartsOfAMarkerIsWhole(text: String) async throws {
    for end in ["</t>Yes.", ""] {
      let reply = try await Self.reply("<t>" + text + end)
      #expect(reply.reasoning == text)
      #expect(reply.text == (end.isEmpty ? "" : "Yes."))
    }
  }

  @Test func anEmptyBlockLeavesTheAnswer() async throws {
    for text in ["<t></t>Yes.", "</t>Yes.", " \n<t></t>\nYes."] {
      let reply = try await Self.reply(text)
      #expect(reply.text == "Yes." && reply.reasoning.isEmpty)
    }
  }

  @Test func aStopStringInWhatWasHeldBackCounts() async throws {
    for text in ["<table>", "<t"] {
      let reply = try await Self.reply(text, stop: ["t"])
      #expect(reply.text == "<")
      #expect(reply.stopReason == .stopString)
    }
  }

  @Test func withoutABlockAllIsAnswer() async throws {
    let reply = try await Self.reply("Yes <t>.")
    #expect(reply.text == "Yes <t>.")
    #expect(reply.reasoning.isEmpty)
  }

  @Test func aBlockThatNeverEndsLeavesNoAnswer() async throws {
    let reply = try await Self.reply("<t>Hm hm hm", limit: 8)
    #expect(reply.text.isEmpty && reply.reasoning == "Hm hm")
    #expect(reply.stopReason == .length)
  }

  /// Notes what it is told.
  struct NotingRule: DecodingRule {
    var accepted: [TokenID] = []
    mutating func combine(_ lanes: LaneLogits, step: Int, into scores: inout [Float]) {
      scores = [Float(step)] + accepted.map(Float.init)
    }
    mutating func accept(_ token: TokenID) { accepted.append(token) }
    func lanesNeeded(afterStep step: Int) -> Set<LaneRole> { [.plain] }
  }

  /// What the rule within has accepted, behind the number of its next step.
  @Test(
    arguments: [
      ([60, 116, 97], [3, 60, 116, 97]),  // `<ta`: no marker
      ([60, 116, 62, 72, 60, 47, 116, 62, 89], [1, 89]),  // `<t>H</t>Y`
      ([10, 60, 116, 62, 60, 47, 116, 62], [0]),
      ([10, 10], [0]),
      ([10, 89], [1, 89]),
      ([60, 47, 116, 62, 89, 60], [2, 89, 60]),  // an end without a beginning
    ] as [([TokenID], [Float])])
  func theRuleWithinSeesTheAnswerOnly(tokens: [TokenID], seen: [Float]) {
    let markers = ReasoningMarkers(
      start: [60, 116, 62], end: [60, 47, 116, 62], isOpenAtStart: false, blanks: [10])
    var rule = AnswerOnlyRule(NotingRule(), markers: markers, roles: [.guarded, .plain])
    for token in tokens { rule.accept(token) }
    var scores: [Float] = []
    rule.combine(LaneLogits(), step: tokens.count, into: &scores)
    #expect(scores == seen)
  }

  @Test func noLaneIsFreedBeforeItIsKnownWhatATokenIs() {
    let markers = ReasoningMarkers(start: [1, 2], end: [3], isOpenAtStart: false)
    var rule = AnswerOnlyRule(NotingRule(), markers: markers, roles: [.guarded, .plain])
    rule.accept(1)
    #expect(rule.lanesNeeded(afterStep: 0) == [.guarded, .plain])
    rule.accept(4)
    #expect(rule.lanesNeeded(afterStep: 1) == [.plain])
  }
}
