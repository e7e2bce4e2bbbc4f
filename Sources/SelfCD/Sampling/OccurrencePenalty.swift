/// Makes tokens less likely by how often they occurred in the reply.
///
/// OpenAI's `frequency_penalty` and `presence_penalty`, as vLLM computes them: from a token's score the frequency penalty
/// is subtracted once for each time that the token occurred in the reply, and the presence penalty once if it occurred at
/// all. The prompt does not count. Negative penalties favour what was said.
public struct OccurrencePenalty: LogitsProcessor, Hashable {
  /// Subtracted for each occurrence, -2 … 2.
  public let frequency: Float
  /// Subtracted once from a token that occurred, -2 … 2.
  public let presence: Float
  private var counts: [TokenID: Int] = [:]

  /// Makes a penalty that has seen nothing yet.
  ///
  /// - Throws: ``StrategyError/outOfRange(parameter:value:allowed:)``.
  public init(frequency: Float = 0, presence: Float = 0) throws(StrategyError) {
    try Self.check(frequency, "frequency-penalty")
    try Self.check(presence, "presence-penalty")
    self.init(unchecked: frequency, presence: presence)
  }

  /// For settings that are checked elsewhere, before the first step.
  init(unchecked frequency: Float, presence: Float) {
    self.frequency = frequency
    self.presence = presence
  }

  static func check(_ penalty: Float, _ parameter: String) throws(StrategyError) {
    // NaN fails the comparison too.
    guard (-2...2).contains(penalty) else {
      throw .outOfRange(
        parameter: parameter, value: "\(penalty)", allowed: "a number from -2 to 2; 0 is off")
    }
  }

  /// Lowers the scores of tokens that occurred in the reply.
  public mutating func process(_ scores: inout [Float], step: Int) {
    for (token, count) in counts {
      let index = Int(token)
      guard scores.indices.contains(index) else { continue }
      scores[index] -= frequency * Float(count) + presence
    }
  }

  /// Counts a chosen token.
  public mutating func accept(_ token: TokenID) { counts[token, default: 0] += 1 }
}
