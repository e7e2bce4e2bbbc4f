import SelfCD
import SelfCDTesting
import Testing

/// Never ends a turn of its own accord.
struct EndlessRule: DecodingRule {
  mutating func combine(_ lanes: LaneLogits, step: Int, into scores: inout [Float]) {
    scores = lanes[.plain]
    scores[scores.count - 1] = -.infinity
  }

  func lanesNeeded(afterStep step: Int) -> Set<LaneRole> { [.plain] }
}

/// The engine against a backend whose logits depend on everything a lane holds.
@Suite struct EngineTests {
  static func engine(
    _ capacity: BackendCapacity = .init(lanes: 8, context: 512, batch: 64),
    _ behaviour: HistoryBackend.Behaviour = .init(), mode: StepMode = .batched,
    journal: DecodeJournal = .init()
  ) async throws -> Engine {
    try await Engine.start(stepMode: mode) {
      HistoryBackend(capacity: capacity, behaviour: behaviour, journal: journal, abort: $0)
    }
  }

  /// What decoding one prompt after the other, from scratch, would give.
  static func reference(
    _ prompts: [LaneRole: [TokenID]], alpha: Float, count: Int, vocabulary: ByteVocabulary = .init()
  ) -> [TokenID] {
    var histories = prompts
    var output: [TokenID] = []
    while output.count < count {
      let scores = (0..<TokenID(vocabulary.count)).map { token -> Float in
        let guarded = histories[.guarded].map { HistoryBackend.logit(of: token, after: $0) }
        let plain = histories[.plain].map { HistoryBackend.logit(of: token, after: $0) }
        guard let guarded, let plain else { return guarded ?? plain ?? 0 }
        return guarded - alpha * (guarded - plain)
      }
      let best = scores.indices.reduce(0) { scores[$1] > scores[$0] ? $1 : $0 }
      if vocabulary.isEndOfGeneration(TokenID(best)) { break }
      output.append(TokenID(best))
      for role in histories.keys { histories[role]?.append(TokenID(best)) }
    }
    return output
  }

  static func prompt(_ seed: UInt64, length: Int) -> [TokenID] {
    var generator = SplitMix64(seed: seed)
    return (0..<length).map { _ in TokenID(generator.next() % 100) }
  }

  @Test(arguments: [StepMode.batched, .separate], [false, true])
  func manyGenerationsEqualDecodingEachAlone(mode: StepMode, recurrent: Bool) async throws {
    let engine = try await Self.engine(
      .init(lanes: 6, context: 300, batch: 32), .init(isRecurrent: recurrent), mode: mode)
    let shared = Self.prompt(1, length: 40)
    var requests: [GenerationRequest] = []
    var expected: [[TokenID]] = []
    for index in 0..<20 {
      let alpha: Float = [0, 0.5, 1, 2.5, -1][index % 5]
      // Prompts that share everything, a long beginning, a short one, or nothing.
      let prompts: [LaneRole: [TokenID]] = [
        .guarded: index % 3 == 0
          ? Self.prompt(UInt64(index), length: 30) : shared + Self.prompt(7, length: index % 4),
        .plain: Array(shared.prefix(10 + index)),
      ]
      requests.append(
        GenerationRequest(
          prompts: prompts, rule: SelfContrastive(alpha: alpha).makeRule(), options: .init(maximumTokens: 12))
      )
      expected.append(Self.reference(prompts, alpha: alpha, count: 12))
    }
    let handles = engine.generate(requests)
    for (handle, expected) in zip(handles, expected) {
      #expect(try await handle.reply().tokens.map(\.id) == expected)
    }
    #expect(await engine.freeLanes == 6)
  }

  @Test(arguments: [(StepMode.batched, 4), (StepMode.separate, 1)])
  func aModeThatIsAskedForHoldsForAnyNumberOfLanes(mode: StepMode, lanesPerCall: Int) async throws {
    let journal = DecodeJournal()
    let engine = try await Self.engine(mode: mode, journal: journal)
    let requests = (0..<4).map { index in
      GenerationRequest(
        prompts: [.plain: Self.prompt(UInt64(index), length: 10)], rule: EndlessRule(),
        options: .init(maximumTokens: 6))
    }
    for handle in engine.generate(requests) { _ = try await handle.reply() }
    // Behind the prompts, each call appends one token to some lanes.
    let steps = journal.calls.filter { call in call.allSatisfy { $0 == 1 } }
    #expect(!steps.isEmpty && steps.allSatisfy { $0.count == lanesPerCall }, "\(steps)")
  }

  @Test func sharedPrefixIsDecodedOnce() async throws {
    let journal = DecodeJournal()
    let engine = try await Self.engine(.init(lanes: 8, context: 512, batch: 512), journal: journal)
    let system = Self.prompt(3, length: 256)
    let requests = (0..<8).map { index in
      GenerationRequest(
        prompts: [.plain: system + Self.prompt(UInt64(100 + index), length: 16)], rule: Plain().makeRule(),
        options: .init(maximumTokens: 1))
    }
    for handle in engine.generate(requests) { _ = try await handle.reply() }
    #expect(journal.decodedTokens <= 256 + 8 * 16)
  }

  @Test func equalPromptsShareTheirLastRow() async throws {
    let journal = DecodeJournal()
    let engine = try await Self.engine(journal: journal)
    let prompt = Self.prompt(5, length: 50)
    let requests = (0..<4).map { _ in
      GenerationRequest(prompts: [.plain: prompt], rule: Plain().makeRule(), options: .init(maximumTokens: 1))
    }
    for handle in engine.generate(requests) { _ = try await handle.reply() }
    #expect(journal.decodedTokens == 50)
  }

  @Test func nextTurnOfAChatOnlyComputesWhatIsNew() async throws {
    let journal = DecodeJournal()
    let engine = try await Self.engine(journal: journal)
    let first = Self.prompt(5, length: 60)
    let reply = try await engine.generate(
      GenerationRequest(prompts: [.plain: first], rule: Plain().makeRule(), options: .init(maximumTokens: 10))
    ).reply()
    let before = journal.decodedTokens
    let second = first + reply.tokens.map(\.id) + Self.prompt(6, length: 5)
    let request = GenerationRequest(
      prompts: [.plain: second], rule: Plain().makeRule(), options: .init(maximumTokens: 1))
    let next = try await engine.generate(request).reply()
    // The last generated token was chosen but never decoded.
    #expect(journal.decodedTokens - before == 6)
    #expect(next.tokens.map(\.id) == Self.reference([.plain: second], alpha: 0, count: 1))
  }

  @Test func firstStepsFreeTheGuardedLane() async throws {
    let journal = DecodeJournal()
    let engine = try await Self.engine(journal: journal)
    let prompts: [LaneRole: [TokenID]] = [
      .guarded: Self.prompt(1, length: 9), .plain: Self.prompt(2, length: 9),
    ]
    let reply = try await engine.generate(
      GenerationRequest(
        prompts: prompts, rule: SelfContrastive(steps: 3).makeRule(), options: .init(maximumTokens: 8))
    ).reply()
    try #require(reply.tokens.count == 8)
    // After the prompts: two steps with both lanes, then one lane.
    let steps = journal.calls.suffix(7).map(\.count)
    #expect(steps == [2, 2, 1, 1, 1, 1, 1])
    #expect(await engine.freeLanes == 8)
  }

  // MARK: Ends

  /// Equal prompts are one lane, which both roles use.
  @Test(arguments: [1, 2, 3]) func aFailureLeavesNoTraceInALaneOfBothRoles(call: Int) async throws {
    let engine = try await Self.engine(.init(lanes: 2, context: 64, batch: 64), .init(failsAtCall: call))
    let prompt = Self.prompt(1, length: 20)
    let prompts: [LaneRole: [TokenID]] = [.plain: prompt, .guarded: prompt]
    let reference = Self.reference(prompts, alpha: 2, count: 6)
    let request = GenerationRequest(
      prompts: prompts, rule: SelfContrastive(alpha: 2).makeRule(), options: .init(maximumTokens: 6))
    await #expect(throws: BackendError.failed("as told")) { try await engine.generate(request).reply() }
    #expect(await engine.freeLanes == 2)
    // Longer than what the lane held, so that all of it would be kept.
    let longer = prompts.mapValues { $0 + reference.prefix(call - 1) + [5, 6] }
    let next = GenerationRequest(
      prompts: longer, rule: SelfContrastive(alpha: 2).makeRule(), options: .init(maximumTokens: 6))
    #expect(
      try await engine.generate(next).reply().tokens.map(\.id) == Self.reference(longer, alpha: 2, count: 6))
  }

  @Test func onlyDecodedTokensAreCounted() async throws {
    let journal = DecodeJournal()
    let engine = try await Self.engine(.init(lanes: 2, context: 20, batch: 64), journal: journal)
    let reply = try await engine.generate(
      GenerationRequest(
        prompts: [.plain: Self.prompt(11, length: 15)], rule: EndlessRule(),
        options: .init(maximumTokens: 100)
      )
    ).reply()
    #expect(reply.summary.generatedTokens == 6)
    #expect(reply.summary.decodedTokens == 5 && journal.decodedTokens == 20)
  }

  @Test func stopsAtTokenLimitAndAtContextLimit() async throws {
    let engine = try await Self.engine(.init(lanes: 2, context: 20, batch: 64))
    let prompt = Self.prompt(11, length: 15)
    func run(_ limit: Int) async throws -> Reply {
      try await engine.generate(
        GenerationRequest(
          prompts: [.plain: prompt], rule: Plain().makeRule(), options: .init(maximumTokens: limit))
      ).reply()
    }
    let short = try await run(2)
    #expect(short.stopReason == .length && short.tokens.count == 2)
    let long = try await run(100)
    #expect(long.stopReason == .length && long.tokens.count == 6)
    #expect(await engine.freeLanes == 2)
  }

  @Test func stopStringEndsTheTextBeforeIt() async throws {
    let engine = try await Self.engine()
    let prompt = Self.prompt(11, length: 15)
    let whole = Self.reference([.plain: prompt], alpha: 0, count: 12)
    let stop = String(decoding: whole[5...6].map { UInt8($0) }, as: UTF8.self)
    let reply = try await engine.generate(
      GenerationRequest(
        prompts: [.plain: prompt], rule: Plain().makeRule(),
        options: .init(maximumTokens: 12, stopStrings: [stop]))
    ).reply()
    #expect(reply.stopReason == .stopString)
    #expect(Array(reply.text.utf8) == whole[..<5].map { UInt8($0) })
  }

  @Test func cancellingMidwayKeepsWhatWasSaid() async throws {
    let engine = try await Self.engine(.init(lanes: 2, context: 1 << 20, batch: 64), .init(hangsAtCall: 6))
    let handle = engine.generate(
      GenerationRequest(
        prompts: [.plain: Self.prompt(1, length: 8)], rule: Plain().makeRule(),
        options: .init(maximumTokens: 1 << 18)))
    var tokens = 0
    var reason: StopReason?
    for try await event in handle.events {
      if case .token = event {
        tokens += 1
        if tokens == 5 { handle.cancel() }
      }
      if case .finished(let summary) = event { reason = summary.stopReason }
    }
    #expect(reason == .cancelled)
    #expect(tokens >= 5)
    #expect(await engine.freeLanes == 2)
  }

  @Test func cancellingInsidePrefillAbortsTheCall() async throws {
    let journal = DecodeJournal()
    let engine = try await Self.engine(
      .init(lanes: 2, context: 512, batch: 64), .init(hangsAtCall: 0), journal: journal)
    let handle = engine.generate(
      GenerationRequest(prompts: [.plain: Self.prompt(1, length: 8)], rule: Plain().makeRule()))
    // The call has begun, and only its abort can end it.
    while journal.calls.isEmpty { try await Task.sleep(for: .milliseconds(1)) }
    handle.cancel()
    #expect(try await handle.reply().stopReason == .cancelled)
    #expect(await engine.freeLanes == 2)
  }

  /// One that leaves must not cost the others in the same call their work.
  @Test func aCallIsAbortedOnlyWhenAllInItAreCancelled() async throws {
    let journal = DecodeJournal()
    let engine = try await Self.engine(
      .init(lanes: 2, context: 512, batch: 64), .init(hangsAtCall: 2), journal: journal)
    let handles = engine.generate(
      (0..<2).map {
        GenerationRequest(prompts: [.plain: Self.prompt(UInt64($0), length: 8)], rule: Plain().makeRule())
      })
    while journal.calls.count < 3 { try await Task.sleep(for: .milliseconds(1)) }
    handles[0].cancel()
    try await Task.sleep(for: .milliseconds(20))
    #expect(journal.calls.count == 3, "the call goes on for the other")
    handles[1].cancel()
    for handle in handles { #expect(try await handle.reply().stopReason == .cancelled) }
    #expect(await engine.freeLanes == 2)
  }

  /// A cancellation that comes before the engine has heard of the generation still counts.
  @Test func cancellingAtOnceIsNeverLost() async throws {
    let engine = try await Self.engine(.init(lanes: 4, context: 1 << 20, batch: 64))
    let busy = engine.generate(
      GenerationRequest(
        prompts: [.plain: Self.prompt(0, length: 8)], rule: EndlessRule(),
        options: .init(maximumTokens: 1 << 19)))
    for index in 0..<100 {
      let handle = engine.generate(
        GenerationRequest(
          prompts: [.plain: Self.prompt(UInt64(index), length: 8)], rule: EndlessRule(),
          options: .init(maximumTokens: 1 << 19)))
      handle.cancel()
      #expect(try await handle.reply().stopReason == .cancelled)
    }
    busy.cancel()
    #expect(try await busy.reply().stopReason == .cancelled)
  }

  @Test func promptTokensAreCountedForWhoeverComputedThem() async throws {
    let engine = try await Self.engine()
    let prompt = Self.prompt(5, length: 50)
    let handles = engine.generate(
      [prompt, prompt + [1, 2, 3]].map {
        GenerationRequest(prompts: [.plain: $0], rule: Plain().makeRule(), options: .init(maximumTokens: 1))
      })
    var counts: [Int] = []
    for handle in handles { counts.append(try await handle.reply().summary.prefilledTokens) }
    #expect(counts == [50, 3])
  }

  @Test func recurrentModelsAreCopiedWherePromptsBranch() async throws {
    let journal = DecodeJournal()
    let engine = try await Self.engine(
      .init(lanes: 4, context: 512, batch: 512), .init(isRecurrent: true), journal: journal)
    let root = Self.prompt(1, length: 40)
    let branch = root + Self.prompt(2, length: 40)
    let prompts = [
      branch + Self.prompt(3, length: 10), branch + Self.prompt(4, length: 10),
      root + Self.prompt(5, length: 10),
      root + Self.prompt(6, length: 10),
    ]
    let handles = engine.generate(
      prompts.map {
        GenerationRequest(prompts: [.plain: $0], rule: Plain().makeRule(), options: .init(maximumTokens: 1))
      })
    for (handle, prompt) in zip(handles, prompts) {
      #expect(
        try await handle.reply().tokens.map(\.id) == Self.reference([.plain: prompt], alpha: 0, count: 1))
    }
    #expect(journal.decodedTokens == 40 + 40 + 4 * 10)
  }

  @Test func leavingTheStreamFreesTheLanes() async throws {
    let engine = try await Self.engine(.init(lanes: 1, context: 1 << 20, batch: 64))
    func request(_ count: Int) -> GenerationRequest {
      GenerationRequest(
        prompts: [.plain: Self.prompt(1, length: 8)], rule: Plain().makeRule(),
        options: .init(maximumTokens: count))
    }
    let task = Task { for try await _ in engine.generate(request(1 << 18)).events {} }
    try await Task.sleep(for: .milliseconds(20))
    task.cancel()
    // Only possible once the single lane is free again.
    #expect(try await engine.generate(request(3)).reply().tokens.count == 3)
  }

  @Test func failureOfTheModelIsReportedAndTheEngineGoesOn() async throws {
    let engine = try await Self.engine(.init(lanes: 2, context: 512, batch: 64), .init(failsAtCall: 3))
    func request() -> GenerationRequest {
      GenerationRequest(
        prompts: [.plain: Self.prompt(1, length: 20)], rule: Plain().makeRule(),
        options: .init(maximumTokens: 6))
    }
    await #expect(throws: BackendError.failed("as told")) { try await engine.generate(request()).reply() }
    #expect(await engine.freeLanes == 2)
    let reply = try await engine.generate(request()).reply()
    #expect(
      reply.tokens.map(\.id) == Self.reference([.plain: Self.prompt(1, length: 20)], alpha: 0, count: 6))
  }

  @Test func logitsWithoutANumberAreAnError() async throws {
    let engine = try await Self.engine(.init(lanes: 2, context: 64, batch: 64), .init(givesNaN: true))
    for rule in [Plain().makeRule(), SelfContrastive().makeRule(), AdaCD().makeRule()] {
      await #expect(throws: GenerationError.noFiniteScore(step: 0)) {
        try await engine.generate(
          GenerationRequest(prompts: [.plain: [1, 2], .guarded: [3]], rule: rule)
        ).reply()
      }
    }
  }

  @Test func impossibleRequestsAreRefused() async throws {
    let engine = try await Self.engine(.init(lanes: 1, context: 10, batch: 64))
    func run(_ prompts: [LaneRole: [TokenID]], _ options: GenerationOptions = .init()) async throws {
      _ = try await engine.generate(
        GenerationRequest(prompts: prompts, rule: Plain().makeRule(), options: options)
      ).reply()
    }
    await #expect(throws: GenerationError.emptyPrompt(.plain)) { try await run([.plain: []]) }
    await #expect(throws: GenerationError.tooManyLanes(needed: 2, available: 1)) {
      try await run([.plain: [1], .guarded: [1]])
    }
    await #expect(throws: GenerationError.promptTooLong(role: .plain, tokens: 10, context: 10)) {
      try await run([.plain: Array(repeating: 1, count: 10)])
    }
    await #expect(throws: GenerationError.invalidToken(999, vocabulary: 129)) {
      try await run([.plain: [999]])
    }
    await #expect(throws: StrategyError.self) { try await run([.plain: [1]], .init(maximumTokens: 0)) }
    await engine.shutdown()
    await #expect(throws: GenerationError.engineStopped) { try await run([.plain: [1]]) }
  }

  @Test func samplingIsRepeatableBySeedWhateverRunsBeside() async throws {
    let engine = try await Self.engine()
    func request(seed: UInt64) -> GenerationRequest {
      GenerationRequest(
        prompts: [.plain: Self.prompt(1, length: 8), .guarded: Self.prompt(2, length: 8)],
        rule: SelfContrastive(alpha: 1.5).makeRule(),
        options: .init(sampling: .init(temperature: 0.8, topP: 0.9, seed: seed), maximumTokens: 20))
    }
    let alone = try await engine.generate(request(seed: 4)).reply().tokens.map(\.id)
    var together: [[TokenID]] = []
    for handle in engine.generate([request(seed: 3), request(seed: 4), request(seed: 5)]) {
      together.append(try await handle.reply().tokens.map(\.id))
    }
    #expect(together[1] == alone)
    #expect(together[0] != together[1])
  }
}
