/// Who speaks in a chat, named as in the chat-completions format that open-weight models are trained on.
public enum ChatRole: String, Codable, Sendable, Hashable, CaseIterable {
  /// Whoever deploys the model; sets the rules of the conversation.
  case system
  /// Whoever asks.
  case user
  /// The model.
  case assistant
}

/// One turn of a chat. The content is plain text: it never becomes a special token, whatever it contains.
public struct ChatMessage: Codable, Sendable, Hashable {
  /// Who says it.
  public var role: ChatRole
  /// What is said, as the speaker wrote it, without the marks of a chat template.
  public var content: String

  /// Makes a turn; nothing in `content` is interpreted.
  public init(role: ChatRole, content: String) {
    self.role = role
    self.content = content
  }

  /// A turn of the deployer's.
  public static func system(_ content: String) -> ChatMessage { .init(role: .system, content: content) }
  /// A turn of the asking user's.
  public static func user(_ content: String) -> ChatMessage { .init(role: .user, content: content) }
  /// A turn that the model has said, or is to be taken to have said.
  public static func assistant(_ content: String) -> ChatMessage { .init(role: .assistant, content: content) }
}

/// A conversation that ends where the model is to answer.
public struct Chat: Codable, Sendable, Hashable {
  /// The turns in the order in which they were said; the last one is not the assistant's where a reply is wanted.
  public var messages: [ChatMessage]

  /// A conversation of given turns, which ``validate()`` checks and this does not.
  public init(messages: [ChatMessage]) {
    self.messages = messages
  }

  /// A single question, with the caller's own system prompt if there is one.
  public init(question: String, system: String? = nil) {
    messages = (system.map { [.system($0)] } ?? []) + [.user(question)]
  }

  /// The text of the leading system message, if the chat has one that says something.
  public var systemPrompt: String? {
    guard let first = messages.first, first.role == .system, !first.content.isEmpty else { return nil }
    return first.content
  }

  /// What is asked: the user's last message, or the last one of all where no user speaks.
  public var question: String? { (messages.last { $0.role == .user } ?? messages.last)?.content }

  /// The same chat with another system prompt; `nil` or an empty text removes it.
  public func replacingSystemPrompt(with text: String?) -> Chat {
    var rest = messages[...]
    if rest.first?.role == .system { rest = rest.dropFirst() }
    guard let text, !text.isEmpty else { return Chat(messages: Array(rest)) }
    return Chat(messages: [.system(text)] + rest)
  }

  /// Checks that there is something to answer.
  ///
  /// - Throws: ``ChatError`` when the chat is empty or ends with the assistant's own turn.
  public func validate() throws(ChatError) {
    guard let last = messages.last else { throw .empty }
    guard last.role != .assistant else { throw .endsWithAssistant }
  }

  /// Checks that there is a turn of the assistant's to go on with.
  ///
  /// - Throws: ``ChatError`` when the chat is empty, or does not end with a turn of the assistant's that says something.
  public func validateContinuation() throws(ChatError) {
    guard let last = messages.last else { throw .empty }
    guard last.role == .assistant, last.content.contains(where: { !$0.isWhitespace }) else {
      throw .nothingToContinue
    }
  }

  // MARK: - System messages where templates do not expect them

  /// Whether the chat is of the kind that every chat template is made for: a user speaks, and only the first message may
  /// be a system message.
  public var hasUsualRoles: Bool {
    messages.contains { $0.role == .user } && !messages.dropFirst().contains { $0.role == .system }
  }

  /// The same chat for templates that take a system message only at the start, before a user's turn: every other one
  /// becomes part of the user's turn at its place, after an empty line, or a turn of its own between two of the
  /// assistant's.
  public func foldingSystemMessages() -> Chat {
    guard !hasUsualRoles else { return self }
    var folded: [ChatMessage] = []
    for (index, message) in messages.enumerated() {
      let isMoved = message.role == .system && index > 0
      let said = isMoved ? ChatMessage.user(message.content) : message
      let joins = isMoved || (index > 1 && messages[index - 1].role == .system)
      if joins, said.role == .user, let last = folded.last, last.role == .user {
        let gap = last.content.isEmpty || said.content.isEmpty ? "" : "\n\n"
        folded[folded.count - 1].content += gap + said.content
      } else {
        folded.append(said)
      }
    }
    if !folded.contains(where: { $0.role == .user }), folded.first?.role == .system {
      folded[0].role = .user
    }
    return Chat(messages: folded)
  }
}

/// Why a chat cannot be answered.
public enum ChatError: Error, Sendable, Equatable, CustomStringConvertible {
  /// There are no messages.
  case empty
  /// The last message is the assistant's own, so that it is nobody's turn to be answered.
  case endsWithAssistant
  /// A turn of the assistant's is to be continued, and the last message is not one, or says nothing.
  case nothingToContinue
  /// The renderer cannot leave the assistant's last turn open.
  case cannotContinue
  /// A session is asked while its last message has no answer.
  case unanswered

  /// The error in words, with what to do about it.
  public var description: String {
    switch self {
    case .empty:
      "The chat holds no messages, so there is nothing to answer. Add one."
    case .endsWithAssistant:
      "The chat ends with the assistant's own turn. End it with the user message to be answered."
    case .nothingToContinue:
      "There is no turn of the assistant's to continue. End the chat with the beginning of its reply, or with the user "
        + "message to be answered."
    case .cannotContinue:
      "The chat template does not show the assistant's last message as it was written, so it cannot be continued. End "
        + "the chat with the user message to be answered."
    case .unanswered:
      "The last message has no answer yet. Wait for it and keep it, or take the message back first."
    }
  }
}
