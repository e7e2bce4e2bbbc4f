/// The tokens that a model puts around its reasoning.
public struct ReasoningMarkers: Sendable, Hashable {
  /// The tokens that open the reasoning, in order.
  public let start: [TokenID]
  /// The tokens that close it, in order; empty takes the whole reply for the answer.
  public let end: [TokenID]
  /// Whether the rendered prompt already opened the block, so that the first generated token is inside it.
  public let isOpenAtStart: Bool
  /// Tokens of white space, which some models put before the block.
  public let blanks: Set<TokenID>

  /// Describes how a model marks its reasoning behind one prompt.
  ///
  /// - Parameters:
  ///   - start: tokens that open the block.
  ///   - end: tokens that close it.
  ///   - isOpenAtStart: whether the prompt has opened it.
  ///   - blanks: tokens of white space, skipped before the block.
  public init(start: [TokenID], end: [TokenID], isOpenAtStart: Bool, blanks: Set<TokenID> = []) {
    self.start = start
    self.end = end
    self.isOpenAtStart = isOpenAtStart
    self.blanks = blanks
  }
}

/// What a generated token is: text of the reasoning, text of the answer, or a sign between the two, which is neither.
public enum TokenPart: String, Codable, Sendable, Hashable {
  /// Text inside the reasoning block.
  case reasoning
  /// Part of an opening or closing marker, or white space before the block: in neither text.
  case marker
  /// Text of the answer; on models that mark no reasoning, every token.
  case answer
}
