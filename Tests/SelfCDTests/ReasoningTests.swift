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
    #expect(reply.reasoning.hasPrefix("Hm. stop "))
    #expect(reply.stopReason == .stopString)
  }

  @Test func aBlockOpenedByThePrompt() async throws {
    let reply = try await Self.reply("Hm.</t>Yes.", isOpenAtStart: true)
    #expect(reply.text == "Yes.")
    #expect(reply.reasoning.hasPrefix("Hm."))
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
}
