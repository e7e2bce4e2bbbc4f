/// Who speaks in a chat, named as in the chat-completions format that open-weight models are trained on.
public enum ChatRole: String, Codable, Sendable, Hashable, CaseIterable {
  case system
  case user
  case assistant
}

/// One turn of a chat. The content is plain text: it never becomes a special token, whatever it contains.
public struct ChatMessage: Codable, Sendable, Hashable {
  public var role: ChatRole
  public var content: String

  public init(role: ChatRole, content: String) {
    self.role = role
    self.content = content
  }

  public static func system(_ content: String) -> ChatMessage { .init(role: .system, content: content) }
  public static func user(_ content: String) -> ChatMessage { .init(role: .user, content: content) }
  public static func assistant(_ content: String) -> ChatMessage { .init(role: .assistant, content: content) }
}

/// A conversation that ends where the model is to answer.
public struct Chat: Codable, Sendable, Hashable {
  public var messages: [ChatMessage]

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

  /// The same chat with another system prompt; `nil` or an empty text removes it.
  public func replacingSystemPrompt(with text: String?) -> Chat {
    var rest = messages[...]
    if rest.first?.role == .system { rest = rest.dropFirst() }
    guard let text, !text.isEmpty else { return Chat(messages: Array(rest)) }
    return Chat(messages: [.system(text)] + rest)
  }

  /// Checks what every chat template takes for granted.
  ///
  /// - Throws: ``ChatError`` when the chat is empty, does not end with the user, or has a system message
  ///   anywhere but at its start.
  public func validate() throws(ChatError) {
    guard let last = messages.last, messages.contains(where: { $0.role == .user }) else { throw .empty }
    guard last.role == .user else { throw .doesNotEndWithUser }
    if let index = messages.dropFirst().firstIndex(where: { $0.role == .system }) {
      throw .systemMessageNotFirst(index: index)
    }
  }
}

/// Why a chat cannot be answered.
public enum ChatError: Error, Sendable, Equatable, CustomStringConvertible {
  case empty
  case doesNotEndWithUser
  case systemMessageNotFirst(index: Int)

  public var description: String {
    switch self {
    case .empty:
      "The chat holds no user message, so there is nothing to answer. Add one."
    case .doesNotEndWithUser:
      "The chat ends with the assistant's own turn. End it with the user message to be answered."
    case .systemMessageNotFirst(let index):
      "Message \(index) is a system message, but only the first message may be one. Move its text there."
    }
  }
}
