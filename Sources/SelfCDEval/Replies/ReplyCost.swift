/// What one reply cost, in tokens.
public struct ReplyCost: Codable, Sendable, Hashable {
  /// Tokens of its prompts, over all lanes.
  public var promptTokens: Int
  /// Tokens that were chosen.
  public var generatedTokens: Int
  /// Tokens decoded behind the prompts, over all lanes, counted as if no lane were shared with another generation.
  public var decodedTokens: Int

  /// Makes a cost.
  public init(promptTokens: Int, generatedTokens: Int, decodedTokens: Int) {
    self.promptTokens = promptTokens
    self.generatedTokens = generatedTokens
    self.decodedTokens = decodedTokens
  }
}
