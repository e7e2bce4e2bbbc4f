/// One generation while it runs: its lanes, its chain's state, and where its events go.
struct LiveGeneration {
  typealias Continuation = AsyncThrowingStream<GenerationEvent, any Error>.Continuation

  let id: Int
  let request: GenerationRequest
  let continuation: Continuation
  let submitted: ContinuousClock.Instant
  var lanes: [LaneRole: LaneID] = [:]
  /// Chosen, to be decoded at the next step.
  var nextToken: TokenID?

  private var chain: DecodingChain
  private var assembler: TextAssembler
  private var reasoningAssembler = TextAssembler(stopStrings: [])
  private var tracker: ReasoningTracker?
  /// Tokens that the tracker has not placed yet.
  private var unplaced: [GeneratedToken] = []
  private var hasAnswerText = false
  private var endTrace: StepTrace?
  private var generatedCount = 0
  private var decodedCount = 0
  private var prefilledTokens = 0
  private var prefilledByLane: [LaneRole: Int] = [:]
  private var firstTokenTime: Duration?

  init(
    id: Int, request: GenerationRequest, continuation: Continuation, submitted: ContinuousClock.Instant
  ) {
    self.id = id
    self.request = request
    self.continuation = continuation
    self.submitted = submitted
    chain = DecodingChain(request)
    assembler = TextAssembler(stopStrings: request.options.stopStrings)
    tracker = request.reasoning.map(ReasoningTracker.init)
  }

  /// Tells a generation that has not begun which tokens end a turn.
  mutating func learn(ends: [TokenID]) { chain = DecodingChain(request, ends: ends) }

  /// Prompt tokens were computed for it, of a lane's prompt or of probes.
  mutating func wasPrefilled(tokens: Int, in role: LaneRole? = nil) {
    prefilledTokens += tokens
    if let role { prefilledByLane[role, default: 0] += tokens }
  }

  /// The token that was chosen last was decoded in each lane.
  mutating func wasDecoded() { decodedCount += lanes.count }

  /// Passes what follows the request's probes to the rule.
  mutating func read(probes rows: [[TokenID]: [Float]], beside lanes: LaneLogits) {
    guard !request.probes.isEmpty else { return }
    chain.read(probes: request.probes.compactMap { rows[$0] }, beside: lanes)
  }

  /// The lanes that the rule has no more use for.
  func lanesToFree() -> [LaneRole] {
    guard generatedCount > 0 else { return [] }
    let needed = chain.rule.lanesNeeded(afterStep: generatedCount - 1)
    return lanes.keys.filter { !needed.contains($0) }
  }

  /// Chooses a token from the lanes' logits and reports it.
  ///
  /// - Returns: why the generation has to end, or `nil` if it goes on with ``nextToken``.
  mutating func choose(
    from logits: LaneLogits, vocabulary: any Vocabulary, scratch: inout [Float]
  ) throws -> StopReason? {
    let step = generatedCount
    let trace = tracing(logits, step: step)
    guard let choice = chain.choose(from: logits, step: step, scratch: &scratch) else {
      throw GenerationError.noFiniteScore(step: step)
    }
    chain.accept(choice.token)
    generatedCount += 1
    if firstTokenTime == nil { firstTokenTime = submitted.duration(to: .now) }
    if vocabulary.isEndOfGeneration(choice.token) {
      endTrace = trace?(choice)
      return .stop
    }

    unplaced.append(
      GeneratedToken(
        id: choice.token, bytes: vocabulary.bytes(of: choice.token), part: .answer, score: choice.score,
        trace: trace?(choice),
        lanes: step < request.options.summarizedSteps ? LaneSummary(logits, token: choice.token) : nil))
    if report(tracker?.accept(choice.token) ?? [.init(part: .answer, count: 1)]) { return .stopString }
    if generatedCount >= request.options.maximumTokens { return .length }
    nextToken = choice.token
    return nil
  }

  /// Passes on the tokens that are placed now, and their text behind them.
  ///
  /// - Returns: whether a stop string was reached.
  private mutating func report(_ runs: [ReasoningTracker.Run]) -> Bool {
    for run in runs {
      var bytes: [UInt8] = []
      for var token in unplaced.prefix(run.count) {
        token.part = run.part
        bytes += token.bytes
        continuation.yield(.token(token))
      }
      unplaced.removeFirst(run.count)
      switch run.part {
      case .marker: yield(reasoning: reasoningAssembler.finish())
      case .reasoning: yield(reasoning: reasoningAssembler.append(bytes).text)
      case .answer:
        let (text, stopped) = assembler.append(bytes)
        yield(answer: text)
        if stopped { return true }
      }
    }
    return false
  }

  private func yield(reasoning text: String) {
    if !text.isEmpty { continuation.yield(.reasoning(text)) }
  }

  /// Behind a reasoning block an answer begins with empty lines, which are not part of it.
  private mutating func yield(answer text: String) {
    var text = text[...]
    if !hasAnswerText, tracker != nil { text = text.drop { $0.isWhitespace } }
    guard !text.isEmpty else { return }
    hasAnswerText = true
    continuation.yield(.text(String(text)))
  }

  /// The chain computes the combined row a second time, so that tracing cannot change the outcome.
  private func tracing(_ logits: LaneLogits, step: Int) -> ((ScoredToken) -> StepTrace)? {
    let count = request.options.traceCandidates
    guard count > 0 else { return nil }
    let combined = chain.scores(of: logits, step: step)
    let lanes = lanes.keys.reduce(into: [:]) { $0[$1] = TopCandidates.select(count, from: logits[$1]) }
    return { choice in
      StepTrace(
        lanes: lanes,
        combined: TopCandidates.select(count, from: combined),
        logProbability: Double(combined[Int(choice.token)]) - Softmax.logSumExp(combined))
    }
  }

  mutating func finish(_ reason: StopReason) {
    // After a stop string nothing is pending; otherwise what was held back is text after all.
    var reason = reason
    if report(tracker?.finish() ?? []), reason != .cancelled { reason = .stopString }
    yield(reasoning: reasoningAssembler.finish())
    yield(answer: assembler.finish())
    continuation.yield(
      .finished(
        GenerationSummary(
          stopReason: reason,
          promptTokens: request.prompts.mapValues(\.count),
          prefilledTokens: prefilledTokens,
          prefilledByLane: prefilledByLane,
          generatedTokens: generatedCount,
          decodedTokens: decodedCount,
          endTrace: endTrace,
          timeToFirstToken: firstTokenTime ?? submitted.duration(to: .now),
          totalTime: submitted.duration(to: .now))))
    continuation.finish()
  }
}
