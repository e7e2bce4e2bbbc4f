import SelfCD

/// How much flows from each position of a prompt to its last one, in each layer.
///
/// By gradients (the Self-CD paper's information flow, arXiv 2401.17633, after Wang et al., arXiv 2305.14160):
///
///     I_l = | Σ_h A_{h,l} ⊙ ∂L/∂A_{h,l} |
///
/// at the row of the last position, with L the loss of the answer token, in nats. Or, where no gradient can be had,
/// attention alone or attention rollout: they say where a model looks, not what the answer depends on, and are
/// labelled as what they are.
public struct InformationFlow: Codable, Sendable, Hashable {
  /// What the values are.
  public enum Method: String, Codable, Sendable, Hashable, CaseIterable {
    /// |Σ_h A ⊙ ∂L/∂A|, in nats.
    case informationFlow = "information-flow"
    /// Attention of the last position, the mean over heads.
    case attention = "attention"
    /// Attention rolled out through the layers up to each one (Abnar and Zuidema 2020).
    case attentionRollout = "attention-rollout"

  }

  /// A token of the prompt.
  public struct Position: Codable, Sendable, Hashable {
    /// What the token writes; empty for control tokens.
    public let text: String
    /// The word of the question it belongs to.
    public let word: Int?
  }

  /// The answer token whose loss the flow is of.
  public struct Target: Codable, Sendable, Hashable {
    /// What the token writes.
    public let text: String
    /// −log p, in nats.
    public let loss: Double

    /// Names an answer token by its text and its loss, in nats.
    public init(text: String, loss: Double) {
      self.text = text
      self.loss = loss
    }
  }

  /// A word's part of the flow.
  public struct Word: Codable, Sendable, Hashable {
    /// The word as it stands in the question.
    public let text: String
    /// Its part of what flows from all words of the question, all layers together; 0 … 1.
    public let share: Double
    /// The same, layer by layer.
    public let layers: [Double]
  }

  /// How the values were computed, and so what they mean.
  public let method: Method
  /// The answer token; `nil` for attention, which is not about one.
  public var target: Target?
  /// Every token of the prompt, in order.
  public let positions: [Position]
  /// layers × positions.
  public let layers: [[Double]]
  /// Every word of the question, in order.
  public let words: [Word]
  /// The words' part of what flows from the whole prompt, system prompt and template included; 0 … 1.
  public let questionShare: Double
  /// How far the differentiated computation is from the model's own; `nil` without a gradient.
  public let agreement: AttentionSaliency.Agreement?

  /// - Parameters:
  ///   - layers: layers × positions, none negative.
  ///   - alignment: the prompt's tokens and the words they write.
  ///   - words: the words' texts.
  public init(
    method: Method, layers: [[Double]], alignment: PromptAlignment, words: [String], target: Target? = nil,
    agreement: AttentionSaliency.Agreement? = nil
  ) {
    self.method = method
    self.target = target
    self.layers = layers
    self.agreement = agreement
    positions = zip(alignment.texts, alignment.words).map { Position(text: $0, word: $1) }
    let perLayer = layers.map { layer in
      var sums = [Double](repeating: 0, count: words.count)
      for (value, word) in zip(layer, alignment.words) {
        if let word, sums.indices.contains(word) { sums[word] += value }
      }
      return sums
    }
    let totals = words.indices.map { word in perLayer.reduce(0) { $0 + $1[word] } }
    let all = totals.reduce(0, +)
    self.words = words.indices.map { word in
      Word(
        text: words[word], share: Self.share(totals[word], of: all),
        layers: perLayer.map { Self.share($0[word], of: $0.reduce(0, +)) })
    }
    questionShare = Self.share(all, of: layers.reduce(0) { $0 + $1.reduce(0, +) })
  }

  /// Information flow by gradients.
  public init(
    _ saliency: AttentionSaliency, targetText: String, alignment: PromptAlignment, words: [String]
  ) {
    self.init(
      method: .informationFlow, layers: AttentionTimesGradient.layers(saliency), alignment: alignment,
      words: words,
      target: Target(text: targetText, loss: saliency.loss), agreement: saliency.agreement)
  }

  /// Attention of the last position, or its rollout.
  public init(_ maps: AttentionMaps, method: Method, alignment: PromptAlignment, words: [String]) {
    let layers =
      method == .attentionRollout
      ? AttentionRollout.lastRows(of: maps)
      : maps.mean.map { Array($0.suffix(maps.count)).map(Double.init) }
    self.init(method: method, layers: layers, alignment: alignment, words: words)
  }

  private static func share(_ part: Double, of all: Double) -> Double { all > 0 ? part / all : 0 }
}
