/// Why a model could not be looked into, and what can be done instead.
public enum InspectionError: Error, Sendable, Equatable, CustomStringConvertible {
  /// There is no token to look at.
  case emptyPrompt
  /// The prompt is longer than what is looked into, in tokens: ``LlamaInspector/tokenLimit``, or the model's own
  /// context where that is shorter.
  case promptTooLong(tokens: Int, limit: Int)
  /// A token is outside `0 ..< vocabulary`.
  case tokenOutOfRange(token: Int, vocabulary: Int)
  /// A position is outside the prompt, or positions are not ascending.
  case positionOutOfRange(position: Int, tokens: Int)
  /// Gradients exist for verified architectures only.
  case unverifiedArchitecture(name: String, reason: String)
  /// No attention probability of some layer can be read: it has none, or they are not computed one by one.
  case noAttention(architecture: String)
  /// The residual stream of some layer cannot be read.
  case noResidualStream(architecture: String)
  /// Logits, states or gradients hold NaN or infinity; `what` says which.
  case notFinite(what: String)
  /// Bytes that the gradient needs and bytes that are free: more than there are.
  case outOfMemory(needed: Int, available: Int)
  /// The gradient's own forward pass does not compute what libllama computes.
  case disagrees(attention: Double, nextToken: Double)
  /// libllama or ggml failed, with what it said.
  case failed(reason: String)

  /// The error in words, with what can be done instead.
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
