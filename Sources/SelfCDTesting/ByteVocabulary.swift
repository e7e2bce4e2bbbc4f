import SelfCD

/// A vocabulary of bytes: token n is byte n, and the last token ends the turn.
public struct ByteVocabulary: Vocabulary {
  /// Entries, the end of the turn included.
  public let count: Int

  /// Makes a vocabulary of `count - 1` bytes and the end of the turn; 129 holds ASCII.
  public init(count: Int = 129) {
    self.count = count
  }

  /// The token that ends a reply: the last one.
  public var endOfTurn: TokenID { TokenID(count - 1) }

  /// Whether it is ``endOfTurn``, the only such token.
  public func isEndOfGeneration(_ token: TokenID) -> Bool { token == endOfTurn }

  /// The token's own byte; none for the end of the turn and out of range.
  public func bytes(of token: TokenID) -> [UInt8] {
    token >= 0 && token < endOfTurn ? [UInt8(truncatingIfNeeded: token)] : []
  }
}

/// Renders a chat as `role:text` lines, byte by byte.
public struct ByteRenderer: PromptRenderer, ReplyTokenizer {
  /// A renderer; it has nothing to set.
  public init() {}

  /// One line a message and the opening of the assistant's; bytes beyond ASCII lose their highest bit.
  public func render(_ chat: Chat) throws -> RenderedPrompt {
    let text = chat.messages.map { "\($0.role.rawValue):\($0.content)\n" }.joined() + "assistant:"
    return RenderedPrompt(tokens: text.utf8.map { TokenID($0) & 127 }, text: text)
  }

  /// The same without what follows the last message's text, and without the opening of another turn.
  public func render(continuing chat: Chat) throws -> RenderedPrompt {
    let text = chat.messages.map { "\($0.role.rawValue):\($0.content)" }.joined(separator: "\n")
    return RenderedPrompt(tokens: text.utf8.map { TokenID($0) & 127 }, text: text)
  }

  /// The text's bytes; those beyond ASCII lose their highest bit.
  public func tokens(ofReply text: String) throws -> [TokenID] { text.utf8.map { TokenID($0) & 127 } }
}
