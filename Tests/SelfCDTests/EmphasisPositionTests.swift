import Foundation
import SelfCD
import SelfCDTesting
import Testing

/// Where a safety emphasis stands, and what the lanes then share.
@Suite struct EmphasisPositionTests {
  static let chat = Chat(messages: [
    .system("Own rules."), .user("a"), .assistant("b"), .user("c"),
  ])
  static func emphasis(_ position: EmphasisPosition) -> SafetyEmphasis {
    SafetyEmphasis(text: "Be safe.", position: position)
  }

  @Test func itStandsWhereItSays() {
    func added(_ position: EmphasisPosition) -> [ChatMessage] {
      Self.chat.adding(Self.emphasis(position)).messages
    }
    let turns = Array(Self.chat.messages.dropFirst())
    #expect(added(.start) == [.system("Be safe.\n\nOwn rules.")] + turns)
    #expect(added(.afterSystem) == [.system("Own rules.\n\nBe safe.")] + turns)
    #expect(
      added(.lastTurn) == [.system("Own rules."), .user("a"), .assistant("b"), .user("c\n\nBe safe.")])
  }

  @Test func whereThereIsNothingToStandBehind() {
    let question = Chat(question: "q")
    for position in [EmphasisPosition.start, .afterSystem] {
      #expect(
        question.adding(Self.emphasis(position)).messages == [.system("Be safe."), .user("q")], "\(position)")
    }
    let last = Self.emphasis(.lastTurn)
    #expect(Chat(question: "").adding(last).messages == [.user("Be safe.")])
    #expect(Chat(messages: [.system("s")]).adding(last).messages == [.system("s\n\nBe safe.")])
    #expect(Chat(messages: []).adding(last).messages == [.system("Be safe.")])
    // A system message behind the question does not become the user's.
    #expect(
      Chat(messages: [.user("q"), .system("s")]).adding(last).messages
        == [.user("q\n\nBe safe."), .system("s")])
    for position in EmphasisPosition.allCases {
      #expect(Self.chat.adding(SafetyEmphasis(text: "", position: position)) == Self.chat)
    }
  }

  @Test func examplesAreChosenByTheQuestionAlone() {
    let pool = [InContext.Example(question: "q", answer: "own"), .init(question: "r", answer: "other")]
    let strategy = InContext(pool: pool, emphasis: Self.emphasis(.lastTurn))
    let chat = strategy.lanes(for: Chat(question: "q")).first?.chat
    #expect(chat?.messages == [.user("r"), .assistant("other"), .user("q\n\nBe safe.")])
  }

  @Test func anEmphasisWithoutAPositionStandsAtTheStart() throws {
    let old = Data(#"{"name":"custom","text":"Be safe."}"#.utf8)
    #expect(try JSONDecoder().decode(SafetyEmphasis.self, from: old) == Self.emphasis(.start))
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    #expect(try encoder.encode(Self.emphasis(.start)) == old)
    for position in EmphasisPosition.allCases {
      let data = try encoder.encode(Self.emphasis(position))
      #expect(try JSONDecoder().decode(SafetyEmphasis.self, from: data) == Self.emphasis(position))
    }
    let wrong = Data(#"{"name":"custom","text":"Be safe.","position":"middle"}"#.utf8)
    #expect(throws: DecodingError.self) { try JSONDecoder().decode(SafetyEmphasis.self, from: wrong) }
  }

  // MARK: Parameters

  @Test func thePositionIsAParameterOfItsOwn() throws {
    var parameters = StrategyParameters()
    parameters.emphasisPosition = .lastTurn
    let usual = try StrategyCatalogue.make("ada-cd", parameters) as? AdaCD
    #expect(usual?.emphasis == SafetyEmphasis.refuse.placed(.lastTurn))
    let guarded = try StrategyCatalogue.make("guarded", parameters) as? Guarded
    #expect(guarded == Guarded(emphasis: .paper.placed(.lastTurn)))
    // Other words stand where the ones before stood.
    parameters.emphasis = .strict
    #expect(parameters.emphasis == SafetyEmphasis.strict.placed(.lastTurn))
    parameters.emphasis = .brief.placed(.afterSystem)
    #expect(parameters.emphasisPosition == .afterSystem)
    #expect(parameters[.emphasis] == .safetyPrompt(.brief))
    let place = StrategyParameters([.emphasisPosition: .choice("after-system")])
    #expect(throws: StrategyError.unused(.emphasisPosition, strategy: "plain")) {
      try StrategyCatalogue.make("plain", place)
    }
    let error = #expect(throws: StrategyError.self) {
      try StrategyParameter.emphasisPosition.value(of: "middle")
    }
    #expect(
      error?.description
        == "emphasis_position is 'middle', but it must be one of start, after-system, last-turn.")
  }

  // MARK: What the lanes share

  static let system = String(repeating: "Answer from the manual. ", count: 12)

  private static func shared(_ first: [TokenID], _ second: [TokenID]) -> Int {
    zip(first, second).prefix { $0 == $1 }.count
  }

  /// What both prompts of one generation begin with is computed once, and the reply is what each lane alone would give.
  @Test(arguments: EmphasisPosition.allCases, [false, true])
  func lanesOfOneGenerationShareTheirBeginning(position: EmphasisPosition, isRecurrent: Bool) async throws {
    let journal = DecodeJournal()
    let engine = try await EngineTests.engine(
      .init(lanes: 4, context: 1024, batch: 64), .init(isRecurrent: isRecurrent), journal: journal)
    let model = ChatModel(engine: engine, renderer: ByteRenderer())
    let request = try model.request(
      Chat(question: "How do I kill a wine stain?", system: Self.system),
      strategy: SelfContrastive(alpha: 1.5, emphasis: .brief.placed(position)),
      options: .init(maximumTokens: 1))
    let guarded = try #require(request.prompts[.guarded])
    let plain = try #require(request.prompts[.plain])
    let shared = Self.shared(guarded, plain)
    let before = "system:".utf8.count
    switch position {
    case .start: #expect(shared == before)
    case .afterSystem: #expect(shared == before + Self.system.utf8.count + 1)
    case .lastTurn: #expect(shared == plain.count - "assistant:".utf8.count)
    }
    let reply = try await engine.generate(request).reply()
    // Beginnings of fewer than 8 tokens are not worth a copy.
    let saved = shared >= 8 ? shared : 0
    #expect(journal.decodedTokens == guarded.count + plain.count - saved)
    #expect(reply.summary.prefilledTokens == journal.decodedTokens)
    #expect(await engine.computedTokens == journal.decodedTokens)
    #expect(reply.tokens.map(\.id) == EngineTests.reference(request.prompts, alpha: 1.5, count: 1))
  }

  /// Behind the last question, the emphasis is in no earlier turn: the guarded lane goes on from what the plain one holds.
  @Test func theNextTurnIsSharedToo() async throws {
    let journal = DecodeJournal()
    let engine = try await EngineTests.engine(.init(lanes: 4, context: 1024, batch: 64), journal: journal)
    let model = ChatModel(engine: engine, renderer: ByteRenderer())
    let strategy = SelfContrastive(alpha: 1.5, emphasis: .brief.placed(.lastTurn))
    let options = GenerationOptions(maximumTokens: 6)
    var chat = Chat(question: "How do I kill a wine stain?", system: Self.system)
    let first = try model.request(chat, strategy: strategy, options: options)
    let reply = try await engine.generate(first).reply()
    // The last token at the limit was chosen and not decoded.
    let decoded = reply.tokens.prefix(reply.stopReason == .length ? 5 : 6).map(\.id)
    let held = try #require(first.prompts[.plain]) + decoded
    chat.messages += [.assistant(reply.text), .user("And of red wine?")]
    let second = try model.request(chat, strategy: strategy, options: .init(maximumTokens: 1))
    let guarded = try #require(second.prompts[.guarded])
    let plain = try #require(second.prompts[.plain])
    let computed = journal.decodedTokens
    let next = try await engine.generate(second).reply()
    #expect(
      journal.decodedTokens - computed
        == plain.count - Self.shared(plain, held) + guarded.count - Self.shared(guarded, plain))
    #expect(journal.decodedTokens - computed < 200)
    #expect(next.tokens.map(\.id) == EngineTests.reference(second.prompts, alpha: 1.5, count: 1))
  }
}
