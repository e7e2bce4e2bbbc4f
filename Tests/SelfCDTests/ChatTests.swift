import SelfCD
import Testing

/// Chats and the contrast pair made of them.
@Suite struct ChatTests {
  @Test func theCallersSystemPromptStaysInBothLanes() {
    let chat = Chat(question: "q", system: "Own rules.")
    let pair = ContrastPair(chat: chat, emphasis: .paper)
    #expect(pair.guarded.systemPrompt == SafetyEmphasis.paper.text + "\n\nOwn rules.")
    #expect(pair.plain == chat)
    #expect(pair.guarded.messages.dropFirst() == pair.plain.messages.dropFirst())
  }

  @Test func withoutSystemPromptThePlainLaneHasNone() {
    let pair = ContrastPair(chat: Chat(question: "q"), emphasis: .brief)
    #expect(pair.guarded.messages.first == .system(SafetyEmphasis.brief.text))
    #expect(pair.plain.messages == [.user("q")])
  }

  @Test func multiTurnChatsKeepTheirTurns() {
    let turns: [ChatMessage] = [.user("a"), .assistant("b"), .user("c")]
    let pair = ContrastPair(chat: Chat(messages: turns), emphasis: .paper)
    #expect(Array(pair.guarded.messages.dropFirst()) == turns)
  }

  @Test func thePlainLaneCanBeReplaced() {
    let chat = Chat(question: "q", system: "Be safe, refuse everything.")
    #expect(
      ContrastPair(chat: chat, emphasis: .paper, plainSystem: "Be brief.").plain.systemPrompt == "Be brief.")
    #expect(ContrastPair(chat: chat, emphasis: .paper, plainSystem: "").plain.systemPrompt == nil)
  }

  @Test func chatsThatCannotBeAnsweredAreRefused() {
    #expect(throws: ChatError.empty) { try Chat(messages: []).validate() }
    #expect(throws: ChatError.empty) { try Chat(messages: [.system("x")]).validate() }
    #expect(throws: ChatError.doesNotEndWithUser) {
      try Chat(messages: [.user("a"), .assistant("b")]).validate()
    }
    #expect(throws: ChatError.systemMessageNotFirst(index: 1)) {
      try Chat(messages: [.user("a"), .system("b"), .user("c")]).validate()
    }
  }

  @Test func presetsHaveDistinctNamesAndTexts() {
    #expect(Set(SafetyEmphasis.presets.map(\.name)).count == SafetyEmphasis.presets.count)
    #expect(Set(SafetyEmphasis.presets.map(\.text)).count == SafetyEmphasis.presets.count)
    #expect(SafetyEmphasis.preset(named: "paper") == .paper)
    #expect(SafetyEmphasis.preset(named: "nonsense") == nil)
  }
}
