import SelfCD

/// Renders a chat without a template: its texts one after the other, an empty line between them, none of it special.
///
/// For continuing texts as they are. A safety emphasis, which is a system message, stands before the text.
public struct LlamaTextRenderer: PromptRenderer {
  private let tokenizer: PromptTokenizer

  /// Makes a renderer for a model's vocabulary.
  public init(_ vocabulary: LlamaVocabulary) {
    // No template's words are structure here, but the vocabulary's own are, and stay text.
    tokenizer = PromptTokenizer(vocabulary, template: "")
  }

  /// - Throws: ``LlamaError/tokenizationFailed(reason:)``.
  public func render(_ chat: Chat) throws -> RenderedPrompt {
    let text = chat.messages.map(\.content).joined(separator: "\n\n")
    let tokens = try tokenizer.tokenize([PromptSegment(text: Array(text.utf8), isInput: true)])
    return RenderedPrompt(tokens: tokens, text: text)
  }
}
