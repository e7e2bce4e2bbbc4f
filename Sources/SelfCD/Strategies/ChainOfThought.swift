/// The paper's zero-shot chain-of-thought baseline (arXiv 2401.17633, table 2): the question is followed by an
/// invitation to reason first, without contrast.
public struct ChainOfThought: DecodingStrategy {
  public static let name = "cot"
  /// The words of zero-shot chain of thought (Kojima et al., arXiv 2205.11916).
  public static let defaultInvitation = "Let's think step by step."

  /// What follows the last question, after an empty line.
  public var invitation: String
  /// A safety emphasis to reason under; `nil` for none, as in the helpfulness baseline.
  public var emphasis: SafetyEmphasis?

  public init(
    invitation: String = ChainOfThought.defaultInvitation, emphasis: SafetyEmphasis? = nil
  ) {
    self.invitation = invitation
    self.emphasis = emphasis
  }

  public init(_ parameters: StrategyParameters) { self.init() }

  public func validate() throws(StrategyError) {}

  public func lanes(for chat: Chat) -> [LanePrompt] {
    var chat = emphasis.map(chat.adding) ?? chat
    if let last = chat.messages.lastIndex(where: { $0.role == .user }) {
      chat.messages[last].content += "\n\n" + invitation
    }
    return [LanePrompt(role: .plain, chat: chat)]
  }

  public func makeRule() -> any DecodingRule { SingleLaneRule(role: .plain) }
  public var isContrastive: Bool { false }
}
