/// The paper's "Prompt" baseline: a system prompt that asks for helpfulness, without contrast
/// (arXiv 2401.17633, table 2).
public struct Helpful: DecodingStrategy {
  public static let name = "helpful"

  public init() {}

  public init(_ parameters: StrategyParameters) {}

  public func validate() throws(StrategyError) {}

  public func lanes(for chat: Chat) -> [LanePrompt] {
    [LanePrompt(role: .plain, chat: chat.adding(.helpfulness))]
  }

  public func makeRule() -> any DecodingRule { SingleLaneRule(role: .plain) }
  public var isContrastive: Bool { false }
}
