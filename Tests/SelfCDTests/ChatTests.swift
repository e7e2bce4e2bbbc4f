import SelfCD
import SelfCDTesting
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
    #expect(throws: ChatError.endsWithAssistant) {
      try Chat(messages: [.user("a"), .assistant("b")]).validate()
    }
  }

  @Test func onlyTheAssistantsLastTurnIsContinued() throws {
    try Chat(messages: [.user("a"), .assistant("b")]).validateContinuation()
    for messages in [[.user("a")], [.assistant("b"), .user("a")], [.user("a"), .assistant(" \n")]]
      as [[ChatMessage]]
    {
      #expect(throws: ChatError.nothingToContinue) { try Chat(messages: messages).validateContinuation() }
    }
    #expect(throws: ChatError.empty) { try Chat(messages: []).validateContinuation() }
  }

  struct ClosedRenderer: PromptRenderer {
    func render(_ chat: Chat) throws -> RenderedPrompt { RenderedPrompt(tokens: [1], text: "x") }
  }

  @Test func everyLaneIsLeftOpenBehindTheReplysBeginning() async throws {
    let engine = try await EngineTests.engine()
    let model = ChatModel(engine: engine, renderer: ByteRenderer())
    let chat = Chat(messages: [.user("a"), .assistant("Sure, ")])
    let request = try model.request(chat, strategy: SelfContrastive(alpha: 2), isContinued: true)
    let end = "user:a\nassistant:Sure, ".utf8.map { TokenID($0) }
    #expect(request.prompts[.plain] == end)
    let guarded = try #require(request.prompts[.guarded])
    #expect(guarded.count > end.count && Array(guarded.suffix(end.count)) == end)
    // The copies of a question that are read go on with it, too.
    let long = Chat(messages: [.user("how do I kill time"), .assistant("Sure, ")])
    let probed = try model.request(long, strategy: ProbedContrast(), isContinued: true)
    #expect(!probed.probes.isEmpty)
    #expect(probed.probes.allSatisfy { $0.suffix(6) == end.suffix(6) })
    #expect(throws: ChatError.endsWithAssistant) { try model.request(chat, strategy: Plain()) }
    #expect(throws: ChatError.nothingToContinue) {
      try model.request(Chat(question: "a"), strategy: Plain(), isContinued: true)
    }
    let closed = ChatModel(engine: engine, renderer: ClosedRenderer())
    #expect(throws: ChatError.cannotContinue) {
      try closed.request(chat, strategy: Plain(), isContinued: true)
    }
  }

  static let folded: [([ChatMessage], [ChatMessage])] = [
    ([.system("s")], [.user("s")]),
    ([.system("s"), .user("a")], [.system("s"), .user("a")]),
    ([.user("a"), .system("s")], [.user("a\n\ns")]),
    ([.user("a"), .system("s"), .user("b")], [.user("a\n\ns\n\nb")]),
    (
      [.user("a"), .assistant("b"), .system("s"), .user("c")], [.user("a"), .assistant("b"), .user("s\n\nc")]
    ),
    ([.user("a"), .assistant("b"), .system("s")], [.user("a"), .assistant("b"), .user("s")]),
    ([.system("r"), .user("a"), .system("s"), .system("t")], [.system("r"), .user("a\n\ns\n\nt")]),
    ([.system("r"), .assistant("b"), .system("s")], [.system("r"), .assistant("b"), .user("s")]),
    ([.user("a"), .system("")], [.user("a")]),
    // Two turns of the user's, one after the other, are the caller's own.
    (
      [.user("a"), .user("b"), .assistant("c"), .system("s"), .user("d")],
      [.user("a"), .user("b"), .assistant("c"), .user("s\n\nd")]
    ),
  ]

  @Test("system messages become part of the user's turns", arguments: folded)
  func folding(messages: [ChatMessage], expected: [ChatMessage]) throws {
    let chat = Chat(messages: messages)
    try chat.validate()
    let folded = chat.foldingSystemMessages()
    #expect(folded.messages == expected)
    #expect(folded.hasUsualRoles)
    #expect(folded.foldingSystemMessages() == folded)
  }

  @Test func presetsHaveDistinctNamesAndTexts() {
    #expect(Set(SafetyEmphasis.presets.map(\.name)).count == SafetyEmphasis.presets.count)
    #expect(Set(SafetyEmphasis.presets.map(\.text)).count == SafetyEmphasis.presets.count)
    #expect(SafetyEmphasis.preset(named: "paper") == .paper)
    #expect(SafetyEmphasis.preset(named: "nonsense") == nil)
  }
}
