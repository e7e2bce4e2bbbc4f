import Foundation

/// AdaCD (arXiv 2604.17132, ACL 2026): contrast for the first k tokens only, in a direction that depends on how
/// far an extreme "refuse" prompt agrees with the plain one; then plain decoding on one lane.
///
/// With r = 0-based rank of the guarded top token in the plain logits and agreement = 1/(r+1): where
/// agreement ≥ λ and max p_plain ≥ λ · max p_guarded, `z = z_g + α (z_g − z_p)` (refusal strengthened), elsewhere
/// `z = z_g − α (z_g − z_p)` (complied). Tokens with p_plain < β · max p_plain are excluded.
public struct AdaCD: ContrastiveStrategy {
  public static let name = "ada-cd"
  public static let defaultAlpha: Float = 4.5
  public static let takes: [StrategyParameter] = [
    .alpha, .beta, .steps, .agreement, .emphasis, .plainSystem,
  ]

  public var alpha: Float
  /// Threshold λ of both gates, in 0 … 1.
  public var agreement: Float
  public var beta: Float
  /// k, the number of contrasted tokens.
  public var steps: Int
  public var emphasis: SafetyEmphasis
  public var plainSystem: String?

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

  public init(_ parameters: StrategyParameters) {
    self.init(emphasis: parameters.emphasis ?? .refuse, plainSystem: parameters.plainSystem)
    if let given = parameters.alpha { alpha = given }
    if let given = parameters.float(.agreement) { agreement = given }
    if let given = parameters.beta { beta = given }
    if let given = parameters.steps { steps = given }
  }

  public var parameters: StrategyParameters {
    var parameters = StrategyParameters(
      alpha: alpha, beta: beta, steps: steps, emphasis: emphasis, plainSystem: plainSystem)
    parameters[.agreement] = .number(agreement)
    return parameters
  }

  public func validate() throws(StrategyError) {
    try StrategyParameter.alpha.check(alpha)
    try StrategyParameter.beta.check(beta)
    try StrategyParameter.steps.check(steps)
    try StrategyParameter.agreement.check(agreement)
  }

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
