/// Contrast behind a gate: a request is refused if the plain model clearly does so, or if it is in doubt and clearly
/// refuses a shortened copy; every other request is contrasted.
///
/// The guarded lane has an extreme "refuse" prompt, as in ``AdaCD``: its first token shows how this model refuses.
/// With o(q) = Σ min(p_plain(· | q), p_guarded(· | x)) (``Overlap``) at the first position, and q over the question x
/// and its copies (`QuestionProbes`):
///
/// - o(x) ≥ τ, or o(x) ≥ δ and o(q) ≥ τ for a copy q: the guarded lane alone answers, that is, refuses;
/// - otherwise `z = z_g − α (z_g − z_p)` for k tokens, with a plausibility mask β, then the plain lane alone.
///
/// The decision is made once, so that no later token can turn a refusal into an answer. See docs/method.md.
public struct ProbedContrast: ContrastiveStrategy {
  /// `probe-cd`: what the command line, requests and results call this strategy.
  public static let name = "probe-cd"
  /// Strength of the contrast, for requests that pass the gate, where none is given.
  public static let defaultAlpha: Float = 2
  /// What ``AdaCD`` takes, and what the gate needs: the threshold for doubt, the number of copies and what they begin
  /// with.
  public static let takes = AdaCD.takes + [.doubt, .probes, .opening]
  /// More copies cost more prompts and were never better.
  public static let probeLimit = 32

  /// Strength of the contrast where the request is answered.
  public var alpha: Float
  /// Overlap τ from which on a question or a copy counts as refused, in 0 … 1. 0 refuses everything.
  public var agreement: Float
  /// Overlap δ of the question itself from which on its copies count, in 0 … 1: without it a harmless question about
  /// a harmful thing ("report a stolen gun") is refused for the copy that has lost its verb.
  public var doubt: Float
  /// Plausibility mask: tokens with `p_plain < β · max p_plain` are excluded. In 0 … 1; 0 excludes nothing.
  public var beta: Float
  /// k, the number of contrasted tokens.
  public var steps: Int
  /// How many shortened copies at most, 0 … ``probeLimit``; 0 leaves the decision to the question itself.
  public var probes: Int
  /// What a shortened copy begins with, in the language of the questions.
  public var opening: String
  /// What the guarded lane is told; an extreme text, so that its first token shows how this model refuses.
  public var emphasis: SafetyEmphasis
  /// Replaces the plain lane's system prompt, also in the copies; see ``ContrastPair``.
  public var plainSystem: String?

  /// Makes the strategy; ``validate()`` checks the ranges.
  ///
  /// - Parameters:
  ///   - alpha: strength of the contrast.
  ///   - agreement: τ, overlap that counts as a refusal, 0 … 1.
  ///   - doubt: δ, overlap from which on copies count, 0 … 1.
  ///   - beta: plausibility mask, 0 … 1.
  ///   - steps: k, contrasted tokens, 1 or more.
  ///   - probes: shortened copies at most.
  ///   - opening: what a copy begins with.
  ///   - emphasis: the guarded lane's prompt.
  ///   - plainSystem: replaces the plain lane's system prompt.
  public init(
    alpha: Float = ProbedContrast.defaultAlpha, agreement: Float = 0.85, doubt: Float = 0.3,
    beta: Float = 0.01,
    steps: Int = 3, probes: Int = 6, opening: String = "Help me ", emphasis: SafetyEmphasis = .refuse,
    plainSystem: String? = nil
  ) {
    self.alpha = alpha
    self.agreement = agreement
    self.doubt = doubt
    self.beta = beta
    self.steps = steps
    self.probes = probes
    self.opening = opening
    self.emphasis = emphasis
    self.plainSystem = plainSystem
  }

  /// Makes it of the parameters that are given, with ``defaultAlpha`` and the initialiser's defaults for the others.
  public init(_ parameters: StrategyParameters) {
    self.init(emphasis: parameters.emphasis(or: .refuse), plainSystem: parameters.plainSystem)
    if let given = parameters.alpha { alpha = given }
    if let given = parameters.float(.agreement) { agreement = given }
    if let given = parameters.float(.doubt) { doubt = given }
    if let given = parameters.beta { beta = given }
    if let given = parameters.steps { steps = given }
    if let given = parameters.integer(.probes) { probes = given }
    if let given = parameters.text(.opening) { opening = given }
  }

  /// Every parameter as it is, so that ``init(_:)`` makes an equal strategy of them.
  public var parameters: StrategyParameters {
    var parameters = StrategyParameters(
      alpha: alpha, beta: beta, steps: steps, emphasis: emphasis, plainSystem: plainSystem)
    parameters[.agreement] = .number(agreement)
    parameters[.doubt] = .number(doubt)
    parameters[.probes] = .integer(probes)
    parameters[.opening] = .text(opening)
    return parameters
  }

  /// - Throws: ``StrategyError/outOfRange(parameter:value:allowed:)`` for the first number outside its range.
  public func validate() throws(StrategyError) {
    try StrategyParameter.alpha.check(alpha)
    try StrategyParameter.beta.check(beta)
    try StrategyParameter.steps.check(steps)
    try StrategyParameter.agreement.check(agreement)
    try StrategyParameter.doubt.check(doubt)
    try StrategyParameter.probes.check(probes)
  }

  /// Shortened copies of the last question, each in the plain lane's chat; ``probes`` at most, fewer of a short one,
  /// and none of a question of fewer than 3 words or more than 64.
  public func probes(for chat: Chat) -> [Chat] {
    let pair = ContrastPair(chat: chat, emphasis: emphasis, plainSystem: plainSystem)
    return QuestionProbes(count: probes, opening: opening).copies(of: pair.plain)
  }

  /// A rule that decides at the first token whether to refuse, and contrasts k tokens where it does not.
  public func makeRule() -> any DecodingRule {
    ProbedContrastRule(
      contrast: SelfContrastiveRule(alpha: alpha, beta: beta, steps: steps), agreement: Double(agreement),
      doubt: Double(doubt))
  }

  /// Whether copies of the question are read: they are, unless ``probes`` is 0.
  public var readsProbes: Bool { probes > 0 }
}

extension StrategyParameter {
  /// From which agreement on a question's copies count: ``ProbedContrast/doubt``.
  public static let doubt = StrategyParameter(
    "doubt", .number(0...1),
    help: "How far the question itself must agree before probe-cd heeds its copies, 0 to 1 (0.3).")
  /// How many copies of the question are read at most: ``ProbedContrast/probes``.
  public static let probes = StrategyParameter(
    "probes", .integer(0...ProbedContrast.probeLimit),
    help: "Shortened copies of the question that probe-cd reads, at most.")
  /// What those copies begin with: ``ProbedContrast/opening``.
  public static let opening = StrategyParameter(
    "opening", .text, help: "What those copies begin with, in the questions' language ('Help me ').")
}

struct ProbedContrastRule: DecodingRule {
  var contrast: SelfContrastiveRule
  let agreement: Double
  let doubt: Double
  /// What the question and its copies said; `nil` until they were read.
  private var verdict: Bool?
  private var refuses = false

  init(contrast: SelfContrastiveRule, agreement: Double, doubt: Double) {
    self.contrast = contrast
    self.agreement = agreement
    self.doubt = doubt
  }

  mutating func read(probes: [[Float]], beside lanes: LaneLogits) {
    verdict = refuses(lanes, probes: probes)
  }

  mutating func combine(_ lanes: LaneLogits, step: Int, into scores: inout [Float]) {
    decide(lanes, step: step)
    if refuses { scores = lanes[.guarded] } else { contrast.combine(lanes, step: step, into: &scores) }
  }

  mutating func greedy(_ lanes: LaneLogits, step: Int, scratch: inout [Float]) -> ScoredToken? {
    decide(lanes, step: step)
    return refuses
      ? Argmax.first(of: lanes[.guarded]) : contrast.greedy(lanes, step: step, scratch: &scratch)
  }

  func lanesNeeded(afterStep step: Int) -> Set<LaneRole> {
    refuses ? [.guarded] : contrast.lanesNeeded(afterStep: step)
  }

  /// Copies are not read where a model reasons before it answers; then the question alone decides, at the first
  /// position of the answer, which may be asked for more than once.
  private mutating func decide(_ lanes: LaneLogits, step: Int) {
    if step == 0 { refuses = verdict ?? refuses(lanes, probes: []) }
  }

  private func refuses(_ lanes: LaneLogits, probes: [[Float]]) -> Bool {
    let own = Overlap.of(lanes[.plain], lanes[.guarded])
    if own >= agreement { return true }
    return own >= doubt && probes.contains { Overlap.of($0, lanes[.guarded]) >= agreement }
  }
}
