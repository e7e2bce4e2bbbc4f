/// Makes tokens less likely that occurred in the prompt or in the reply.
///
/// Keskar et al., *CTRL*, 2019, arXiv 1909.05858, with the signs told apart as Hugging Face transformers and vLLM do: a
/// positive score is divided by the penalty, a negative one multiplied, however often the token occurred.
///
/// It acts on raw scores, whose sign is the model's convention and not probability. The contrast's row is on that scale,
/// too: the lanes' weights in it add up to 1.
public struct RepetitionPenalty: LogitsProcessor, Hashable {
  /// Greater than 0 and at most 10; 1 changes nothing.
  public let penalty: Float
  private var occurred: Set<TokenID> = []

  /// Makes a penalty that has seen nothing yet.
  ///
  /// - Throws: ``StrategyError/outOfRange(parameter:value:allowed:)``.
  public init(_ penalty: Float) throws(StrategyError) {
    try Self.check(penalty)
    self.penalty = penalty
  }

  /// For settings that are checked elsewhere, before the first step.
  init(unchecked penalty: Float) { self.penalty = penalty }

  static func check(_ penalty: Float) throws(StrategyError) {
    guard penalty > 0, penalty <= 10 else {
      throw .outOfRange(
        parameter: "repetition-penalty", value: "\(penalty)",
        allowed: "greater than 0 and at most 10; 1 is off")
    }
  }

  /// Counts the prompt's tokens as having occurred.
  public mutating func begin(after prompt: [TokenID]) { occurred.formUnion(prompt) }

  /// Divides positive scores of tokens that occurred by the penalty, and multiplies negative ones.
  public mutating func process(_ scores: inout [Float], step: Int) {
    for token in occurred {
      let index = Int(token)
      guard scores.indices.contains(index), scores[index].isFinite else { continue }
      let score = scores[index]
      let changed = score < 0 ? score * penalty : score / penalty
      // A product that leaves the range of numbers would exclude the token, or make it certain.
      scores[index] = min(max(changed, -.greatestFiniteMagnitude), .greatestFiniteMagnitude)
    }
  }

  /// Counts a chosen token as having occurred.
  public mutating func accept(_ token: TokenID) { occurred.insert(token) }
}
