/// What the engine needs to know about a model's tokens.
public protocol Vocabulary: Sendable {
  /// Number of entries, the length of a row of logits.
  var count: Int { get }

  /// Whether a token ends the model's turn.
  func isEndOfGeneration(_ token: TokenID) -> Bool

  /// The bytes a token stands for; may be part of a UTF-8 character. Empty for control tokens, which are not text.
  func bytes(of token: TokenID) -> [UInt8]
}

extension Vocabulary {
  /// The tokens that end a turn.
  var ends: [TokenID] { (0..<TokenID(count)).filter { isEndOfGeneration($0) } }
}

/// Turns a chat into the tokens a model was trained to continue.
public protocol PromptRenderer: Sendable {
  /// - Throws: when the model's chat template cannot render the chat.
  func render(_ chat: Chat) throws -> RenderedPrompt

  /// Renders a chat whose last turn, the assistant's, is left open behind its last word, for the model to go on with it.
  ///
  /// - Throws: ``ChatError/cannotContinue`` where that cannot be done, or as ``render(_:)``.
  func render(continuing chat: Chat) throws -> RenderedPrompt

  /// A chat that may have system messages anywhere, as the model's chat template can render it.
  ///
  /// Asked before a strategy makes its lanes of the chat, so that these differ in nothing but what the strategy adds.
  func arranged(_ chat: Chat) -> Chat
}

extension PromptRenderer {
  /// Cannot be done, for renderers that say nothing else.
  public func render(continuing chat: Chat) throws -> RenderedPrompt { throw ChatError.cannotContinue }

  /// Leaves the chat as it is: right for templates that take system messages anywhere.
  public func arranged(_ chat: Chat) -> Chat { chat }
}

/// A chat as tokens, with the text they were made from.
public struct RenderedPrompt: Sendable, Hashable {
  /// What the model is given, special tokens included.
  public let tokens: [TokenID]
  /// The same prompt as text, special tokens written out as the template has them; for people, not for the model.
  public let text: String
  /// The reasoning markers of the model's template, if it has any.
  public let reasoning: ReasoningMarkers?

  /// Puts a prompt's two forms together.
  ///
  /// - Parameters:
  ///   - tokens: what the model is given.
  ///   - text: what the tokens were made from.
  ///   - reasoning: the markers of a template that marks reasoning, and whether this prompt has opened the block.
  public init(tokens: [TokenID], text: String, reasoning: ReasoningMarkers? = nil) {
    self.tokens = tokens
    self.text = text
    self.reasoning = reasoning
  }
}

/// Turns the words of a reply into tokens, to ask how likely a model is to say them.
public protocol ReplyTokenizer: Sendable {
  /// The tokens of `text` as it would follow a rendered prompt; none of them is special.
  ///
  /// - Throws: when the text cannot be tokenised.
  func tokens(ofReply text: String) throws -> [TokenID]
}
