import SelfCD

/// A vocabulary of bytes: token n is byte n, and the last token ends the turn.
public struct ByteVocabulary: Vocabulary {
  public let count: Int

  public init(count: Int = 129) {
    self.count = count
  }

  public var endOfTurn: TokenID { TokenID(count - 1) }

  public func isEndOfGeneration(_ token: TokenID) -> Bool { token == endOfTurn }

  public func bytes(of token: TokenID) -> [UInt8] {
    token >= 0 && token < endOfTurn ? [UInt8(truncatingIfNeeded: token)] : []
  }
}

/// Renders a chat as `role:text` lines, byte by byte.
public struct ByteRenderer: PromptRenderer, ReplyTokenizer {
  public init() {}

  public func render(_ chat: Chat) throws -> RenderedPrompt {
    let text = chat.messages.map { "\($0.role.rawValue):\($0.content)\n" }.joined() + "assistant:"
    return RenderedPrompt(tokens: text.utf8.map { TokenID($0) & 127 }, text: text)
  }

  public func tokens(ofReply text: String) throws -> [TokenID] { text.utf8.map { TokenID($0) & 127 } }
}
