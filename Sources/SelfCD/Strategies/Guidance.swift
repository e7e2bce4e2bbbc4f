/// Contrast with a negative prompt, known as classifier-free guidance (Sanchez et al., 2023, arXiv 2306.17806):
/// `z = z_pos + (g − 1) (z_pos − z_neg)`, the chosen token appended to both prompts.
///
/// It is the formula of ``SelfContrastive``, `z = z_guarded − α (z_guarded − z_plain)`, with the negative prompt in the
/// guarded lane, the chat itself in the plain one, and α = g. So 1 is the chat itself, and what moves away from a safety
/// prompt there moves away from any text here: it can cost refusals just as well, and nothing calibrates it.
public struct Guidance: DecodingStrategy {
  /// `guidance`: what the command line, requests and results call this strategy.
  public static let name = "guidance"
  /// g where none is given, a mild one.
  public static let defaultGuidance: Float = 1.5
  /// g, the negative prompt, and a safety prompt that stays in both lanes.
  public static let takes: [StrategyParameter] = [
    .guidance, .negativePrompt, .emphasis, .emphasisPosition,
  ]

  /// How far to move away from the negative prompt: 1 … 10; 1 is the chat itself, bit for bit.
  public var guidance: Float
  /// What the negative lane is told, before the caller's own system prompt, which stays in both lanes. Not blank.
  public var negativePrompt: String
  /// A safety prompt of the deployment's, in both lanes, so that guidance does not move away from it; nil for none.
  public var emphasis: SafetyEmphasis?

  /// Makes the strategy; ``validate()`` checks the ranges.
  ///
  /// - Parameters:
  ///   - guidance: how far to move.
  ///   - negativePrompt: what to move away from.
  ///   - emphasis: a safety prompt for both lanes.
  public init(
    guidance: Float = Guidance.defaultGuidance, negativePrompt: String, emphasis: SafetyEmphasis? = nil
  ) {
    self.guidance = guidance
    self.negativePrompt = negativePrompt
    self.emphasis = emphasis
  }

  /// Makes it of the parameters that are given, which a negative prompt has to be among.
  ///
  /// - Throws: ``StrategyError/missing(_:strategy:)``.
  public init(_ parameters: StrategyParameters) throws(StrategyError) {
    guard let negativePrompt = parameters.text(.negativePrompt) else {
      throw .missing(.negativePrompt, strategy: Self.name)
    }
    self.init(
      guidance: parameters.float(.guidance) ?? Self.defaultGuidance, negativePrompt: negativePrompt,
      emphasis: parameters.emphasis)
  }

  /// Every parameter as it is, so that ``init(_:)`` makes an equal strategy of them.
  public var parameters: StrategyParameters {
    var parameters = StrategyParameters(emphasis: emphasis)
    parameters[.guidance] = .number(guidance)
    parameters[.negativePrompt] = .text(negativePrompt)
    return parameters
  }

  /// - Throws: ``StrategyError/outOfRange(parameter:value:allowed:)``.
  public func validate() throws(StrategyError) {
    try StrategyParameter.guidance.check(guidance)
    guard negativePrompt.contains(where: { !$0.isWhitespace }) else {
      throw .outOfRange(
        parameter: StrategyParameter.negativePrompt.name, value: "an empty text",
        allowed: "a text to move away from")
    }
  }

  /// The chat under the negative prompt in the guarded lane, and the chat itself in the plain one.
  public func lanes(for chat: Chat) -> [LanePrompt] {
    let positive = emphasis.map(chat.adding) ?? chat
    let negative = positive.adding(SafetyEmphasis(name: "negative", text: negativePrompt))
    return [LanePrompt(role: .guarded, chat: negative), LanePrompt(role: .plain, chat: positive)]
  }

  /// Self-CD's rule, with α = g.
  public func makeRule() -> any DecodingRule { SelfContrastiveRule(alpha: guidance, beta: 0, steps: .max) }

  /// `true`: moving away from a prompt can lose refusals that the model should keep.
  public var isContrastive: Bool { true }

  /// The chat itself: the guarded lane is under the negative prompt.
  public var reasoningLane: LaneRole { .plain }
}

extension StrategyParameter {
  /// How far to move away from the negative prompt; see ``Guidance/guidance``.
  public static let guidance = StrategyParameter(
    "guidance", .number(1...10),
    help: "How far guidance moves away from --negative-prompt, 1 to 10 (1.5); 1 not at all.")
  /// What to move away from; see ``Guidance/negativePrompt``.
  public static let negativePrompt = StrategyParameter(
    "negative_prompt", .text,
    help: "What guidance moves away from: a system prompt for a second lane, before your own.")
}
