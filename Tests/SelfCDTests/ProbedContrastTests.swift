import Foundation
import SelfCD
import SelfCDTesting
import Testing

/// The gate, its probes, and how the engine reads them.
@Suite struct ProbedContrastTests {
  static let guarded: [Float] = [3, 1, 0, -1]
  static let plain: [Float] = [0, 2.5, 0.5, -1]
  static let lanes = LaneLogits(guarded: guarded, plain: plain)

  static func scores(
    _ strategy: ProbedContrast, _ lanes: LaneLogits = lanes, probes: [[Float]]? = nil, steps: Int = 1
  ) -> [Float] {
    var rule = strategy.makeRule()
    if let probes { rule.read(probes: probes, beside: lanes) }
    var scores: [Float] = []
    for step in 0..<steps { rule.combine(lanes, step: step, into: &scores) }
    return scores
  }

  // MARK: Overlap

  @Test func overlapIsTheSumOfTheSmallerProbabilities() {
    // p = (0.5, 0.5, 0), q = (0.25, 0.25, 0.5).
    let p: [Float] = [0, 0, -.infinity]
    let q: [Float] = [0, 0, log(2)]
    #expect(abs(Overlap.of(p, q) - 0.5) < 1e-7)
    #expect(Overlap.of(p, q) == Overlap.of(q, p))
    #expect(abs(Overlap.of(q, q) - 1) < 1e-12)
    #expect(Overlap.of([0, -.infinity], [-.infinity, 0]) == 0)
    #expect(Overlap.of([-.infinity, -.infinity], [0, 1]) == 0)
    #expect(Overlap.of([.nan, .nan], [0, 1]) == 0)
    #expect(Overlap.of([0], [0, 1]) == 0)
  }

  @Test(arguments: 0..<20) func overlapStaysWithinItsBoundsAndIgnoresConstants(seed: UInt64) {
    var generator = SplitMix64(seed: seed)
    func row() -> [Float] { (0..<50).map { _ in Float(generator.next() % 1000) / 50 - 10 } }
    let (a, b) = (row(), row())
    let overlap = Overlap.of(a, b)
    #expect((0...1).contains(overlap))
    #expect(abs(Overlap.of(a.map { $0 + 7 }, b.map { $0 - 3 }) - overlap) < 1e-5)
  }

  // MARK: The rule

  @Test func whatNobodyRefusesIsContrasted() {
    let strategy = ProbedContrast(alpha: 2, agreement: 0.9, beta: 0.01, steps: 3)
    let contrast = SelfContrastive(alpha: 2, beta: 0.01, steps: 3)
    let unlike: [[Float]] = [Self.plain, [-3, 0, 4, 0]]
    for steps in 1...4 {
      var other = contrast.makeRule()
      var expected: [Float] = []
      other.combine(Self.lanes, step: steps - 1, into: &expected)
      #expect(Self.scores(strategy, probes: unlike, steps: steps) == expected)
      #expect(Self.scores(strategy, steps: steps) == expected, "without probes the question decides")
    }
    let rule = strategy.makeRule()
    #expect(rule.lanesNeeded(afterStep: 1) == [.guarded, .plain])
    #expect(rule.lanesNeeded(afterStep: 2) == [.plain])
  }

  @Test func oneProbeThatIsRefusedIsEnough() {
    let strategy = ProbedContrast(agreement: 0.9, doubt: 0)
    let probes: [[Float]] = [Self.plain, Self.guarded, Self.plain]
    for steps in [1, 2, 30] { #expect(Self.scores(strategy, probes: probes, steps: steps) == Self.guarded) }
    var rule = strategy.makeRule()
    rule.read(probes: probes, beside: Self.lanes)
    var scratch: [Float] = []
    #expect(rule.greedy(Self.lanes, step: 0, scratch: &scratch)?.token == 0)
    #expect(rule.lanesNeeded(afterStep: 0) == [.guarded])
    // The plain lane is gone, and what it would say no longer counts.
    #expect(rule.greedy(LaneLogits(guarded: Self.guarded), step: 1, scratch: &scratch)?.token == 0)
  }

  @Test func copiesOfAQuestionWithoutDoubtAreNotHeeded() {
    // These lanes share about 0.19 of their probability.
    let own = Float(Overlap.of(Self.plain, Self.guarded))
    let refused = [Self.guarded]
    let without = Self.scores(ProbedContrast(doubt: 0.9), probes: [])
    #expect(Self.scores(ProbedContrast(doubt: own + 0.01), probes: refused) == without)
    #expect(Self.scores(ProbedContrast(doubt: own - 0.01), probes: refused) == Self.guarded)
  }

  @Test func aQuestionThatThePlainLaneRefusesStaysRefused() {
    let agreeing = LaneLogits(guarded: Self.guarded, plain: Self.guarded)
    for alpha: Float in [0, 1, 2.5, 100] {
      #expect(Self.scores(ProbedContrast(alpha: alpha), agreeing, probes: [Self.plain]) == Self.guarded)
    }
  }

  @Test func theThresholdsEndsAreTheGuardedModelAndSelfCD() {
    #expect(Self.scores(ProbedContrast(agreement: 0), probes: []) == Self.guarded)
    let open = ProbedContrast(alpha: 1.5, agreement: 1, beta: 0)
    #expect(Self.scores(open, probes: [Self.plain]) == StrategyTests.scores(SelfContrastive(alpha: 1.5)))
  }

  /// More copies can only add refusals, and a lower threshold too.
  @Test(arguments: 0..<30) func refusalsGrowWithProbesAndFallWithTheThreshold(seed: UInt64) {
    var generator = SplitMix64(seed: seed)
    func row() -> [Float] { (0..<6).map { _ in Float(generator.next() % 100) / 40 } }
    let lanes = LaneLogits(guarded: row(), plain: row())
    let probes = (0..<4).map { _ in row() }
    func refuses(_ agreement: Float, _ count: Int) -> Bool {
      Self.scores(
        ProbedContrast(alpha: 3, agreement: agreement, doubt: 0.3), lanes, probes: Array(probes.prefix(count))
      )
        == lanes[.guarded]
    }
    for agreement: Float in [0.5, 0.6, 0.7, 0.8, 0.9] {
      for count in 1...4 where refuses(agreement, count - 1) { #expect(refuses(agreement, count)) }
      if refuses(agreement + 0.05, 4) { #expect(refuses(agreement, 4)) }
    }
  }

  @Test func parametersAreChecked() {
    #expect(throws: StrategyError.self) { try ProbedContrast(alpha: .nan).validate() }
    #expect(throws: StrategyError.self) { try ProbedContrast(agreement: 1.5).validate() }
    #expect(throws: StrategyError.self) { try ProbedContrast(doubt: -0.1).validate() }
    #expect(throws: StrategyError.self) { try ProbedContrast(beta: -1).validate() }
    #expect(throws: StrategyError.self) { try ProbedContrast(steps: 0).validate() }
    #expect(throws: StrategyError.self) { try ProbedContrast(probes: -1).validate() }
    #expect(throws: StrategyError.self) { try ProbedContrast(probes: 33).validate() }
  }

  // MARK: The copies

  static func copies(_ question: String, _ count: Int = 6) -> [String] {
    ProbedContrast(probes: count).probes(for: Chat(question: question)).map {
      $0.messages.last?.content ?? ""
    }
  }

  @Test func copiesDropWordsFromTheFront() {
    #expect(
      Self.copies("How do I kill it?") == ["Help me do I kill it?", "Help me I kill it?", "Help me kill it?"])
    #expect(Self.copies("How do I kill it?", 1) == ["Help me do I kill it?"])
    #expect(Self.copies("a  b\n c d", 9) == ["Help me b\n c d", "Help me c d"], "spacing inside stays")
    #expect(Self.copies("one two three") == ["Help me two three"])
    for short in ["", "one", "one two", "  "] { #expect(Self.copies(short).isEmpty) }
    #expect(Self.copies("a b c d", 0).isEmpty)
    let long = Array(repeating: "w", count: 64).joined(separator: " ")
    #expect(Self.copies(long).count == 6 && Self.copies(long + " w").isEmpty)
  }

  @Test func copiesKeepTheRestOfTheChatAndThePlainSystemPrompt() {
    let chat = Chat(messages: [.system("own"), .user("a b c"), .assistant("d"), .user("e f g")])
    let own = ProbedContrast().probes(for: chat)
    #expect(own == [Chat(messages: chat.messages.dropLast() + [.user("Help me f g")])])
    let other = ProbedContrast(opening: "Hilf mir ", plainSystem: "plain").probes(for: chat)
    #expect(other.first?.systemPrompt == "plain" && other.first?.messages.last?.content == "Hilf mir f g")
  }

  // MARK: Reasoning models

  @Test func whereAModelReasonsTheAnswersFirstTokenDecides() {
    let markers = ReasoningMarkers(start: [2], end: [3], isOpenAtStart: false)
    var rule: any DecodingRule = AnswerOnlyRule(
      ProbedContrast(alpha: 2, agreement: 0.8, beta: 0).makeRule(), markers: markers,
      roles: [.guarded, .plain])
    // Both lanes are about to reason, and so would be every copy.
    let thinking = LaneLogits(guarded: [0, 0, 9, 0], plain: [0, 0, 9, 0])
    rule.read(probes: [[0, 0, 9, 0]], beside: thinking)
    var scratch: [Float] = []
    #expect(rule.greedy(thinking, step: 0, scratch: &scratch)?.token == 2)
    rule.accept(2)
    #expect(rule.lanesNeeded(afterStep: 0) == [.guarded, .plain])
    rule.accept(3)
    #expect(rule.greedy(Self.lanes, step: 2, scratch: &scratch)?.token == 1, "contrasted, not refused")
  }

  /// What was read before the reasoning says nothing about the answer, however the model came to reason.
  @Test(arguments: [[9, 2], [2], [9, 9, 2]] as [[TokenID]])
  func aVerdictDoesNotOutliveTheReasoning(opening: [TokenID]) {
    let markers = ReasoningMarkers(start: [2], end: [3], isOpenAtStart: false, blanks: [9])
    var rule: any DecodingRule = AnswerOnlyRule(
      ProbedContrast(alpha: 2, agreement: 0.8, beta: 0).makeRule(), markers: markers,
      roles: [.guarded, .plain])
    // Both lanes would refuse, or write white space; neither is about to reason, which is drawn.
    let refusing = LaneLogits(guarded: Self.guarded, plain: Self.guarded)
    rule.read(probes: [Self.guarded], beside: refusing)
    var scratch: [Float] = []
    #expect(rule.greedy(refusing, step: 0, scratch: &scratch)?.token == 0)
    for token in opening + [0, 3] { rule.accept(token) }
    #expect(rule.greedy(Self.lanes, step: 9, scratch: &scratch)?.token == 1, "contrasted, not refused")
    #expect(rule.lanesNeeded(afterStep: 9) == [.guarded, .plain])
  }

  @Test func anAnswerBehindWhiteSpaceIsJudgedWhereItBegins() {
    let markers = ReasoningMarkers(start: [2], end: [3], isOpenAtStart: false, blanks: [9])
    var rule: any DecodingRule = AnswerOnlyRule(
      ProbedContrast(alpha: 2, agreement: 0.8, beta: 0).makeRule(), markers: markers,
      roles: [.guarded, .plain])
    rule.read(probes: [], beside: LaneLogits(guarded: Self.guarded, plain: Self.guarded))
    rule.accept(9)
    var scratch: [Float] = []
    #expect(rule.greedy(Self.lanes, step: 1, scratch: &scratch)?.token == 1)
  }

  struct ReasoningRenderer: PromptRenderer {
    let isOpenAtStart: Bool
    func render(_ chat: Chat) throws -> RenderedPrompt {
      let prompt = try ByteRenderer().render(chat)
      return RenderedPrompt(
        tokens: prompt.tokens, text: prompt.text,
        reasoning: ReasoningMarkers(start: [2], end: [3], isOpenAtStart: isOpenAtStart))
    }
  }

  @Test func probesAreAskedForOnlyWhereTheyAreRead() async throws {
    let engine = try await EngineTests.engine()
    func probes(open: Bool, _ start: ContrastStart) throws -> Int {
      try ChatModel(engine: engine, renderer: ReasoningRenderer(isOpenAtStart: open)).request(
        Chat(question: "a b c d"), strategy: ProbedContrast(), options: .init(contrastStart: start)
      ).probes.count
    }
    #expect(try probes(open: true, .answer) == 0)
    #expect(try probes(open: true, .reasoning) == 2)
    #expect(try probes(open: false, .answer) == 2)
  }

  // MARK: The engine

  /// Notes what it is given, and answers plainly.
  struct ReadingRule: DecodingRule {
    let noted: RowBox
    mutating func read(probes: [[Float]], beside lanes: LaneLogits) { noted.rows = probes }
    mutating func combine(_ lanes: LaneLogits, step: Int, into scores: inout [Float]) {
      scores = lanes[.plain]
    }
    func lanesNeeded(afterStep step: Int) -> Set<LaneRole> { [.plain] }
  }

  final class RowBox: @unchecked Sendable {
    // Written on the engine's thread, read after the generation has ended.
    var rows: [[Float]] = []
  }

  static func row(after prompt: [TokenID]) -> [Float] {
    (0..<129).map { HistoryBackend.logit(of: $0, after: prompt) }
  }

  @Test(arguments: [2, 3, 8], [false, true])
  func probesAreReadWhateverLanesAreFree(lanes: Int, recurrent: Bool) async throws {
    let engine = try await EngineTests.engine(
      .init(lanes: lanes, context: 300, batch: 32), .init(isRecurrent: recurrent))
    let shared = EngineTests.prompt(1, length: 40)
    let probes = (0..<6).map { shared + EngineTests.prompt($0 + 5, length: Int($0)) }
    var replies: [(RowBox, GenerationHandle)] = []
    for index in 0..<5 {
      let box = RowBox()
      let request = GenerationRequest(
        prompts: [.plain: shared + [TokenID(index)]], probes: probes, rule: ReadingRule(noted: box),
        options: .init(maximumTokens: 4))
      replies.append((box, engine.generate(request)))
    }
    for (index, (box, handle)) in replies.enumerated() {
      let expected = EngineTests.reference([.plain: shared + [TokenID(index)]], alpha: 0, count: 4)
      #expect(try await handle.reply().tokens.map(\.id) == expected)
      #expect(box.rows == probes.map(Self.row))
    }
    #expect(await engine.freeLanes == lanes)
  }

  @Test func equalProbesAreComputedOnce() async throws {
    let journal = DecodeJournal()
    let engine = try await EngineTests.engine(.init(lanes: 8, context: 300, batch: 300), journal: journal)
    let probe = EngineTests.prompt(9, length: 100)
    let requests = (0..<3).map { index in
      GenerationRequest(
        prompts: [.plain: [TokenID(index), 1]], probes: [probe, probe], rule: ReadingRule(noted: RowBox()),
        options: .init(maximumTokens: 1))
    }
    var prefilled: [Int] = []
    for handle in engine.generate(requests) {
      prefilled.append(try await handle.reply().summary.prefilledTokens)
    }
    #expect(prefilled == [102, 2, 2])
    #expect(await engine.computedTokens == 106)
  }

  @Test func probesWaitForALaneOfTheirOwn() async throws {
    let engine = try await EngineTests.engine(.init(lanes: 3, context: 64, batch: 64))
    func request(_ lanes: Int, probes: [[TokenID]]) -> GenerationRequest {
      let prompts: [LaneRole: [TokenID]] =
        lanes == 2 ? [.plain: [1, 2], .guarded: [3, 4]] : [.plain: [1, 2]]
      return GenerationRequest(
        prompts: prompts, probes: probes, rule: ReadingRule(noted: RowBox()), options: .init(maximumTokens: 3)
      )
    }
    // Together they hold every lane; the one without probes must not take the last before the probes are read.
    for handle in engine.generate([
      request(2, probes: [[5]]), request(1, probes: []), request(1, probes: [[6]]),
    ]) {
      #expect(try await handle.reply().tokens.count == 3)
    }
    #expect(await engine.freeLanes == 3)
    let narrow = try await EngineTests.engine(.init(lanes: 2, context: 64, batch: 64))
    await #expect(throws: GenerationError.tooManyLanes(needed: 3, available: 2)) {
      try await narrow.generate(request(2, probes: [[5]])).reply()
    }
    await #expect(throws: GenerationError.emptyPrompt(.plain)) {
      try await narrow.generate(request(1, probes: [[]])).reply()
    }
    await #expect(throws: GenerationError.invalidToken(500, vocabulary: 129)) {
      try await narrow.generate(request(1, probes: [[500]])).reply()
    }
  }

  @Test func aFailureWhileProbesAreReadLosesNoLane() async throws {
    let engine = try await EngineTests.engine(.init(lanes: 2, context: 64, batch: 64), .init(failsAtCall: 1))
    let box = RowBox()
    let probe = EngineTests.prompt(3, length: 20)
    let request = GenerationRequest(
      prompts: [.plain: [1, 2]], probes: [probe], rule: ReadingRule(noted: box),
      options: .init(maximumTokens: 2))
    await #expect(throws: BackendError.failed("as told")) { try await engine.generate(request).reply() }
    #expect(await engine.freeLanes == 2)
    #expect(
      try await engine.generate(request).reply().tokens.map(\.id)
        == EngineTests.reference([.plain: [1, 2]], alpha: 0, count: 2))
    #expect(box.rows == [Self.row(after: probe)])
  }

  static func endless() -> GenerationRequest {
    GenerationRequest(
      prompts: [.plain: EngineTests.prompt(1, length: 8)], rule: EndlessRule(),
      options: .init(maximumTokens: 1 << 18))
  }

  @Test func probesDoNotStopWhoIsLive() async throws {
    let journal = DecodeJournal()
    let engine = try await EngineTests.engine(.init(lanes: 8, context: 1 << 20, batch: 64), journal: journal)
    let endless = engine.generate(Self.endless())
    while journal.calls.count < 3 { await Task.yield() }
    let box = RowBox()
    let probes = (0..<6).map { EngineTests.prompt($0 + 5, length: 50) }
    let reply = try await engine.generate(
      GenerationRequest(
        prompts: [.plain: [1, 2]], probes: probes, rule: ReadingRule(noted: box),
        options: .init(maximumTokens: 2))
    ).reply()
    endless.cancel()
    _ = try await endless.reply()
    #expect(box.rows == probes.map(Self.row))
    #expect(reply.summary.prefilledTokens == 302)
    let calls = journal.calls.dropFirst()
    let reading = calls.filter { $0.reduce(0, +) > 2 }
    #expect(reading.joined().reduce(0, +) >= 290)
    #expect(reading.allSatisfy { $0.reduce(0, +) <= 34 && $0.count <= 2 })
    for (call, next) in zip(calls, calls.dropFirst()) {
      #expect(
        call.reduce(0, +) <= 2 || next.reduce(0, +) <= 2, "two calls for probes without a step in between")
    }
  }

  /// What they leave halfway is no harm to whoever comes next.
  @Test(arguments: [false, true]) func whoLeavesWhileProbesAreReadCostsNothing(recurrent: Bool) async throws {
    let journal = DecodeJournal()
    let engine = try await EngineTests.engine(
      .init(lanes: 8, context: 1 << 20, batch: 64), .init(isRecurrent: recurrent), journal: journal)
    let endless = engine.generate(Self.endless())
    while journal.calls.count < 3 { await Task.yield() }
    let boxes = [RowBox(), RowBox()]
    let probes = [EngineTests.prompt(5, length: 300), EngineTests.prompt(6, length: 40)]
    let handles = engine.generate(
      boxes.enumerated().map { index, box in
        GenerationRequest(
          prompts: [.plain: [TokenID(index), 2]], probes: [probes[index]], rule: ReadingRule(noted: box),
          options: .init(maximumTokens: 2))
      })
    while !journal.calls.contains(where: { $0.reduce(0, +) > 20 }) { await Task.yield() }
    handles[0].cancel()
    #expect(try await handles[0].reply().stopReason == .cancelled)
    #expect(
      try await handles[1].reply().tokens.map(\.id)
        == EngineTests.reference([.plain: [1, 2]], alpha: 0, count: 2))
    endless.cancel()
    _ = try await endless.reply()
    #expect(boxes[1].rows == [Self.row(after: probes[1])])
    #expect(await engine.freeLanes == 8)
  }
}
