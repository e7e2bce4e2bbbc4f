import Foundation
import SelfCD

/// Renders chats with a model's template and tokenises them with its vocabulary.
public struct LlamaPromptRenderer: PromptRenderer, ReplyTokenizer {
  /// What is known about the template: whether it takes a system message, how it marks reasoning.
  public let traits: TemplateTraits
  private let template: ChatTemplate
  private let arguments: [String: TemplateValue]
  private let tokens: TemplateTokens
  private let tokenizer: PromptTokenizer
  private let reasoning: (start: [TokenID], end: [TokenID], blanks: Set<TokenID>)?

  /// - Throws: ``LlamaError/noChatTemplate(path:)``, ``ChatTemplateError``.
  public init(model: LlamaModel, options: TemplateOptions = .init()) throws {
    guard let source = options.source ?? model.chatTemplate else {
      throw LlamaError.noChatTemplate(path: model.path)
    }
    let vocabulary = LlamaVocabulary(model)
    template = try ChatTemplate(source: source)
    arguments = options.arguments
    traits = try template.traits()
    tokens = TemplateTokens(
      beginOfSequence: vocabulary.beginOfSequence.map(vocabulary.name) ?? "",
      endOfSequence: vocabulary.endOfSequence.map(vocabulary.name) ?? "")
    let tokenizer = PromptTokenizer(vocabulary, template: source)
    self.tokenizer = tokenizer
    reasoning = try traits.reasoning.map { tags in
      (try tokenizer.templateTokens(tags.start), try tokenizer.templateTokens(tags.end), vocabulary.blanks)
    }
  }

  /// Renders a chat up to the opening of the assistant's turn, and tokenises it so that no message can write a special
  /// token.
  ///
  /// A system prompt that the template has no place for stands before the first question.
  /// - Throws: ``ChatTemplateError``, ``LlamaError/tokenizationFailed(reason:)``.
  public func render(_ chat: Chat) throws -> RenderedPrompt {
    let messages = placed(arranged(chat)).messages
    let segments = try template.render(messages, arguments: arguments, tokens: tokens)
    let text = String(decoding: segments.flatMap(\.text), as: UTF8.self)
    let markers = zip(reasoning, traits.reasoning).map { tokens, tags in
      ReasoningMarkers(
        start: tokens.start, end: tokens.end, isOpenAtStart: Self.isOpen(tags, at: segments),
        blanks: tokens.blanks)
    }
    return RenderedPrompt(tokens: try tokenizer.tokenize(segments), text: text, reasoning: markers)
  }

  /// Renders a chat without the opening of another turn and cuts what the template writes behind the assistant's last
  /// message. White space at that message's end stays if the template leaves it there.
  ///
  /// - Throws: `ChatError.cannotContinue` where the template shows another text in its place; as ``render(_:)``.
  public func render(continuing chat: Chat) throws -> RenderedPrompt {
    try chat.validateContinuation()
    let messages = placed(arranged(chat)).messages
    let segments = try template.render(
      messages, arguments: arguments, tokens: tokens, addGenerationPrompt: false)
    guard let last = messages.last, let open = Self.opened(segments, behind: last.content) else {
      throw ChatError.cannotContinue
    }
    let text = String(decoding: open.flatMap(\.text), as: UTF8.self)
    return RenderedPrompt(tokens: try tokenizer.tokenize(open), text: text)
  }

  /// The segments up to the last one that is input, where the input ends with what was said.
  private static func opened(_ segments: [PromptSegment], behind said: String) -> [PromptSegment]? {
    guard let end = segments.lastIndex(where: { $0.isInput && !$0.text.isEmpty }) else { return nil }
    let open = Array(segments[...end])
    // A text may come in several segments.
    let input = open.reversed().prefix { $0.isInput }.reversed().flatMap(\.text)
    let wanted = Array(said.trimmingCharacters(in: .whitespacesAndNewlines).utf8)
    let shown = String(decoding: input, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    return Array(shown.utf8.suffix(wanted.count)) == wanted ? open : nil
  }

  /// The tokens of a reply as it follows the prompt; none is special.
  ///
  /// - Throws: ``LlamaError/tokenizationFailed(reason:)``.
  public func tokens(ofReply text: String) throws -> [TokenID] { try tokenizer.replyTokens(text) }

  /// The chat itself where the template renders every message of such a chat, with a system prompt at its start and
  /// without one; else the chat with its system messages folded into user turns.
  ///
  /// Found by trying: templates refuse such chats with an error of their own, lose the message, or render it, and none
  /// says which.
  public func arranged(_ chat: Chat) -> Chat {
    guard !chat.hasUsualRoles else { return chat }
    // Whoever replaces the system prompt of a lane must not replace all that was said.
    guard chat.messages.contains(where: { $0.role == .user }) else { return chat.foldingSystemMessages() }
    let roles = chat.messages.map(\.role)
    let rest = roles.first == .system ? Array(roles.dropFirst()) : roles
    let isRendered =
      traits.hasSystemRole && renders([.system] + rest) && (rest.isEmpty || renders(rest))
    return isRendered ? chat : chat.foldingSystemMessages()
  }

  /// Whether a chat of these roles is rendered with everything that is said in it, in its order.
  private func renders(_ roles: [ChatRole]) -> Bool {
    let messages = roles.enumerated().map { ChatMessage(role: $1, content: "said\($0)end") }
    guard let segments = try? template.render(messages, arguments: arguments, tokens: tokens) else {
      return false
    }
    // Each search begins where the last one ended: clients send thousands of messages.
    let text = segments.flatMap(\.text)
    var rest = text[...]
    for message in messages {
      guard let found = rest.firstRange(of: Array(message.content.utf8)) else { return false }
      rest = rest[found.upperBound...]
    }
    return true
  }

  /// Where a template has no system role, families put that text before the first question, after an empty line.
  private func placed(_ chat: Chat) -> Chat {
    guard !traits.hasSystemRole, let system = chat.systemPrompt else { return chat }
    var rest = chat.replacingSystemPrompt(with: nil)
    if let first = rest.messages.firstIndex(where: { $0.role == .user }) {
      rest.messages[first].content = system + "\n\n" + rest.messages[first].content
    }
    return rest
  }

  /// Whether the template's own last words open a reasoning block and leave it open.
  private static func isOpen(_ tags: ReasoningTags, at segments: [PromptSegment]) -> Bool {
    guard let last = segments.last, !last.isInput else { return false }
    let tail = String(decoding: last.text, as: UTF8.self)
    guard let start = tail.range(of: tags.start, options: .backwards) else { return false }
    return tail.range(of: tags.end, range: start.upperBound..<tail.endIndex) == nil
  }
}

/// Both values, if both are there.
private func zip<A, B>(_ a: A?, _ b: B?) -> (A, B)? {
  guard let a, let b else { return nil }
  return (a, b)
}
