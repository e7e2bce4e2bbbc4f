/// The model under a safety-emphasising system prompt, without contrast: where over-refusal shows.
public struct Guarded: DecodingStrategy {
  /// `guarded`: what the command line, requests and results call this strategy.
  public static let name = "guarded"
  /// The safety prompt and where it stands: nothing else could have an effect.
  public static let takes: [StrategyParameter] = [.emphasis, .emphasisPosition]

  /// What is added to the chat, whose own system prompt stays.
  public var emphasis: SafetyEmphasis

  /// The model under a safety prompt, the paper's by default.
  public init(emphasis: SafetyEmphasis = .paper) {
    self.emphasis = emphasis
  }

  /// Takes the given emphasis, or the paper's.
  public init(_ parameters: StrategyParameters) { self.init(emphasis: parameters.emphasis(or: .paper)) }

  /// The safety prompt, as it is.
  public var parameters: StrategyParameters { StrategyParameters(emphasis: emphasis) }

  /// Never throws: every text can be a safety prompt; an empty one changes nothing.
  public func validate() throws(StrategyError) {}

  /// One guarded lane: the chat with the emphasis added.
  public func lanes(for chat: Chat) -> [LanePrompt] {
    [LanePrompt(role: .guarded, chat: chat.adding(emphasis))]
  }

  /// A rule that passes on the guarded lane's logits unchanged, so that sampling is the model's own.
  public func makeRule() -> any DecodingRule { SingleLaneRule(role: .guarded) }
  /// `false`: one lane, nothing to calibrate.
  public var isContrastive: Bool { false }
}
