/// The model as it is: the caller's chat, no safety emphasis, no contrast.
public struct Plain: DecodingStrategy {
  public static let name = "plain"
  public static let takes: [StrategyParameter] = [.plainSystem]

  /// Replaces the caller's system prompt, as in the plain lane of a contrast.
  public var plainSystem: String?

  public init(plainSystem: String? = nil) {
    self.plainSystem = plainSystem
  }

  public init(_ parameters: StrategyParameters) { self.init(plainSystem: parameters.plainSystem) }

  public var parameters: StrategyParameters { StrategyParameters(plainSystem: plainSystem) }

  public func validate() throws(StrategyError) {}

  public func lanes(for chat: Chat) -> [LanePrompt] {
    let plain = plainSystem.map { chat.replacingSystemPrompt(with: $0) } ?? chat
    return [LanePrompt(role: .plain, chat: plain)]
  }

  public func makeRule() -> any DecodingRule { SingleLaneRule(role: .plain) }
  public var isContrastive: Bool { false }
}
