/// A strategy that contrasts a guarded lane with a plain one.
public protocol ContrastiveStrategy: DecodingStrategy {
  /// Strength of the contrast, finite, within ±``SelfContrastive/alphaLimit``.
  var alpha: Float { get }
  /// The guarded lane's prompt.
  var emphasis: SafetyEmphasis { get }
  /// Replaces the plain lane's system prompt; see ``ContrastPair``.
  var plainSystem: String? { get }
}

extension ContrastiveStrategy {
  /// `true`: α can move the model away from refusals that it should keep.
  public var isContrastive: Bool { true }

  /// The guarded and the plain lane of ``ContrastPair``, in this order.
  public func lanes(for chat: Chat) -> [LanePrompt] {
    let pair = ContrastPair(chat: chat, emphasis: emphasis, plainSystem: plainSystem)
    return [LanePrompt(role: .guarded, chat: pair.guarded), LanePrompt(role: .plain, chat: pair.plain)]
  }
}
