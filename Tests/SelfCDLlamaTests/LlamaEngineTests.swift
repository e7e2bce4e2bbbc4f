import Foundation
import SelfCD
import SelfCDLlama
import Testing

/// Never ends a turn of its own accord.
struct EndlessRule: DecodingRule {
  mutating func combine(_ lanes: LaneLogits, step: Int, into scores: inout [Float]) {
    scores = [Float](repeating: -.infinity, count: lanes[.plain].count)
    scores[100] = 0
  }

  func lanesNeeded(afterStep step: Int) -> Set<LaneRole> { [.plain] }
}

/// The engine on the embedded model.
@Suite struct LlamaEngineTests {
  static func ids(_ loaded: LoadedModel, _ question: String, _ strategy: any DecodingStrategy) async throws
    -> [TokenID]
  {
    try await loaded.chat.reply(
      to: Chat(question: question), strategy: strategy, options: .init(maximumTokens: 40)
    )
    .tokens.map(\.id)
  }

  @Test func alphaZeroIsGuardedAlphaOneIsPlain() async throws {
    let loaded = try await TestModel.load()
    for question in TestModel.questions {
      #expect(
        try await Self.ids(loaded, question, SelfContrastive(alpha: 0))
          == Self.ids(loaded, question, Guarded()))
      #expect(
        try await Self.ids(loaded, question, SelfContrastive(alpha: 1)) == Self.ids(loaded, question, Plain())
      )
    }
  }

  @Test(arguments: [-2, 0.5, 2.5, 10] as [Float])
  func equalPromptsAreGreedyForEveryAlpha(alpha: Float) async throws {
    let loaded = try await TestModel.load()
    let strategy = SelfContrastive(alpha: alpha, emphasis: SafetyEmphasis(text: ""))
    for question in TestModel.questions {
      #expect(try await Self.ids(loaded, question, strategy) == Self.ids(loaded, question, Plain()))
    }
  }

  @Test func aMaskOfOneFollowsThePlainLane() async throws {
    let loaded = try await TestModel.load()
    let strategy = SelfContrastive(alpha: 2.5, beta: 1)
    for question in TestModel.questions {
      #expect(try await Self.ids(loaded, question, strategy) == Self.ids(loaded, question, Plain()))
    }
  }

  @Test func steppingLanesTogetherOrApartGivesTheSameReply() async throws {
    let batched = try await TestModel.load(stepMode: .batched)
    let separate = try await TestModel.load(stepMode: .separate)
    for question in TestModel.questions {
      for strategy in [SelfContrastive(alpha: 1.5), AdaCD()] as [any DecodingStrategy] {
        #expect(try await Self.ids(batched, question, strategy) == Self.ids(separate, question, strategy))
      }
    }
  }

  @Test(arguments: [false, true])
  func manyAtOnceEqualOneByOne(unified: Bool) async throws {
    let loaded = try await TestModel.load(lanes: 16, options: .init(unifiedCache: unified))
    let alone = try await TestModel.load(lanes: 2)
    let strategies: [any DecodingStrategy] = [
      Plain(), Guarded(), SelfContrastive(alpha: 1.5), SelfContrastive(alpha: 2.5, steps: 5), AdaCD(),
    ]
    let pairs = TestModel.questions.flatMap { question in strategies.map { (question, $0) } }
    let requests = try pairs.map {
      try loaded.chat.request(Chat(question: $0.0), strategy: $0.1, options: .init(maximumTokens: 40))
    }
    for (handle, (question, strategy)) in zip(loaded.chat.engine.generate(requests), pairs) {
      #expect(try await handle.reply().tokens.map(\.id) == Self.ids(alone, question, strategy))
    }
    #expect(await loaded.chat.engine.freeLanes == 16)
  }

  /// Lanes copied from a shared prompt must give the very logits of lanes computed on their own.
  @Test func sharedPromptsGiveIdenticalLogits() async throws {
    let loaded = try await TestModel.load(lanes: 8)
    let system = String(repeating: "You answer in short and friendly words. ", count: 12)
    func request(_ question: String, _ recorder: RowRecorder) throws -> GenerationRequest {
      let rendered = try loaded.chat.renderer.render(Chat(question: question, system: system))
      return GenerationRequest(
        prompts: [.plain: rendered.tokens], rule: RecordingRule(recorder), options: .init(maximumTokens: 1))
    }
    let together = TestModel.questions.map { _ in RowRecorder() }
    let requests = try zip(TestModel.questions, together).map { try request($0, $1) }
    var prefilled = 0
    for handle in loaded.chat.engine.generate(requests) {
      prefilled = try await handle.reply().summary.prefilledTokens
    }
    let total = requests.reduce(0) { $0 + $1.prompts[.plain, default: []].count }
    #expect(prefilled * 2 < total, "\(prefilled) of \(total) prompt tokens were computed")
    for (index, question) in TestModel.questions.enumerated() {
      let fresh = try await TestModel.load(lanes: 1)
      let recorder = RowRecorder()
      _ = try await fresh.chat.engine.generate(try request(question, recorder)).reply()
      let difference = zip(recorder.rows[0], together[index].rows[0]).map { abs($0 - $1) }.max() ?? .infinity
      // Another number of rows in a call may round differently in half precision.
      #expect(difference < 0.02)
    }
  }

  @Test func aSecondTurnReusesTheFirst() async throws {
    let loaded = try await TestModel.load(lanes: 2)
    var chat = Chat(question: TestModel.questions[0])
    let first = try await loaded.chat.reply(to: chat, strategy: Guarded())
    chat.messages += [.assistant(first.text), .user(TestModel.questions[1])]
    let second = try await loaded.chat.reply(to: chat, strategy: Guarded())
    let prompt = try #require(second.summary.promptTokens[.guarded])
    #expect(second.summary.prefilledTokens < prompt / 2)
    let fresh = try await TestModel.load(lanes: 2)
    #expect(try await fresh.chat.reply(to: chat, strategy: Guarded()).text == second.text)
  }

  @Test func cancellingFreesTheLanes() async throws {
    let loaded = try await TestModel.load(lanes: 2)
    let request = GenerationRequest(
      prompts: [.plain: [5, 6, 7]], rule: EndlessRule(), options: .init(maximumTokens: 400))
    let handle = loaded.chat.engine.generate(request)
    var tokens = 0
    var reason: StopReason?
    for try await event in handle.events {
      if case .token = event { tokens += 1 }
      if tokens == 3 { handle.cancel() }
      if case .finished(let summary) = event { reason = summary.stopReason }
    }
    #expect(reason == .cancelled && tokens < 400)
    #expect(await loaded.chat.engine.freeLanes == 2)
  }

  @Test func anAbortedCallLeavesAUsableBackend() throws {
    let model = try LlamaModel(path: TestModel.path())
    let signal = AbortSignal()
    let backend = try LlamaBackend(model: model, options: .init(contextSize: 256, lanes: 2), abort: signal)
    let lane = LaneID(0)
    let tokens = [TokenID](repeating: 7, count: 200)
    var rows = LogitRows(vocabularySize: backend.vocabulary.count)
    func decode() throws {
      rows.removeAll()
      try backend.decode([LaneAppend(lane: lane, tokens: tokens[...], logits: .last)], into: &rows)
    }
    try decode()
    let sound = rows[0]
    backend.clearLane(lane)
    signal.raise()
    #expect(throws: BackendError.aborted) { try decode() }
    signal.reset()
    backend.clearLane(lane)
    try decode()
    #expect(rows[0] == sound)
  }

  @Test func theTraceShowsEveryLane() async throws {
    let loaded = try await TestModel.load()
    let reply = try await loaded.chat.reply(
      to: Chat(question: TestModel.questions[0]), strategy: SelfContrastive(alpha: 2),
      options: .init(maximumTokens: 10, traceCandidates: 3))
    for token in reply.tokens {
      let trace = try #require(token.trace)
      #expect(trace.combined.first?.token == token.id)
      #expect(
        trace.combined.count == 3 && trace.lanes[.guarded]?.count == 3 && trace.lanes[.plain]?.count == 3)
      #expect(abs(Double(trace.combined[0].probability) - exp(trace.logProbability)) < 1e-5)
    }
    let untraced = try await loaded.chat.reply(
      to: Chat(question: TestModel.questions[0]), strategy: SelfContrastive(alpha: 2),
      options: .init(maximumTokens: 10))
    #expect(untraced.tokens.map(\.id) == reply.tokens.map(\.id))
  }

  @Test func everyRowCanBeAskedForAndLanesCutBack() throws {
    let model = try LlamaModel(path: TestModel.path())
    let backend = try LlamaBackend(
      model: model, options: .init(contextSize: 128, lanes: 2), abort: AbortSignal())
    let lane = LaneID(0)
    let tokens: [TokenID] = [5, 6, 7, 8]
    var all = LogitRows(vocabularySize: backend.vocabulary.count)
    try backend.decode([LaneAppend(lane: lane, tokens: tokens[...], logits: .all)], into: &all)
    #expect(all.count == 4)
    #expect(backend.truncateLane(lane, to: 2))
    var again = LogitRows(vocabularySize: backend.vocabulary.count)
    try backend.decode([LaneAppend(lane: lane, tokens: tokens[2...], logits: .all)], into: &again)
    #expect(zip(all[3], again[1]).allSatisfy { abs($0 - $1) < 0.02 })
  }

  @Test func misuseOfTheBackendIsAnError() throws {
    let model = try LlamaModel(path: TestModel.path())
    let backend = try LlamaBackend(
      model: model, options: .init(contextSize: 32, lanes: 2, batchSize: 16), abort: AbortSignal())
    var rows = LogitRows(vocabularySize: backend.vocabulary.count)
    func decode(_ appends: [LaneAppend]) throws { try backend.decode(appends, into: &rows) }
    func append(_ lane: Int, _ tokens: [TokenID]) -> LaneAppend {
      LaneAppend(lane: LaneID(lane), tokens: tokens[...], logits: .last)
    }
    for bad in [
      [append(2, [1])], [append(-1, [1])], [append(0, [])], [append(0, [-1])], [append(0, [1_000_000])],
      [append(0, [1]), append(0, [2])], [append(0, Array(repeating: 1, count: 17))], [],
    ] { #expect(throws: BackendError.self) { try decode(bad) } }
    for _ in 0..<2 { try decode([append(0, Array(repeating: 1, count: 16))]) }
    #expect(throws: BackendError.cacheFull) { try decode([append(0, [1])]) }
    #expect(throws: BackendError.self) { try backend.copyLane(LaneID(0), to: LaneID(0)) }
    #expect(throws: BackendError.self) { try backend.copyLane(LaneID(0), to: LaneID(9)) }
    #expect(!backend.truncateLane(LaneID(7), to: 0) && !backend.truncateLane(LaneID(0), to: 99))
    backend.clearLane(LaneID(99))
    #expect(backend.vocabulary.bytes(of: 1_000_000).isEmpty && backend.vocabulary.bytes(of: -5).isEmpty)
    #expect(!backend.vocabulary.isEndOfGeneration(1_000_000))
  }
}
