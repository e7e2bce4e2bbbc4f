/// How one generation gets from the lanes' logits to a token. A value: a copy is a snapshot of all its state.
///
/// The links act in this order:
///
/// 1. the contrast rule (``DecodingRule``), which makes one row of the lanes;
/// 2. penalties (``Penalties``), which look at what was said before: repetition, then frequency and presence;
/// 3. a bias on tokens (``GenerationOptions/bias``);
/// 4. the exclusion of the end of the turn (``GenerationOptions/minimumTokens``, ``GenerationOptions/ignoresEnd``);
/// 5. processors of the program that embeds the library (``GenerationRequest/processors``), in the order given;
/// 6. the sampler (``TokenSampler``): temperature, then filters, then the draw.
///
/// A grammar and drafting, once there are any, belong between 4 and 6. Contrast comes first since it compares
/// lanes, which a penalty on each of them would distort: it would act on a token's score in one lane and not in the
/// other where their signs differ.
///
/// Scores, candidates and log-probabilities that are reported as *combined* are those behind the last processor and before
/// temperature and filters, so that the best of them is what greedy decoding takes. What is reported of a lane is that
/// lane's own, before the contrast.
public struct DecodingChain: Sendable {
  /// The first link.
  public private(set) var rule: any DecodingRule
  private var processors: [any LogitsProcessor]
  private var sampler: any TokenSampler

  /// Makes a chain of fresh links.
  ///
  /// - Parameters:
  ///   - rule: writes the row of scores.
  ///   - processors: in the order in which they act.
  ///   - sampler: draws from the row that they leave.
  ///   - prompt: what they are told of (``LogitsProcessor/begin(after:)``).
  public init(
    rule: any DecodingRule, processors: [any LogitsProcessor] = [], sampler: any TokenSampler,
    prompt: [TokenID]
  ) {
    self.rule = rule
    self.processors = processors
    self.sampler = sampler
    for index in self.processors.indices { self.processors[index].begin(after: prompt) }
  }

  /// Passes what follows the strategy's probes to the rule.
  public mutating func read(probes: [[Float]], beside lanes: LaneLogits) {
    rule.read(probes: probes, beside: lanes)
  }

  /// The next token and its score, or nil where every token is excluded.
  ///
  /// Greedy decoding without processors writes no row (``DecodingRule/greedy(_:step:scratch:)``).
  ///
  /// - Parameters:
  ///   - lanes: raw logits of the lanes that are still alive.
  ///   - step: 0 for the first generated token.
  ///   - scratch: room for the row; what it holds afterwards means nothing.
  public mutating func choose(
    from lanes: LaneLogits, step: Int, scratch: inout [Float]
  ) -> ScoredToken? {
    if processors.isEmpty, sampler.isGreedy { return rule.greedy(lanes, step: step, scratch: &scratch) }
    write(lanes, step: step, into: &scratch)
    return sampler.draw(from: scratch)
  }

  /// The row that a token of this step is drawn from, before temperature and filters. The chain stays as it is, so that
  /// looking cannot change the outcome.
  public func scores(of lanes: LaneLogits, step: Int) -> [Float] {
    var copy = self
    var row: [Float] = []
    copy.write(lanes, step: step, into: &row)
    return row
  }

  /// Told of each token after it was chosen and before it is decoded.
  public mutating func accept(_ token: TokenID) {
    rule.accept(token)
    for index in processors.indices { processors[index].accept(token) }
  }

  private mutating func write(_ lanes: LaneLogits, step: Int, into row: inout [Float]) {
    rule.combine(lanes, step: step, into: &row)
    for index in processors.indices { processors[index].process(&row, step: step) }
  }
}

extension DecodingChain {
  /// The chain that a request asks for.
  ///
  /// - Parameter ends: the tokens that end a turn; read only where ``GenerationOptions/excludesEnds``.
  init(_ request: GenerationRequest, ends: [TokenID] = []) {
    self.init(
      rule: request.rule, processors: request.options.processors(ends: ends) + request.processors,
      sampler: request.sampler ?? Sampler(request.options.sampling),
      prompt: request.prompts[.plain] ?? request.prompts[.guarded] ?? [])
  }
}
