import SelfCD

/// What the operator lets clients choose. Clients choose within it and cannot exceed it.
public struct ServerPolicy: Sendable {
  /// Used where a model has no profile and a request names no strategy.
  public var defaultStrategy: any DecodingStrategy
  /// The names of strategies that clients may ask for, besides the default and the profiles.
  public var strategies: Set<String>
  /// Bounds of the numbers clients may ask for. Without one α may go from 0 up to what is usual, and everything else
  /// stays as it is: β = 1 or one step turn contrast into plain decoding, so that α alone bounds nothing.
  public var ranges: [StrategyParameter: ClosedRange<Double>]
  /// Whether ``defaultStrategy`` goes before a model's profiles.
  public var overridesProfiles: Bool
  /// Guarded prompts that clients may name, the first one the default; empty leaves each strategy its own.
  public var guardedPrompts: [SafetyEmphasis]
  /// Where guarded prompts stand, the clients' own included; nil leaves that to each strategy. Clients cannot choose it,
  /// since a prompt is calibrated, or was at least tried, in one place.
  public var emphasisPosition: EmphasisPosition?
  /// Whether clients may bring a guarded prompt of their own.
  public var allowsOwnGuardedPrompt: Bool
  /// Whether clients may ask for candidates of each lane.
  public var allowsExplanations: Bool
  /// Whether clients may ask for log-probabilities.
  public var allowsLogProbabilities: Bool
  /// Whether clients may add to the scores of tokens (`logit_bias`), which can put any text before what the strategy and
  /// its prompts ask for.
  public var allowsLogitBias = false
  /// Whether clients may bring JSON schemas and grammars, which can put words into the model's mouth, as a beginning of
  /// its reply can, and leave it no way to refuse. A JSON object without a schema may always be asked for.
  public var allowsGrammar = false
  /// Whether clients may begin the model's reply for it: a chat that ends with a message of the assistant's.
  public var allowsPrefill = false
  /// Whether clients may ask for guidance, with negative prompts of their own. Not where a model decodes by a profile.
  public var allowsNegativePrompt = false
  /// Tokens of a reply where a request names no limit, and the most it can ask for.
  public var defaultMaximumTokens: Int
  /// The most tokens that a reply can have, whatever a request asks for.
  public var maximumTokens: Int
  /// Most choices (`n`) of one request.
  public var maximumChoices: Int
  /// Used where a request names no temperature. 0, greedy, is what profiles are calibrated with.
  public var defaultTemperature: Float
  /// Whether an unknown field, and a reply's limit that does not fit, is an error. Elsewhere such a field is left aside
  /// and named in the response, and the limit is cut to what fits.
  public var isStrict: Bool

  /// - Parameter defaultStrategy: `nil` decodes as the deployment does without this server: guarded by the first of
  ///   `guardedPrompts`, plain where there is none.
  public init(
    defaultStrategy: (any DecodingStrategy)? = nil, strategies: Set<String> = [],
    ranges: [StrategyParameter: ClosedRange<Double>] = [:], overridesProfiles: Bool = false,
    guardedPrompts: [SafetyEmphasis] = [], emphasisPosition: EmphasisPosition? = nil,
    allowsOwnGuardedPrompt: Bool = false, allowsExplanations: Bool = true,
    allowsLogProbabilities: Bool = true,
    defaultMaximumTokens: Int = 512, maximumTokens: Int = 4096, maximumChoices: Int = 8,
    defaultTemperature: Float = 0, isStrict: Bool = false
  ) {
    let guardedPrompts = guardedPrompts.map { emphasisPosition.map($0.placed) ?? $0 }
    self.defaultStrategy =
      defaultStrategy ?? StrategyCatalogue.uncalibrated(emphasis: guardedPrompts.first)
    self.strategies = strategies
    self.ranges = ranges
    self.overridesProfiles = overridesProfiles
    self.guardedPrompts = guardedPrompts
    self.emphasisPosition = emphasisPosition
    self.allowsOwnGuardedPrompt = allowsOwnGuardedPrompt
    self.allowsExplanations = allowsExplanations
    self.allowsLogProbabilities = allowsLogProbabilities
    self.defaultMaximumTokens = defaultMaximumTokens
    self.maximumTokens = maximumTokens
    self.maximumChoices = maximumChoices
    self.defaultTemperature = defaultTemperature
    self.isStrict = isStrict
  }

  /// The strategies a server can be told to offer: those that need nothing but a chat.
  public static var knownStrategies: [String] {
    StrategyCatalogue.all.filter { !$0.takes.contains(.examples) && !$0.takes.contains(.negativePrompt) }
      .map { $0.name }
  }

  /// Every strategy that clients of a model may name: the operator's, what the model decodes by without wishes, and
  /// `guarded`, which is always safe to ask for. A profile takes the place of the default strategy, which would undo it.
  func offered(profiles: [ServedProfile]) -> [String] {
    // A strategy without α is all of its profile; one with α could be moved away from what was calibrated.
    let own = overridesProfiles ? nil : profiles.first.map(\.strategy)
    let usual = own == nil ? defaultStrategy.name : own?.isContrastive == false ? own?.name : nil
    return Self.knownStrategies.filter {
      strategies.contains($0) || $0 == usual || $0 == Guarded.name
    }
  }
}
