/// Why a model could not be looked into, and what can be done instead.
public enum InspectionError: Error, Sendable, Equatable, CustomStringConvertible {
  case emptyPrompt
  case promptTooLong(tokens: Int, limit: Int)
  case tokenOutOfRange(token: Int, vocabulary: Int)
  case positionOutOfRange(position: Int, tokens: Int)
  /// Gradients exist for verified architectures only.
  case unverifiedArchitecture(name: String, reason: String)
  case noAttention(architecture: String)
  case noResidualStream(architecture: String)
  case notFinite(what: String)
  case outOfMemory(needed: Int, available: Int)
  /// The gradient's own forward pass does not compute what libllama computes.
  case disagrees(attention: Double, nextToken: Double)
  case failed(reason: String)

  public var description: String {
    switch self {
    case .emptyPrompt: "The prompt has no tokens, so there is nothing to look into."
    case .promptTooLong(let tokens, let limit):
      "The prompt has \(tokens) tokens; at most \(limit) can be looked into. Shorten it, or the system prompt."
    case .tokenOutOfRange(let token, let vocabulary):
      "Token \(token) is outside the vocabulary of \(vocabulary)."
    case .positionOutOfRange(let position, let tokens):
      "Position \(position) is outside the prompt of \(tokens) tokens; positions must be ascending and distinct."
    case .unverifiedArchitecture(let name, let reason):
      """
      Information flow by gradients is not available for this model of architecture \(name): \(reason). It is verified \
      for \(FlowArchitecture.verified.joined(separator: ", ")). Attention maps and attention rollout work without \
      gradients.
      """
    case .noAttention(let architecture):
      """
      libllama computes no attention probabilities that can be read for this model of architecture \(architecture), \
      so there are no attention maps. Word attribution needs none.
      """
    case .noResidualStream(let architecture):
      "The residual stream of this model of architecture \(architecture) cannot be read."
    case .notFinite(let what): "The model's \(what) is not finite, so nothing can be computed from it."
    case .outOfMemory(let needed, let available):
      """
      The gradient needs about \(needed >> 20) MiB for one layer's weights in float32, and \(available >> 20) MiB are \
      available. A shorter prompt or a smaller model needs less.
      """
    case .disagrees(let attention, let nextToken):
      """
      The gradient's own forward pass does not compute what libllama computes for this model (attention differs by \
      \(attention), the next token by \(nextToken) in total variation), so its gradient would be of another function. \
      Attention maps and attention rollout work without gradients.
      """
    case .failed(let reason): "The model could not be looked into: \(reason)."
    }
  }
}
