/// Everything one generation needs: prompts as tokens, a rule, and when to stop.
public struct GenerationRequest: Sendable {
  /// One prompt per lane, each role once, none empty.
  public var prompts: [LaneRole: [TokenID]]
  /// Prompts that are only read before the first token (``DecodingRule/read(probes:beside:)``), none empty.
  public var probes: [[TokenID]]
  /// Combines the lanes' logits and says which lanes go on; fresh, not one that another generation has used.
  public var rule: any DecodingRule
  /// How long to generate, how to draw and what to record.
  public var options: GenerationOptions
  /// A program's own links of the chain (``DecodingChain``), behind the penalties of the options, in this order. Fresh
  /// values: each generation works on copies of them, so that they need no factory. They are not stored.
  public var processors: [any LogitsProcessor] = []
  /// What the reply has to keep to, such as a grammar; nil for nothing. Fresh, and not stored.
  public var constraint: (any TokenConstraint)?
  /// Draws in place of what ``GenerationOptions/sampling`` says; nil for that. Fresh, and not stored, either.
  public var sampler: (any TokenSampler)?
  /// How the model marks its reasoning, which is then reported apart from the answer.
  public var reasoning: ReasoningMarkers?
  /// Called once, on the engine's thread, when the engine has given the generation's lanes back and before its last
  /// event: however it ended, whether or not its events are read. It holds up every other generation, so it has to be
  /// quick.
  public var onEnd: (@Sendable () -> Void)?

  /// Describes a generation; the engine checks it when it is submitted.
  ///
  /// - Parameters:
  ///   - prompts: one prompt per lane.
  ///   - probes: prompts that the rule reads before the first token.
  ///   - rule: a fresh rule of the strategy.
  ///   - options: length, sampling, recording.
  ///   - reasoning: how the model marks its reasoning; `nil` takes all text for the answer.
  public init(
    prompts: [LaneRole: [TokenID]], probes: [[TokenID]] = [], rule: any DecodingRule,
    options: GenerationOptions = .init(), reasoning: ReasoningMarkers? = nil
  ) {
    self.prompts = prompts
    self.probes = probes
    self.rule = rule
    self.options = options
    self.reasoning = reasoning
  }

  /// Lanes that have to be free for it to start: one for each prompt, and one to read probes on.
  public var lanesToStart: Int { prompts.count + (probes.isEmpty ? 0 : 1) }
}

/// How long to generate, how to draw, what to record.
public struct GenerationOptions: Codable, Sendable, Hashable {
  /// How each token is drawn from the combined scores; greedy by default.
  public var sampling: SamplingParameters
  /// Penalties on tokens that occurred before. In JSON absent where there are none.
  public var penalties: Penalties
  /// Added to the scores of single tokens, within ±100 (``TokenBias``). In JSON absent where there is none.
  public var bias: [TokenID: Float] = [:]
  /// The model's turn cannot end before this many tokens; stop strings and ``maximumTokens`` still end the reply. In JSON
  /// absent where it is 0.
  public var minimumTokens = 0
  /// The model's turn cannot end at all: the reply goes on to ``maximumTokens`` or a stop string. In JSON absent where it
  /// is false.
  public var ignoresEnd = false
  /// The paper generates 200 tokens.
  public var maximumTokens: Int
  /// Generation ends before the first of these that appears in the text; they are not part of the text.
  public var stopStrings: [String]
  /// Record this many candidates of every lane and of the combined distribution at each step; 0 records none.
  public var traceCandidates: Int
  /// On reasoning models, where contrast begins.
  public var contrastStart: ContrastStart
  /// Summarise the lanes at this many of the first steps (``LaneSummary``); 0 summarises none.
  public var summarizedSteps: Int

  /// Makes options of what is named and defaults, those of the paper where it gives one: greedy, 200 tokens.
  public init(
    sampling: SamplingParameters = .greedy, maximumTokens: Int = 200, stopStrings: [String] = [],
    traceCandidates: Int = 0, contrastStart: ContrastStart = .answer, summarizedSteps: Int = 0,
    penalties: Penalties = .none
  ) {
    self.sampling = sampling
    self.penalties = penalties
    self.maximumTokens = maximumTokens
    self.stopStrings = stopStrings
    self.traceCandidates = traceCandidates
    self.contrastStart = contrastStart
    self.summarizedSteps = summarizedSteps
  }

  /// - Throws: ``StrategyError``.
  public func validate() throws(StrategyError) {
    try sampling.validate()
    try penalties.validate()
    try TokenBias.check(bias)
    guard minimumTokens >= 0 else {
      throw .outOfRange(parameter: "min-tokens", value: "\(minimumTokens)", allowed: "0 or more")
    }
    guard maximumTokens >= 1 else {
      throw .outOfRange(parameter: "max-tokens", value: "\(maximumTokens)", allowed: "1 or more")
    }
    guard !stopStrings.contains("") else {
      throw .outOfRange(parameter: "stop", value: "an empty text", allowed: "a text of one character or more")
    }
    guard summarizedSteps >= 0 else {
      throw .outOfRange(parameter: "recorded steps", value: "\(summarizedSteps)", allowed: "0 or more")
    }
    guard (0...100).contains(traceCandidates) else {
      throw .outOfRange(parameter: "candidates", value: "\(traceCandidates)", allowed: "0 to 100")
    }
  }
}

extension GenerationOptions {
  private enum CodingKeys: String, CodingKey {
    case sampling, penalties, bias, minimumTokens, ignoresEnd, maximumTokens, stopStrings, traceCandidates
    case contrastStart, summarizedSteps
  }

  /// Reads options; those stored before there were penalties, or a bias, have none.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      sampling: try container.decode(SamplingParameters.self, forKey: .sampling),
      maximumTokens: try container.decode(Int.self, forKey: .maximumTokens),
      stopStrings: try container.decode([String].self, forKey: .stopStrings),
      traceCandidates: try container.decode(Int.self, forKey: .traceCandidates),
      contrastStart: try container.decode(ContrastStart.self, forKey: .contrastStart),
      summarizedSteps: try container.decode(Int.self, forKey: .summarizedSteps),
      penalties: try container.decodeIfPresent(Penalties.self, forKey: .penalties) ?? .none)
    let bias = try container.decodeIfPresent([String: Float].self, forKey: .bias) ?? [:]
    for (name, number) in bias {
      guard let token = TokenID(name) else {
        throw DecodingError.dataCorruptedError(
          forKey: .bias, in: container, debugDescription: "'\(name)' is no token's number.")
      }
      self.bias[token] = number
    }
    minimumTokens = try container.decodeIfPresent(Int.self, forKey: .minimumTokens) ?? 0
    ignoresEnd = try container.decodeIfPresent(Bool.self, forKey: .ignoresEnd) ?? false
  }

  /// Writes options. Without penalties and the like they read as they did before there were any, so that stored runs stay
  /// comparable.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(sampling, forKey: .sampling)
    if !penalties.isNeutral { try container.encode(penalties, forKey: .penalties) }
    if !bias.isEmpty {
      // Dictionaries with other keys than texts become lists, in no order.
      let named = bias.map { (String($0.key), $0.value) }
      try container.encode(Dictionary(uniqueKeysWithValues: named), forKey: .bias)
    }
    if minimumTokens != 0 { try container.encode(minimumTokens, forKey: .minimumTokens) }
    if ignoresEnd { try container.encode(ignoresEnd, forKey: .ignoresEnd) }
    try container.encode(maximumTokens, forKey: .maximumTokens)
    try container.encode(stopStrings, forKey: .stopStrings)
    try container.encode(traceCandidates, forKey: .traceCandidates)
    try container.encode(contrastStart, forKey: .contrastStart)
    try container.encode(summarizedSteps, forKey: .summarizedSteps)
  }
}

// MARK: - Between the rule and the sampler

extension GenerationOptions {
  /// Whether the tokens that end a turn have to be known.
  var excludesEnds: Bool { ignoresEnd || minimumTokens > 0 }

  /// What carries out the settings that change a row of scores, in order; none where they change nothing, so that greedy
  /// decoding keeps its fast path.
  func processors(ends: [TokenID]) -> [any LogitsProcessor] {
    var processors = penalties.processors
    if !bias.isEmpty { processors.append(TokenBias(unchecked: bias)) }
    if excludesEnds {
      processors.append(EndExclusion(ends: ends, steps: ignoresEnd ? .max : minimumTokens))
    }
    return processors
  }
}
