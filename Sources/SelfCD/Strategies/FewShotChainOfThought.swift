/// The paper's few-shot chain-of-thought baseline (arXiv 2401.17633, table 2): examples that reason before they answer
/// stand before the question, which ends with the same invitation as in ``ChainOfThought``; no contrast.
public struct FewShotChainOfThought: DecodingStrategy {
  /// `few-shot-cot`: what the command line, requests and results call this strategy.
  public static let name = "few-shot-cot"
  /// The pool of examples; ``WorkedExamples/reasoned`` unless given.
  public static let takes: [StrategyParameter] = [.examples]

  /// The examples, chosen and shown as in-context examples are.
  public var examples: InContext
  /// What follows every question, those of the examples included.
  public var invitation: String

  /// Makes the baseline; ``validate()`` checks that there is something to show.
  ///
  /// - Parameters:
  ///   - pool: examples to choose from, whose answers reason first.
  ///   - count: how many are shown.
  ///   - invitation: what follows every question.
  ///   - emphasis: a safety prompt to reason under, or `nil`.
  public init(
    pool: [InContext.Example] = WorkedExamples.reasoned, count: Int = InContext.defaultCount,
    invitation: String = ChainOfThought.defaultInvitation, emphasis: SafetyEmphasis? = nil
  ) {
    examples = InContext(pool: pool, count: count, emphasis: emphasis)
    self.invitation = invitation
  }

  /// Takes the given pool, or the one that ships.
  public init(_ parameters: StrategyParameters) {
    self.init(pool: parameters.examples(.examples) ?? WorkedExamples.reasoned)
  }

  /// The pool where it is not the one that ships.
  public var parameters: StrategyParameters {
    examples.pool == WorkedExamples.reasoned ? StrategyParameters() : examples.parameters
  }

  /// - Throws: ``StrategyError/outOfRange(parameter:value:allowed:)`` for an empty pool, or fewer than one example
  ///   shown.
  public func validate() throws(StrategyError) { try examples.validate() }

  /// One plain lane: the nearest examples, each question followed by the invitation.
  public func lanes(for chat: Chat) -> [LanePrompt] {
    // Chosen by the questions as they are: the invitation is the same words behind each and tells nothing.
    examples.lanes(for: chat) { $0 + "\n\n" + invitation }
  }

  /// A rule that passes on the only lane's logits unchanged, so that sampling is the model's own.
  public func makeRule() -> any DecodingRule { SingleLaneRule(role: .plain) }
  /// `false`: one lane, nothing to calibrate.
  public var isContrastive: Bool { false }
}
