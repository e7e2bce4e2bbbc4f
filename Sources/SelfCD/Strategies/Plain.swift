/// The model as it is: the caller's chat, no safety emphasis, no contrast.
public struct Plain: DecodingStrategy {
  /// `plain`: what the command line, requests and results call this strategy.
  public static let name = "plain"
  /// The system prompt alone, where it replaces the caller's.
  public static let takes: [StrategyParameter] = [.plainSystem]

  /// Replaces the caller's system prompt, as in the plain lane of a contrast.
  public var plainSystem: String?

  /// The model as it is, or under a system prompt in place of the caller's; an empty text removes that.
  public init(plainSystem: String? = nil) {
    self.plainSystem = plainSystem
  }

  /// Takes the given system prompt, or leaves the caller's.
  public init(_ parameters: StrategyParameters) { self.init(plainSystem: parameters.plainSystem) }

  /// The replacing system prompt, as it is.
  public var parameters: StrategyParameters { StrategyParameters(plainSystem: plainSystem) }

  /// Never throws: every text can be a system prompt.
  public func validate() throws(StrategyError) {}

  /// One plain lane: the chat as it came, or with its system prompt replaced.
  public func lanes(for chat: Chat) -> [LanePrompt] {
    let plain = plainSystem.map { chat.replacingSystemPrompt(with: $0) } ?? chat
    return [LanePrompt(role: .plain, chat: plain)]
  }

  /// A rule that passes on the plain lane's logits unchanged, so that sampling is the model's own.
  public func makeRule() -> any DecodingRule { SingleLaneRule(role: .plain) }
  /// `false`: one lane, nothing to calibrate.
  public var isContrastive: Bool { false }
}
