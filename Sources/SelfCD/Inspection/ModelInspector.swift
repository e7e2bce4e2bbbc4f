/// Looks into a model while it reads a prompt: attention, gradients, the residual stream.
///
/// A backend that can do this conforms; everything built on it is pure and knows no backend. Prompts are given as
/// tokens, the same ones a lane would hold.
public protocol ModelInspector: Sendable {
  /// The attention of every layer over a prompt, read from the model's own computation. Any architecture whose
  /// attention probabilities are computed one by one.
  ///
  /// - Throws: when the prompt is empty or too long, or the architecture computes no attention probabilities.
  func attention(over tokens: [TokenID]) async throws -> AttentionMaps

  /// How the loss of the token after a prompt depends on each attention probability of the last position.
  ///
  /// - Parameters:
  ///   - tokens: the prompt.
  ///   - target: the answer token whose loss is differentiated; `nil` takes the likeliest one.
  /// - Throws: when the prompt is empty or too long, or the architecture's gradient has not been verified.
  func saliency(of target: TokenID?, after tokens: [TokenID]) async throws -> AttentionSaliency

  /// The residual stream behind every layer at some positions of a prompt.
  ///
  /// - Parameters:
  ///   - tokens: the prompt.
  ///   - positions: ascending indices of `tokens`.
  /// - Throws: when the prompt is empty or too long, a position is outside it, or the architecture's residual
  ///   stream cannot be read.
  func residuals(of tokens: [TokenID], at positions: [Int]) async throws -> ResidualStates
}

/// Attention over one prompt, averaged over heads, and each head's last row.
public struct AttentionMaps: Sendable, Hashable {
  /// How many tokens the prompt has.
  public let count: Int
  /// layers × (count × count), row by row: how much position `query` attends to position `key`, the mean over heads,
  /// at `query * count + key`. Rows add up to one.
  public let mean: [[Float]]
  /// layers × heads × count: the last position's own attention.
  public let last: [[[Float]]]

  /// Holds maps as a backend has read them, without a check of shapes.
  ///
  /// - Parameters:
  ///   - count: tokens of the prompt.
  ///   - mean: layers × (count × count), rows that add up to one.
  ///   - last: layers × heads × count.
  public init(count: Int, mean: [[Float]], last: [[[Float]]]) {
    self.count = count
    self.mean = mean
    self.last = last
  }
}

/// The attention probabilities A of the last position and the gradients ∂L/∂A of the loss of one answer token.
public struct AttentionSaliency: Sendable, Hashable {
  /// The answer token whose loss was differentiated.
  public let target: TokenID
  /// L, the negative log-probability of ``target`` behind the prompt, in nats.
  public let loss: Double
  /// layers × heads × positions: A at the last position.
  public let attention: [[[Float]]]
  /// layers × heads × positions: ∂L/∂A at the last position, every A taken as a variable of its own.
  public let gradient: [[[Float]]]
  /// How far this computation is from the backend's own, which runs quantised.
  public let agreement: Agreement

  /// The largest differences between the differentiated computation and the backend's.
  public struct Agreement: Codable, Sendable, Hashable {
    /// Largest total variation distance between two rows of attention of the last position, 0 … 1.
    public let attention: Double
    /// Total variation distance between the two distributions of the next token, 0 … 1.
    public let nextToken: Double

    /// Records two total variation distances, each 0 … 1.
    ///
    /// - Parameters:
    ///   - attention: the largest one between rows of attention.
    ///   - nextToken: the one between next-token distributions.
    public init(attention: Double, nextToken: Double) {
      self.attention = attention
      self.nextToken = nextToken
    }
  }

  /// Holds probabilities and gradients of one prompt.
  ///
  /// - Parameters:
  ///   - target: the answer token.
  ///   - loss: its negative log-probability, in nats.
  ///   - attention: layers × heads × positions.
  ///   - gradient: ∂L/∂A, of the same shape.
  ///   - agreement: how far the computation is from the backend's.
  public init(
    target: TokenID, loss: Double, attention: [[[Float]]], gradient: [[[Float]]], agreement: Agreement
  ) {
    self.target = target
    self.loss = loss
    self.attention = attention
    self.gradient = gradient
    self.agreement = agreement
  }
}

/// The residual stream of one prompt at some positions.
public struct ResidualStates: Sendable, Hashable {
  /// layers × positions × width: what each layer hands on.
  public let layers: [[[Float]]]

  /// Holds states, layers × positions × width, positions in the order in which they were asked for.
  public init(layers: [[[Float]]]) { self.layers = layers }
}
