/// Draws tokens from rows of scores. A value with the state of one generation, such as its random numbers.
public protocol TokenSampler: Sendable {
  /// Whether it takes the first maximum of every row. Where nothing changes the row, it then need not be written.
  var isGreedy: Bool { get }

  /// A token and its score in the row, or nil where every token is excluded.
  ///
  /// - Parameter scores: `[vocabulary size]`; softmax of it is the distribution that is reported, `-inf` excludes a token.
  mutating func draw(from scores: [Float]) -> ScoredToken?
}

extension TokenSampler {
  /// Draws, so that every row is written.
  public var isGreedy: Bool { false }
}
