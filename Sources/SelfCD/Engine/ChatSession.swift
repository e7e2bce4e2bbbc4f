/// A conversation: keeps what was said, and answers the next message under a strategy that may change at any turn.
///
/// ```swift
/// var session = ChatSession(loaded.chat, strategy: SelfContrastive(alpha: 2))
/// print(try await session.respond(to: "How do I kill a wine stain?").text)
/// session.strategy = Plain()
/// print(try await session.respond(to: "And on wool?").text)
/// ```
///
/// What was said before stays in the engine's lanes, so each turn computes only what is new.
public struct ChatSession: Sendable {
  /// The model.
  public let model: ChatModel
  /// How the next answer is decoded.
  public var strategy: any DecodingStrategy
  /// How long it may be and how it is drawn.
  public var options: GenerationOptions
  /// The application's own system prompt, which stays in every lane; nil for none.
  public var system: String?
  /// What was said, without the system prompt.
  public private(set) var turns: [ChatMessage] = []

  /// Begins a conversation.
  public init(
    _ model: ChatModel, strategy: any DecodingStrategy = Plain(), options: GenerationOptions = .init(),
    system: String? = nil
  ) {
    self.model = model
    self.strategy = strategy
    self.options = options
    self.system = system
  }

  /// The conversation as it is put to the model.
  public var chat: Chat { Chat(messages: (system.map { [.system($0)] } ?? []) + turns) }

  /// Answers a message and keeps both.
  /// - Throws: ``ChatError``, ``StrategyError``, ``GenerationError``, what the chat template throws; `CancellationError`.
  ///   Nothing is kept then.
  public mutating func respond(to text: String) async throws -> Reply {
    let before = turns
    do {
      let reply = try await ask(text).reply()
      keep(reply)
      return reply
    } catch {
      turns = before
      throw error
    }
  }

  /// Keeps a message and starts the answer, whose events arrive while it is generated. ``keep(_:)`` it when it is there,
  /// or ``takeBack()`` the message.
  /// - Throws: ``ChatError``, ``StrategyError``, what the chat template throws. Nothing is kept then.
  public mutating func ask(_ text: String) throws -> GenerationHandle {
    var asked = self
    asked.turns.append(.user(text))
    let handle = try asked.answer()
    self = asked
    return handle
  }

  /// Starts another answer to the last message in place of the one that was kept.
  /// - Returns: Nil where there is no message to answer.
  /// - Throws: As ``ask(_:)``.
  public mutating func retry() throws -> GenerationHandle? {
    var shortened = self
    if shortened.turns.last?.role == .assistant { shortened.turns.removeLast() }
    guard shortened.turns.last?.role == .user else { return nil }
    let handle = try shortened.answer()
    self = shortened
    return handle
  }

  /// Keeps an answer, so that the next message follows it.
  public mutating func keep(_ reply: Reply) { turns.append(.assistant(reply.text)) }

  /// Forgets a message that was not answered.
  public mutating func takeBack() {
    if turns.last?.role == .user { turns.removeLast() }
  }

  /// Forgets the conversation; strategy, options and system prompt stay.
  public mutating func reset() { turns = [] }

  private func answer() throws -> GenerationHandle {
    try model.stream(chat, strategy: strategy, options: options)
  }
}
