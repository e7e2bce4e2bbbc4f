/// The paper's zero-shot chain-of-thought baseline (arXiv 2401.17633, table 2): the question is followed by an
/// invitation to reason first, without contrast.
public struct ChainOfThought: DecodingStrategy {
  /// `cot`: what the command line, requests and results call this strategy.
  public static let name = "cot"
  /// The words of zero-shot chain of thought (Kojima et al., arXiv 2205.11916).
  public static let defaultInvitation = "Let's think step by step."

  /// What follows the last question, after an empty line.
  public var invitation: String
  /// A safety emphasis to reason under; `nil` for none, as in the helpfulness baseline.
  public var emphasis: SafetyEmphasis?

  /// Makes the baseline.
  ///
  /// - Parameters:
  ///   - invitation: what follows the last question; ``defaultInvitation`` unless given.
  ///   - emphasis: a safety prompt to reason under, or `nil`.
  public init(
    invitation: String = ChainOfThought.defaultInvitation, emphasis: SafetyEmphasis? = nil
  ) {
    self.invitation = invitation
    self.emphasis = emphasis
  }

  /// The paper's baseline: it takes no parameters.
  public init(_ parameters: StrategyParameters) { self.init() }

  /// Never throws: any invitation can be put behind a question.
  public func validate() throws(StrategyError) {}

  /// One plain lane: the chat with the invitation behind its last question.
  public func lanes(for chat: Chat) -> [LanePrompt] {
    var chat = emphasis.map(chat.adding) ?? chat
    if let last = chat.messages.lastIndex(where: { $0.role == .user }) {
      chat.messages[last].content += "\n\n" + invitation
    }
    return [LanePrompt(role: .plain, chat: chat)]
  }

  /// A rule that passes on the only lane's logits unchanged, so that sampling is the model's own.
  public func makeRule() -> any DecodingRule { SingleLaneRule(role: .plain) }
  /// `false`: one lane, nothing to calibrate.
  public var isContrastive: Bool { false }
}
