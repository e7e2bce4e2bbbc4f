/// Says which tokens a reply may go on with, such as a grammar. The last link before the sampler (``DecodingChain``).
///
/// It only excludes: among the tokens that it allows, scores keep their proportions, so that the contrast decides between
/// them. A value with the state of one generation, as ``LogitsProcessor`` is: a copy is a snapshot.
public protocol TokenConstraint: Sendable {
  /// Whether the reply may go on with the token. Of tokens that end a turn: whether it may end here.
  func allows(_ token: TokenID) -> Bool

  /// Excludes, by `-inf`, every token that ``allows(_:)`` denies.
  ///
  /// - Parameter scores: `[vocabulary size]`.
  func mask(_ scores: inout [Float])

  /// Told of each token after it was chosen and before it is decoded.
  mutating func accept(_ token: TokenID)
}

/// Why a constraint cannot be combined with the rest of a request.
public enum ConstraintError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The constraint says where the reply ends, so that it cannot be kept from ending as well.
  case endsByItself(parameter: String)

  /// The error in words, with what to try.
  public var description: String {
    switch self {
    case .endsByItself(let parameter):
      "A grammar says where the reply ends, so '\(parameter)' cannot be used with it. Leave one of them out."
    }
  }
}
