import Foundation

/// AdaCD (arXiv 2604.17132, ACL 2026): contrast for the first k tokens only, in a direction that depends on how
/// far an extreme "refuse" prompt agrees with the plain one; then plain decoding on one lane.
///
/// With r = 0-based rank of the guarded top token in the plain logits and agreement = 1/(r+1): where
/// agreement ≥ λ and max p_plain ≥ λ · max p_guarded, `z = z_g + α (z_g − z_p)` (refusal strengthened), elsewhere
/// `z = z_g − α (z_g − z_p)` (complied). Tokens with p_plain < β · max p_plain are excluded.
public struct AdaCD: ContrastiveStrategy {
  /// `ada-cd`: what the command line, requests and results call this strategy.
  public static let name = "ada-cd"
  /// Strength of the contrast where none is given, that of arXiv 2604.17132.
  public static let defaultAlpha: Float = 4.5
  /// All numbers of the method, the guarded prompt and the plain lane's system prompt.
  public static let takes: [StrategyParameter] = [
    .alpha, .beta, .steps, .agreement, .emphasis, .emphasisPosition, .plainSystem,
  ]

  /// Strength of the contrast, finite, within ±``SelfContrastive/alphaLimit``; its sign is chosen at each step by the
  /// gates.
  public var alpha: Float
  /// Threshold λ of both gates, in 0 … 1.
  public var agreement: Float
  /// Plausibility mask: tokens with `p_plain < β · max p_plain` are excluded. In 0 … 1; 0 excludes nothing.
  public var beta: Float
  /// k, the number of contrasted tokens.
  public var steps: Int
  /// What the guarded lane is told; the method needs an extreme text, under which the model refuses all it can.
  public var emphasis: SafetyEmphasis
  /// Replaces the plain lane's system prompt; see ``ContrastPair``.
  public var plainSystem: String?

  /// Makes the strategy; ``validate()`` checks the ranges.
  ///
  /// - Parameters:
  ///   - alpha: strength of the contrast.
  ///   - agreement: λ, the threshold of both gates, 0 … 1.
  ///   - beta: plausibility mask, 0 … 1.
  ///   - steps: k, contrasted tokens, 1 or more.
  ///   - emphasis: the guarded lane's prompt.
  ///   - plainSystem: replaces the plain lane's system prompt.
  public init(
    alpha: Float = AdaCD.defaultAlpha, agreement: Float = 0.9, beta: Float = 0.01, steps: Int = 10,
    emphasis: SafetyEmphasis = .refuse, plainSystem: String? = nil
  ) {
    self.alpha = alpha
    self.agreement = agreement
    self.beta = beta
    self.steps = steps
    self.emphasis = emphasis
    self.plainSystem = plainSystem
  }

  /// Makes it of the parameters that are given, with ``defaultAlpha`` and the initialiser's defaults for the others.
  public init(_ parameters: StrategyParameters) {
    self.init(emphasis: parameters.emphasis(or: .refuse), plainSystem: parameters.plainSystem)
    if let given = parameters.alpha { alpha = given }
    if let given = parameters.float(.agreement) { agreement = given }
    if let given = parameters.beta { beta = given }
    if let given = parameters.steps { steps = given }
  }

  /// Every parameter as it is, so that ``init(_:)`` makes an equal strategy of them.
  public var parameters: StrategyParameters {
    var parameters = StrategyParameters(
      alpha: alpha, beta: beta, steps: steps, emphasis: emphasis, plainSystem: plainSystem)
    parameters[.agreement] = .number(agreement)
    return parameters
  }

  /// - Throws: ``StrategyError/outOfRange(parameter:value:allowed:)`` for the first number outside its range.
  public func validate() throws(StrategyError) {
    try StrategyParameter.alpha.check(alpha)
    try StrategyParameter.beta.check(beta)
    try StrategyParameter.steps.check(steps)
    try StrategyParameter.agreement.check(agreement)
  }

  /// A rule that contrasts k tokens and then reads the plain lane alone.
  public func makeRule() -> any DecodingRule {
    AdaCDRule(alpha: alpha, agreement: agreement, beta: beta, steps: steps)
  }
}

extension StrategyParameter {
  /// How far lanes must agree for a refusal: ``AdaCD/agreement``, ``ProbedContrast/agreement``.
  public static let agreement = StrategyParameter(
    "agreement", .number(0...1),
    help: "How far lanes must agree for a refusal, 0 to 1: ada-cd's lambda (0.9), probe-cd's tau (0.85).")
}

struct AdaCDRule: DecodingRule {
  let alpha: Float
  let agreement: Float
  let beta: Float
  let steps: Int

  mutating func combine(_ lanes: LaneLogits, step: Int, into scores: inout [Float]) {
    let plain = lanes[.plain]
    guard step < steps else {
      scores = plain
      return
    }
    let guarded = lanes[.guarded]
    // z_g + α(z_g − z_p) is the same formula with −α.
    let signed = strengthensRefusal(guarded: guarded, plain: plain) ? -alpha : alpha
    Contrast.scores(guarded: guarded, plain: plain, alpha: signed, into: &scores)
    Plausibility.mask(&scores, reference: plain, beta: beta)
  }

  private func strengthensRefusal(guarded: [Float], plain: [Float]) -> Bool {
    guard let top = Argmax.first(of: guarded) else { return false }
    let reference = plain[Int(top.token)]
    let rank = plain.reduce(0) { $1 > reference ? $0 + 1 : $0 }
    return 1 / Float(rank + 1) >= agreement
      && Softmax.maximumProbability(plain) >= agreement * Softmax.maximumProbability(guarded)
  }

  func lanesNeeded(afterStep step: Int) -> Set<LaneRole> {
    step + 1 < steps ? [.guarded, .plain] : [.plain]
  }
}
