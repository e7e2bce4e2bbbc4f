/// Self-Contrastive Decoding (Shi et al., ACL 2024, arXiv 2401.17633, equation 3):
/// `z = z_guarded − α (z_guarded − z_plain)`, the chosen token appended to both prompts.
///
/// α = 0 is the guarded model, α = 1 the plain one, α > 1 moves on from there, away from the guarded one.
/// α < 0 strengthens refusals. The paper recommends 2.5; how much safety that costs differs by model.
public struct SelfContrastive: ContrastiveStrategy {
  /// `self-cd`: what the command line, requests and results call this strategy.
  public static let name = "self-cd"
  /// The paper's recommendation (arXiv 2401.17633).
  public static let defaultAlpha: Float = 2.5
  /// α, the plausibility mask, what ends the contrast, and both lanes' system prompts.
  public static let takes: [StrategyParameter] = [
    .alpha, .beta, .steps, .agreementStop, .emphasis, .emphasisPosition, .plainSystem,
  ]
  /// Beyond this, one lane's rounding error, scaled by α, outweighs real differences between tokens.
  public static let alphaLimit: Float = 100

  /// Strength of the contrast, finite, within ±``alphaLimit``.
  public var alpha: Float
  /// Adaptive plausibility constraint (arXiv 2210.15097): tokens with `p_plain < β · max p_plain` are excluded.
  /// In 0 … 1; 0 excludes nothing, as in the paper.
  public var beta: Float
  /// After this many generated tokens only one lane goes on, the plain one, or the guarded one for α < 1, which is nearer
  /// to it and must not lose the safety prompt; `nil` contrasts to the end, as in the paper.
  public var steps: Int?
  /// After this many tokens in a row at which both lanes had the same best token only that lane goes on; `nil` never
  /// ends the contrast for that, as in the paper.
  public var agreementStop: Int?
  /// What the guarded lane is told in addition to the caller's own system prompt.
  public var emphasis: SafetyEmphasis
  /// Replaces the plain lane's system prompt; see ``ContrastPair``.
  public var plainSystem: String?

  /// Makes the strategy, the paper's without arguments; ``validate()`` checks the ranges.
  ///
  /// - Parameters:
  ///   - alpha: strength of the contrast.
  ///   - beta: plausibility mask, 0 … 1.
  ///   - steps: contrasted tokens, 1 or more; `nil` contrasts to the end.
  ///   - agreementStop: agreements in a row that end the contrast, 1 or more; `nil` for no such end.
  ///   - emphasis: the guarded lane's prompt.
  ///   - plainSystem: replaces the plain lane's system prompt.
  public init(
    alpha: Float = SelfContrastive.defaultAlpha, beta: Float = 0, steps: Int? = nil,
    agreementStop: Int? = nil, emphasis: SafetyEmphasis = .paper, plainSystem: String? = nil
  ) {
    self.alpha = alpha
    self.beta = beta
    self.steps = steps
    self.agreementStop = agreementStop
    self.emphasis = emphasis
    self.plainSystem = plainSystem
  }

  /// Makes it of the parameters that are given, with the paper's values for the others.
  public init(_ parameters: StrategyParameters) {
    self.init(
      alpha: parameters.alpha ?? Self.defaultAlpha, beta: parameters.beta ?? 0, steps: parameters.steps,
      agreementStop: parameters.integer(.agreementStop), emphasis: parameters.emphasis(or: .paper),
      plainSystem: parameters.plainSystem)
  }

  /// Every parameter as it is, so that ``init(_:)`` makes an equal strategy of them.
  public var parameters: StrategyParameters {
    var parameters = StrategyParameters(
      alpha: alpha, beta: beta, steps: steps, emphasis: emphasis, plainSystem: plainSystem)
    parameters[.agreementStop] = agreementStop.map(StrategyValue.integer)
    return parameters
  }

  /// - Throws: ``StrategyError/outOfRange(parameter:value:allowed:)`` for the first number outside its range.
  public func validate() throws(StrategyError) {
    try StrategyParameter.alpha.check(alpha)
    try StrategyParameter.beta.check(beta)
    if let steps { try StrategyParameter.steps.check(steps) }
    if let agreementStop { try StrategyParameter.agreementStop.check(agreementStop) }
  }

  /// A rule that computes equation 3 at each step and, behind ``steps`` tokens or ``agreementStop`` agreements in a row,
  /// reads one lane alone.
  public func makeRule() -> any DecodingRule {
    let rule = SelfContrastiveRule(alpha: alpha, beta: beta, steps: steps ?? .max)
    guard let agreementStop else { return rule }
    return AgreementStopRule(rule, after: agreementStop, rest: rule.rest)
  }
}

struct SelfContrastiveRule: DecodingRule {
  let alpha: Float
  let beta: Float
  let steps: Int

  /// The lane that goes on alone behind the contrast.
  var rest: LaneRole { alpha < 1 ? .guarded : .plain }

  mutating func combine(_ lanes: LaneLogits, step: Int, into scores: inout [Float]) {
    guard step < steps else {
      scores = lanes[rest]
      return
    }
    Contrast.scores(guarded: lanes[.guarded], plain: lanes[.plain], alpha: alpha, into: &scores)
    Plausibility.mask(&scores, reference: lanes[.plain], beta: beta)
  }

  mutating func greedy(_ lanes: LaneLogits, step: Int, scratch: inout [Float]) -> ScoredToken? {
    guard step < steps else { return Argmax.first(of: lanes[rest]) }
    guard beta > 0 else {
      return Contrast.argmax(guarded: lanes[.guarded], plain: lanes[.plain], alpha: alpha)
    }
    combine(lanes, step: step, into: &scratch)
    return Argmax.first(of: scratch)
  }

  func lanesNeeded(afterStep step: Int) -> Set<LaneRole> {
    step + 1 < steps ? [.guarded, .plain] : [rest]
  }
}
