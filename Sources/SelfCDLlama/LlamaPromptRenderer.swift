import Foundation
import SelfCD

/// Renders chats with a model's template and tokenises them with its vocabulary.
public struct LlamaPromptRenderer: PromptRenderer, ReplyTokenizer {
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

  public func render(_ chat: Chat) throws -> RenderedPrompt {
    let segments = try template.render(placed(chat).messages, arguments: arguments, tokens: tokens)
    let text = String(decoding: segments.flatMap(\.text), as: UTF8.self)
    let markers = zip(reasoning, traits.reasoning).map { tokens, tags in
      ReasoningMarkers(
        start: tokens.start, end: tokens.end, isOpenAtStart: Self.isOpen(tags, at: segments),
        blanks: tokens.blanks)
    }
    return RenderedPrompt(tokens: try tokenizer.tokenize(segments), text: text, reasoning: markers)
  }

  public func tokens(ofReply text: String) throws -> [TokenID] { try tokenizer.replyTokens(text) }

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
