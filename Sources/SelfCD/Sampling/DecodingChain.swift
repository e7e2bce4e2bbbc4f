/// How one generation gets from the lanes' logits to a token. A value: a copy is a snapshot of all its state.
///
/// The links act in this order:
///
/// 1. the contrast rule (``DecodingRule``), which makes one row of the lanes;
/// 2. penalties (``Penalties``), which look at what was said before: repetition, then frequency and presence;
/// 3. a bias on tokens (``GenerationOptions/bias``);
/// 4. the exclusion of the end of the turn (``GenerationOptions/minimumTokens``, ``GenerationOptions/ignoresEnd``);
/// 5. processors of the program that embeds the library (``GenerationRequest/processors``), in the order given;
/// 6. a constraint such as a grammar (``TokenConstraint``), which excludes what the reply may not go on with;
/// 7. the sampler (``TokenSampler``): temperature, then filters, then the draw.
///
/// Where the rule leaves no token that the constraint allows, the guarded lane decides alone between those that are.
/// The constraint is asked about one token, the one that was drawn without it, and acts on the whole row only where it
/// denies that one, which is then drawn again. Without filters the distribution is the same as if it had acted first: a
/// token comes with p + (1 − Z) p / Z = p / Z, where Z is the share of what is allowed. Filters look at the row before
/// the constraint at the first draw, and at what it left at the second, as in llama.cpp. Contrast comes first since it compares
/// lanes, which a penalty on each of them would distort: it would act on a token's score in one lane and not in the
/// other where their signs differ.
///
/// Scores, candidates and log-probabilities that are reported as *combined* are those behind the constraint and before
/// temperature and filters, so that the best of them is what greedy decoding takes. What is reported of a lane is that
/// lane's own, before the contrast.
public struct DecodingChain: Sendable {
  /// The first link.
  public private(set) var rule: any DecodingRule
  private var processors: [any LogitsProcessor]
  private var constraint: (any TokenConstraint)?
  private var sampler: any TokenSampler

  /// Makes a chain of fresh links.
  ///
  /// - Parameters:
  ///   - rule: writes the row of scores.
  ///   - processors: in the order in which they act.
  ///   - constraint: what the reply has to keep to; nil for nothing.
  ///   - sampler: draws from the row that they leave.
  ///   - prompt: what they are told of (``LogitsProcessor/begin(after:)``).
  public init(
    rule: any DecodingRule, processors: [any LogitsProcessor] = [], constraint: (any TokenConstraint)? = nil,
    sampler: any TokenSampler, prompt: [TokenID]
  ) {
    self.rule = rule
    self.processors = processors
    self.constraint = constraint
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
    if processors.isEmpty, constraint == nil, sampler.isGreedy {
      return rule.greedy(lanes, step: step, scratch: &scratch)
    }
    write(lanes, step: step, into: &scratch)
    let drawn = sampler.draw(from: scratch)
    guard let constraint, let drawn, !constraint.allows(drawn.token) else { return drawn }
    constrain(&scratch, lanes, by: constraint)
    return sampler.draw(from: scratch)
  }

  /// The row that a token of this step is drawn from, before temperature and filters. The chain stays as it is, so that
  /// looking cannot change the outcome.
  public func scores(of lanes: LaneLogits, step: Int) -> [Float] {
    var copy = self
    var row: [Float] = []
    copy.write(lanes, step: step, into: &row)
    if let constraint { constrain(&row, lanes, by: constraint) }
    return row
  }

  /// Masks a row. Where the rule excluded every token that is allowed, as a plausibility mask can, the guarded lane
  /// decides alone between them, or the only lane there is.
  private func constrain(_ row: inout [Float], _ lanes: LaneLogits, by constraint: any TokenConstraint) {
    constraint.mask(&row)
    guard !row.contains(where: { $0 > -.infinity }) else { return }
    row = lanes[lanes.contains(.guarded) ? .guarded : .plain]
    constraint.mask(&row)
  }

  /// Told of each token after it was chosen and before it is decoded.
  public mutating func accept(_ token: TokenID) {
    rule.accept(token)
    for index in processors.indices { processors[index].accept(token) }
    constraint?.accept(token)
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
      constraint: request.constraint, sampler: request.sampler ?? Sampler(request.options.sampling),
      prompt: request.prompts[.plain] ?? request.prompts[.guarded] ?? [])
  }
}
