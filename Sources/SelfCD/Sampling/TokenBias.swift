/// Adds a number to the scores of some tokens: OpenAI's `logit_bias`.
///
/// It can put any token before all others, so that it can undo what contrast or a safety prompt does.
public struct TokenBias: LogitsProcessor, Hashable {
  /// What is added, by token, each within ±100.
  public let bias: [TokenID: Float]

  /// Makes a bias.
  ///
  /// - Throws: ``StrategyError/outOfRange(parameter:value:allowed:)``.
  public init(_ bias: [TokenID: Float]) throws(StrategyError) {
    try Self.check(bias)
    self.bias = bias
  }

  /// For settings that are checked elsewhere, before the first step.
  init(unchecked bias: [TokenID: Float]) { self.bias = bias }

  static func check(_ bias: [TokenID: Float]) throws(StrategyError) {
    let wrong = bias.filter { !(-100...100).contains($0.value) }
    guard let token = wrong.keys.min() else { return }
    throw .outOfRange(
      parameter: "logit-bias", value: "\(wrong[token] ?? .nan) for token \(token)",
      allowed: "a number from -100 to 100")
  }

  /// Adds each token's number to its score.
  public mutating func process(_ scores: inout [Float], step: Int) {
    for (token, number) in bias where scores.indices.contains(Int(token)) { scores[Int(token)] += number }
  }
}
