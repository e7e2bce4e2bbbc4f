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
    traceCandidates: Int = 0, contrastStart: ContrastStart = .answer, summarizedSteps: Int = 0
  ) {
    self.sampling = sampling
    self.maximumTokens = maximumTokens
    self.stopStrings = stopStrings
    self.traceCandidates = traceCandidates
    self.contrastStart = contrastStart
    self.summarizedSteps = summarizedSteps
  }

  /// - Throws: ``StrategyError``.
  public func validate() throws(StrategyError) {
    try sampling.validate()
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
