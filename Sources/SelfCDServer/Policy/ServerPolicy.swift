import SelfCD

/// What the operator lets clients choose. Clients choose within it and cannot exceed it.
public struct ServerPolicy: Sendable {
  /// Used where a model has no calibrated profile and a request names no strategy.
  public var defaultStrategy: any DecodingStrategy
  /// The names of strategies that clients may ask for, besides the default and the profiles.
  public var strategies: Set<String>
  /// Bounds of α; `nil` allows 0 up to each strategy's own default.
  public var alphaRange: ClosedRange<Float>?
  /// Bounds of β and of the number of contrasted tokens; `nil` allows the strategy's own value only. Both can turn
  /// contrast into plain decoding (β = 1, one step), so that α alone bounds nothing.
  public var betaRange: ClosedRange<Float>?
  public var stepsRange: ClosedRange<Int>?
  /// Whether ``defaultStrategy`` goes before a model's profiles.
  public var overridesProfiles: Bool
  /// Guarded prompts that clients may name, the first one the default; empty leaves each strategy its own.
  public var guardedPrompts: [SafetyEmphasis]
  /// Whether clients may bring a guarded prompt of their own.
  public var allowsOwnGuardedPrompt: Bool
  /// Whether clients may ask for candidates of each lane.
  public var allowsExplanations: Bool
  /// Whether clients may ask for log-probabilities.
  public var allowsLogProbabilities: Bool
  /// Tokens of a reply where a request names no limit, and the most it can ask for.
  public var defaultMaximumTokens: Int
  public var maximumTokens: Int
  /// Most choices (`n`) of one request.
  public var maximumChoices: Int
  /// Used where a request names no temperature. 0, greedy, is what profiles are calibrated with.
  public var defaultTemperature: Float

  public init(
    defaultStrategy: any DecodingStrategy = Guarded(), strategies: Set<String> = [],
    alphaRange: ClosedRange<Float>? = nil, betaRange: ClosedRange<Float>? = nil,
    stepsRange: ClosedRange<Int>? = nil, overridesProfiles: Bool = false,
    guardedPrompts: [SafetyEmphasis] = [],
    allowsOwnGuardedPrompt: Bool = false, allowsExplanations: Bool = true,
    allowsLogProbabilities: Bool = true,
    defaultMaximumTokens: Int = 512, maximumTokens: Int = 4096, maximumChoices: Int = 8,
    defaultTemperature: Float = 0
  ) {
    self.defaultStrategy = defaultStrategy
    self.strategies = strategies
    self.alphaRange = alphaRange
    self.betaRange = betaRange
    self.stepsRange = stepsRange
    self.overridesProfiles = overridesProfiles
    self.guardedPrompts = guardedPrompts
    self.allowsOwnGuardedPrompt = allowsOwnGuardedPrompt
    self.allowsExplanations = allowsExplanations
    self.allowsLogProbabilities = allowsLogProbabilities
    self.defaultMaximumTokens = defaultMaximumTokens
    self.maximumTokens = maximumTokens
    self.maximumChoices = maximumChoices
    self.defaultTemperature = defaultTemperature
  }

  /// The strategies a server can be told to offer.
  public static var knownStrategies: [String] { StrategyFactory.names }

  /// A strategy by name, for the operator's default.
  ///
  /// - Throws: ``StrategyError``.
  public static func strategy(
    named name: String, alpha: Float? = nil, beta: Float? = nil, steps: Int? = nil,
    emphasis: SafetyEmphasis? = nil
  ) throws(StrategyError) -> any DecodingStrategy {
    guard
      let made = StrategyFactory.make(name, alpha: alpha, beta: beta, steps: steps, emphasis: emphasis)
    else { throw .unknown(name: name, known: StrategyFactory.names) }
    try made.validate()
    return made
  }

  /// Every strategy a client may name: the operator's, the default, and `guarded`, which is always safe to
  /// ask for.
  var offered: [String] {
    StrategyFactory.names.filter {
      strategies.contains($0) || $0 == defaultStrategy.name || $0 == Guarded.name
    }
  }

  /// The α a client may ask for.
  func alphaRange(of strategy: String) -> ClosedRange<Float>? {
    guard let usual = StrategyFactory.defaultAlpha(of: strategy) else { return nil }
    var range = alphaRange ?? 0...max(usual, 0)
    // What the operator decodes with by default is allowed in any case.
    if strategy == defaultStrategy.name, let alpha = StrategyFactory.alpha(of: defaultStrategy) {
      range =
        alphaRange.map { min($0.lowerBound, alpha)...max($0.upperBound, alpha) } ?? min(
          0, alpha)...max(0, alpha)
    }
    return range
  }
}
