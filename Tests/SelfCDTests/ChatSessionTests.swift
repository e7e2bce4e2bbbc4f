import SelfCD
import SelfCDTesting
import Testing

@Suite struct ChatSessionTests {
  @Test("an answer follows its message, and the next message follows both")
  func turns() async throws {
    let session = ChatSession(try await Self.model(), options: Self.options, system: "Be brief.")
    let first = try await session.respond(to: "a")
    session.strategy = Guarded()
    let second = try await session.respond(to: "b")
    #expect(
      session.turns == [.user("a"), .assistant(first.text), .user("b"), .assistant(second.text)])
    #expect(session.chat.messages.first == .system("Be brief."))
  }

  @Test("a message that cannot be answered is taken back")
  func failure() async throws {
    let session = ChatSession(try await Self.model(), options: Self.options)
    _ = try await session.respond(to: "a")
    let before = session.turns
    session.strategy = SelfContrastive(alpha: .nan)
    await #expect(throws: StrategyError.self) { try await session.respond(to: "b") }
    session.strategy = Plain()
    // Longer than a lane: found out by the engine, after the message was put to it.
    await #expect(throws: GenerationError.self) {
      try await session.respond(to: String(repeating: "b", count: 1000))
    }
    #expect(session.turns == before)
  }

  @Test("nothing is asked while an answer is missing")
  func unanswered() async throws {
    let session = ChatSession(try await Self.model(), options: Self.options)
    let handle = try session.ask("a")
    #expect(throws: ChatError.unanswered) { try session.ask("b") }
    session.keep(try await handle.reply())
    #expect(session.turns.count == 2)
    session.takeBack()
    #expect(session.turns.count == 2)
  }

  @Test("an answer to a message that was taken back is not kept")
  func takenBack() async throws {
    let session = ChatSession(try await Self.model(), options: Self.options)
    let handle = try session.ask("a")
    session.takeBack()
    session.keep(try await handle.reply())
    #expect(session.turns.isEmpty)
  }

  @Test("another answer takes the place of the one that was kept; without a message there is none")
  func retry() async throws {
    let session = ChatSession(try await Self.model(), options: Self.options)
    #expect(try session.retry() == nil)
    _ = try await session.respond(to: "a")
    let handle = try #require(try session.retry())
    #expect(session.turns == [.user("a")])
    session.keep(try await handle.reply())
    #expect(session.turns.count == 2)
  }

  @Test("a conversation goes on from turns that were stored")
  func stored() async throws {
    let session = ChatSession(
      try await Self.model(), options: Self.options, turns: [.user("a"), .assistant("x")])
    _ = try await session.respond(to: "b")
    #expect(session.turns.prefix(3) == [.user("a"), .assistant("x"), .user("b")])
  }

  @Test("the main actor can keep a session") @MainActor
  func isolated() async throws {
    let screen = Screen(ChatSession(try await Self.model(), options: Self.options))
    try await screen.send("a")
    #expect(screen.session.turns.count == 2)
  }

  /// What an app has.
  @MainActor private final class Screen {
    let session: ChatSession
    init(_ session: ChatSession) { self.session = session }
    func send(_ text: String) async throws { _ = try await session.respond(to: text) }
  }

  /// A model that says "x", whatever it is asked.
  private static func model() async throws -> ChatModel {
    let engine = try await Engine.start(stepMode: .batched) { _ in
      ScriptedBackend { _ in (0..<129).map { $0 == 120 ? 1 : 0 } }
    }
    return ChatModel(engine: engine, renderer: ByteRenderer())
  }

  private static let options = GenerationOptions(maximumTokens: 3)
}
