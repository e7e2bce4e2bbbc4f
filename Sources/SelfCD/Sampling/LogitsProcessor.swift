/// Changes the row of scores that the contrast rule wrote, before a token is drawn from it.
///
/// A value with the state of one generation, as ``DecodingRule`` is: a copy is a snapshot, and putting it back rolls the
/// processor back. ``DecodingChain`` says where processors stand and in which order they act.
/// Order of calls: ``begin(after:)`` once, then in each step ``process(_:step:)`` and ``accept(_:)``.
public protocol LogitsProcessor: Sendable {
  /// Told of the prompt, before the first step.
  ///
  /// - Parameter prompt: tokens of the plain lane's prompt, or of the guarded one's where there is no plain lane. What a
  ///   safety emphasis says is so no part of it where lanes are contrasted.
  mutating func begin(after prompt: [TokenID])

  /// Changes the scores in place.
  ///
  /// - Parameters:
  ///   - scores: `[vocabulary size]`, on the scale of the model's logits; `-inf` excludes a token and has to stay.
  ///   - step: 0 for the first generated token.
  mutating func process(_ scores: inout [Float], step: Int)

  /// Told of each token after it was chosen and before it is decoded.
  mutating func accept(_ token: TokenID)
}

extension LogitsProcessor {
  /// Does not look at the prompt.
  public mutating func begin(after prompt: [TokenID]) {}
  /// Does not look at what was chosen.
  public mutating func accept(_ token: TokenID) {}
}
