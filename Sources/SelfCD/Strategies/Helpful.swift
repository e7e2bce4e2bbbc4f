/// The paper's "Prompt" baseline: a system prompt that asks for helpfulness, without contrast
/// (arXiv 2401.17633, table 2).
public struct Helpful: DecodingStrategy {
  /// `helpful`: what the command line, requests and results call this strategy.
  public static let name = "helpful"

  /// The baseline with ``SafetyEmphasis/helpfulness``; there is nothing to set.
  public init() {}

  /// The baseline: it takes no parameters.
  public init(_ parameters: StrategyParameters) {}

  /// Never throws: there are no parameters.
  public func validate() throws(StrategyError) {}

  /// One plain lane: the chat with the helpfulness prompt before its own system prompt.
  public func lanes(for chat: Chat) -> [LanePrompt] {
    [LanePrompt(role: .plain, chat: chat.adding(.helpfulness))]
  }

  /// A rule that passes on the only lane's logits unchanged, so that sampling is the model's own.
  public func makeRule() -> any DecodingRule { SingleLaneRule(role: .plain) }
  /// `false`: one lane, nothing to calibrate.
  public var isContrastive: Bool { false }
}
