/// A conversation: keeps what was said, and answers the next message under a strategy that may change at any turn.
///
/// ```swift
/// let session = ChatSession(loaded.chat, strategy: SelfContrastive(alpha: 2))
/// print(try await session.respond(to: "How do I kill a wine stain?").text)
/// session.strategy = Plain()
/// print(try await session.respond(to: "And on wool?").text)
/// ```
///
/// What was said before stays in the engine's lanes, so each turn computes only what is new. A session belongs to one
/// actor or task, such as the main actor of an app; the model it asks can have any number of sessions.
public final class ChatSession {
  /// The model.
  public let model: ChatModel
  /// How the next answer is decoded.
  public var strategy: any DecodingStrategy
  /// How long it may be and how it is drawn.
  public var options: GenerationOptions
  /// The application's own system prompt, which stays in every lane; nil for none.
  public var system: String?
  /// What was said, without the system prompt: to show, to store, and to go on from when it is set.
  public var turns: [ChatMessage]

  /// Begins a conversation, or goes on with one.
  public init(
    _ model: ChatModel, strategy: any DecodingStrategy = Plain(), options: GenerationOptions = .init(),
    system: String? = nil, turns: [ChatMessage] = []
  ) {
    self.model = model
    self.strategy = strategy
    self.options = options
    self.system = system
    self.turns = turns
  }

  /// The conversation as it is put to the model.
  public var chat: Chat { Chat(messages: (system.map { [.system($0)] } ?? []) + turns) }

  /// Answers a message and keeps both. Runs on the caller's actor.
  /// - Throws: ``ChatError``, ``StrategyError``, ``GenerationError``, what the chat template throws; `CancellationError`.
  ///   The message is taken back then.
  public func respond(to text: String, isolation: isolated (any Actor)? = #isolation) async throws -> Reply {
    let handle = try ask(text)
    do {
      let reply = try await handle.reply()
      keep(reply)
      return reply
    } catch {
      takeBack()
      throw error
    }
  }

  /// Keeps a message and starts the answer, whose events arrive while it is generated. ``keep(_:)`` it when it is there,
  /// or ``takeBack()`` the message.
  /// - Throws: ``ChatError``, also while the message before has no answer; ``StrategyError``, what the chat template
  ///   throws. Nothing is kept then.
  public func ask(_ text: String) throws -> GenerationHandle {
    guard turns.last?.role != .user else { throw ChatError.unanswered }
    return try answer(turns + [.user(text)])
  }

  /// Starts another answer to the last message in place of the one that was kept.
  /// - Returns: Nil where there is no message to answer.
  /// - Throws: As ``ask(_:)``.
  public func retry() throws -> GenerationHandle? {
    let asked = turns.last?.role == .assistant ? turns.dropLast() : turns[...]
    guard asked.last?.role == .user else { return nil }
    return try answer(Array(asked))
  }

  /// Keeps an answer, so that the next message follows it; does nothing where its message was taken back meanwhile.
  public func keep(_ reply: Reply) {
    if turns.last?.role == .user { turns.append(.assistant(reply.text)) }
  }

  /// Forgets a message that was not answered.
  public func takeBack() {
    if turns.last?.role == .user { turns.removeLast() }
  }

  /// Forgets the conversation; strategy, options and system prompt stay.
  public func reset() { turns = [] }

  /// Starts the answer to what was said, which is kept if it can be put to the model.
  private func answer(_ asked: [ChatMessage]) throws -> GenerationHandle {
    let before = turns
    turns = asked
    do {
      return try model.stream(chat, strategy: strategy, options: options)
    } catch {
      turns = before
      throw error
    }
  }
}
