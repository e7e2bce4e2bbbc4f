/// The model under a safety-emphasising system prompt, without contrast: where over-refusal shows.
public struct Guarded: DecodingStrategy {
  public static let name = "guarded"
  public static let takes: [StrategyParameter] = [.emphasis]

  public var emphasis: SafetyEmphasis

  public init(emphasis: SafetyEmphasis = .paper) {
    self.emphasis = emphasis
  }

  public init(_ parameters: StrategyParameters) { self.init(emphasis: parameters.emphasis ?? .paper) }

  public var parameters: StrategyParameters { StrategyParameters(emphasis: emphasis) }

  public func validate() throws(StrategyError) {}

  public func lanes(for chat: Chat) -> [LanePrompt] {
    [LanePrompt(role: .guarded, chat: chat.adding(emphasis))]
  }

  public func makeRule() -> any DecodingRule { SingleLaneRule(role: .guarded) }
  public var isContrastive: Bool { false }
}
