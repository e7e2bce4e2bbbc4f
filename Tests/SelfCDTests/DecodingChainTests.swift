import Foundation
import SelfCD
import SelfCDTesting
import Testing

/// Rule, penalties, processors and sampler in a row, alone and in the engine.
@Suite struct DecodingChainTests {
  // MARK: The chain alone

  /// Its fast path and its row disagree, so that it shows which of them was asked.
  struct TwoFacedRule: DecodingRule {
    mutating func combine(_ lanes: LaneLogits, step: Int, into scores: inout [Float]) {
      scores = [Float](repeating: -1, count: 16)
      scores[9] = 1
    }
    mutating func greedy(_ lanes: LaneLogits, step: Int, scratch: inout [Float]) -> ScoredToken? {
      ScoredToken(token: 7, score: 1)
    }
    func lanesNeeded(afterStep step: Int) -> Set<LaneRole> { [.plain] }
  }

  /// Lowers one token, by a fixed number or to exclude it.
  struct Lowering: LogitsProcessor {
    let token: TokenID
    var by = Float.infinity
    mutating func process(_ scores: inout [Float], step: Int) { scores[Int(token)] -= by }
  }

  struct WorstToken: TokenSampler {
    mutating func draw(from scores: [Float]) -> ScoredToken? {
      scores.indices.filter { scores[$0] > -.infinity }.min { scores[$0] < scores[$1] }
        .map { ScoredToken(token: TokenID($0), score: scores[$0]) }
    }
  }

  @Test func onlyGreedyDecodingWithoutProcessorsTakesTheFastPath() {
    func choice(_ processors: [any LogitsProcessor], _ sampler: any TokenSampler) -> TokenID? {
      var chain = DecodingChain(rule: TwoFacedRule(), processors: processors, sampler: sampler, prompt: [])
      var scratch: [Float] = []
      return chain.choose(from: LaneLogits(plain: []), step: 0, scratch: &scratch)?.token
    }
    #expect(choice([], Sampler(.greedy)) == 7)
    #expect(choice([Lowering(token: 0)], Sampler(.greedy)) == 9)
    #expect(choice([Lowering(token: 9)], Sampler(.greedy)) == 0)
    #expect(choice([], Sampler(.init(temperature: 1, topK: 1))) == 9)
    #expect(choice([], WorstToken()) == 0)
  }

  /// Allows some tokens, others behind each of them, and counts how often the whole row was masked.
  struct Allowing: TokenConstraint {
    final class Count: @unchecked Sendable { var masks = 0 }
    var allowed: Set<TokenID>
    var behind: [TokenID: Set<TokenID>] = [:]
    let count = Count()
    func allows(_ token: TokenID) -> Bool { allowed.contains(token) }
    func mask(_ scores: inout [Float]) {
      count.masks += 1
      for index in scores.indices where !allows(TokenID(index)) { scores[index] = -.infinity }
    }
    mutating func accept(_ token: TokenID) { allowed = behind[token] ?? allowed }
  }

  @Test func aConstraintActsLastAndOnlyWhereItHasTo() {
    func chain(_ constraint: Allowing, _ processors: [any LogitsProcessor] = []) -> DecodingChain {
      DecodingChain(
        rule: TwoFacedRule(), processors: processors, constraint: constraint, sampler: Sampler(.greedy),
        prompt: [])
    }
    var scratch: [Float] = []
    let lanes = LaneLogits(plain: [])
    let open = Allowing(allowed: [9, 3])
    var free = chain(open)
    #expect(free.choose(from: lanes, step: 0, scratch: &scratch)?.token == 9)
    #expect(open.count.masks == 0, "the best token was allowed")

    let narrow = Allowing(allowed: [3, 5], behind: [5: [2]])
    var held = chain(narrow, [Lowering(token: 3, by: 1)])
    #expect(
      held.scores(of: lanes, step: 0).indices.filter { held.scores(of: lanes, step: 0)[$0] > -9 } == [3, 5])
    #expect(held.choose(from: lanes, step: 0, scratch: &scratch)?.token == 5)
    let before = held
    held.accept(5)
    #expect(held.choose(from: lanes, step: 1, scratch: &scratch)?.token == 2)
    var back = before
    #expect(back.choose(from: lanes, step: 1, scratch: &scratch)?.token == 5, "a copy is a snapshot")
    var masked = DecodingChain(
      rule: Plain().makeRule(), constraint: Allowing(allowed: [1, 2]), sampler: Sampler(.greedy), prompt: [])
    let excluded: [Float] = [5, -.infinity, -.infinity]
    #expect(
      masked.choose(from: LaneLogits(guarded: [0, 1, 2], plain: excluded), step: 0, scratch: &scratch)?.token
        == 2, "the guarded lane decides where the rule left nothing")
    var none = chain(Allowing(allowed: []))
    #expect(none.choose(from: lanes, step: 0, scratch: &scratch) == nil)
  }

  /// Drawing first and masking only what was denied gives each token p / Z.
  @Test func aConstraintDrawsFromWhatIsAllowed() {
    let scores: [Float] = [2, 1, 0, -1, 0.5]
    let allowed: Set<TokenID> = [1, 3, 4]
    let weights = allowed.map { (token: $0, weight: Double(scores[Int($0)])) }
    let sum = weights.reduce(0) { $0 + Foundation.exp($1.weight) }
    var counts: [TokenID: Int] = [:]
    let draws = 20_000
    var scratch: [Float] = []
    var chain = DecodingChain(
      rule: Plain().makeRule(), constraint: Allowing(allowed: allowed),
      sampler: Sampler(.init(temperature: 1, seed: 5)), prompt: [])
    for _ in 0..<draws {
      let drawn = chain.choose(from: LaneLogits(plain: scores), step: 0, scratch: &scratch)
      counts[drawn?.token ?? -1, default: 0] += 1
    }
    #expect(Set(counts.keys) == allowed)
    for (token, weight) in weights {
      let expected = Foundation.exp(weight) / sum
      let deviation = (expected * (1 - expected) / Double(draws)).squareRoot()
      #expect(abs(Double(counts[token] ?? 0) / Double(draws) - expected) < 5 * deviation, "token \(token)")
    }
  }

  @Test func processorsActInTheirOrder() throws {
    // 6 / 2 - 4 is negative; (6 - 4) / 2 is not.
    let penalty = try RepetitionPenalty(2)
    let lanes = LaneLogits(plain: [6, 0])
    let links: [any LogitsProcessor] = [penalty, Lowering(token: 0, by: 4)]
    func row(_ processors: [any LogitsProcessor]) -> [Float] {
      DecodingChain(
        rule: Plain().makeRule(), processors: processors, sampler: Sampler(.greedy), prompt: [0]
      ).scores(of: lanes, step: 0)
    }
    #expect(row(links) == [-1, 0])
    #expect(row(links.reversed()) == [1, 0])
  }

  @Test(arguments: [0, 1] as [Float]) func aCopyRollsTheWholeChainBack(temperature: Float) throws {
    var chain = DecodingChain(
      rule: AdaCD().makeRule(), processors: [try RepetitionPenalty(3)],
      sampler: Sampler(.init(temperature: temperature, seed: 5)), prompt: [1, 2, 3])
    func run(_ chain: inout DecodingChain, from: Int, count: Int) -> [ScoredToken] {
      var scratch: [Float] = []
      return (from..<(from + count)).compactMap { step in
        let row = (0..<40).map { HistoryBackend.logit(of: $0, after: [TokenID(step)]) }
        let lanes = LaneLogits(guarded: row.map { $0 / 2 }, plain: row)
        let before = chain.scores(of: lanes, step: step)
        let choice = chain.choose(from: lanes, step: step, scratch: &scratch)
        if let choice {
          #expect(before[Int(choice.token)] == choice.score, "looking changes nothing")
          chain.accept(choice.token)
        }
        return choice
      }
    }
    _ = run(&chain, from: 0, count: 3)
    var snapshot = chain
    let first = run(&chain, from: 3, count: 8)
    #expect(first.count == 8)
    #expect(run(&snapshot, from: 3, count: 8) == first)
  }

  // MARK: In the engine

  static let strategies: [any DecodingStrategy] = [
    Plain(), Guarded(), SelfContrastive(alpha: 2), SelfContrastive(alpha: 1.5, beta: 0.05, steps: 3),
    AdaCD(steps: 4), ProbedContrast(agreement: 0.4, doubt: 0.1), ProbedContrast(agreement: 1),
  ]

  /// A request as a renderer would make it: prompts of different tokens, and probes where the strategy reads them.
  static func request(
    _ strategy: any DecodingStrategy, seed: UInt64, options: GenerationOptions = .init(maximumTokens: 30)
  ) -> GenerationRequest {
    let roles = strategy.lanes(for: Chat(question: "?")).map(\.role)
    let prompts = roles.reduce(into: [LaneRole: [TokenID]]()) {
      $0[$1] = EngineTests.prompt(seed &+ ($1 == .plain ? 0 : 1000), length: 25)
    }
    return GenerationRequest(
      prompts: prompts,
      probes: strategy.readsProbes ? (0..<3).map { EngineTests.prompt(seed &+ 2000 &+ $0, length: 12) } : [],
      rule: strategy.makeRule(), options: options)
  }

  static func row(after history: [TokenID]) -> [Float] {
    (0..<TokenID(ByteVocabulary().count)).map { HistoryBackend.logit(of: $0, after: history) }
  }

  /// What decoding from scratch gives, with the penalty written out.
  static func reference(_ request: GenerationRequest, penalty: Float, count: Int) -> [TokenID] {
    var rule = request.rule
    var histories = request.prompts
    let prompt = request.prompts[.plain] ?? request.prompts[.guarded] ?? []
    var output: [TokenID] = []
    var scores: [Float] = []
    func lanes() -> LaneLogits {
      LaneLogits(guarded: histories[.guarded].map(row), plain: histories[.plain].map(row))
    }
    if !request.probes.isEmpty { rule.read(probes: request.probes.map(row), beside: lanes()) }
    while output.count < count {
      rule.combine(lanes(), step: output.count, into: &scores)
      let changed = PenaltyTests.naive(scores, prompt: prompt, reply: output, penalty: penalty)
      let best = TokenID(changed.indices.reduce(0) { changed[$1] > changed[$0] ? $1 : $0 })
      if ByteVocabulary().isEndOfGeneration(best) { break }
      rule.accept(best)
      output.append(best)
      let needed = rule.lanesNeeded(afterStep: output.count - 1)
      histories = histories.filter { needed.contains($0.key) }.mapValues { $0 + [best] }
    }
    return output
  }

  @Test(arguments: strategies.indices)
  func penalisedRepliesEqualDecodingFromScratch(index: Int) async throws {
    let strategy = Self.strategies[index]
    let engine = try await EngineTests.engine()
    var differ = 0
    for seed: UInt64 in 0..<6 {
      var request = Self.request(strategy, seed: seed)
      let free = try await engine.generate(request).reply().tokens.map(\.id)
      request.options.penalties.repetition = 1.7
      let penalised = try await engine.generate(request).reply().tokens.map(\.id)
      #expect(penalised == Self.reference(request, penalty: 1.7, count: 30))
      if penalised != free { differ += 1 }
    }
    #expect(differ > 0, "\(strategy.name): no reply was changed")
    #expect(await engine.freeLanes == 8)
  }

  /// The whole chain runs, and nothing may differ from decoding without it: tokens, scores, traces, random draws.
  @Test(arguments: strategies.indices, [0, 0.9] as [Float])
  func aPenaltyOfOneChangesNoBit(index: Int, temperature: Float) async throws {
    let engine = try await EngineTests.engine()
    let options = GenerationOptions(
      sampling: .init(temperature: temperature, topP: 0.95, seed: 11), maximumTokens: 30, traceCandidates: 4,
      summarizedSteps: 30)
    for seed: UInt64 in 0..<3 {
      let request = Self.request(Self.strategies[index], seed: seed, options: options)
      var neutral = request
      neutral.processors = [try RepetitionPenalty(1)]
      var set = request
      set.options.penalties = Penalties(repetition: 1)
      let expected = try await engine.generate(request).reply()
      for other in [neutral, set] {
        let reply = try await engine.generate(other).reply()
        #expect(reply.tokens == expected.tokens)
        #expect(reply.text == expected.text && reply.stopReason == expected.stopReason)
        #expect(reply.summary.endTrace == expected.summary.endTrace)
      }
    }
  }

  /// All scores negative and within a factor of 10 of each other, so that a penalty of 10 puts what was said behind all
  /// that was not.
  struct NegativeRule: DecodingRule {
    mutating func combine(_ lanes: LaneLogits, step: Int, into scores: inout [Float]) {
      scores = lanes[.plain].map { $0 - 5 }
      scores[scores.count - 1] = -.infinity
    }
    func lanesNeeded(afterStep step: Int) -> Set<LaneRole> { [.plain] }
  }

  @Test func aGreatPenaltyForbidsRepeatsUntilTheVocabularyIsUsedUp() async throws {
    let engine = try await EngineTests.engine()
    let prompt = EngineTests.prompt(4, length: 30)
    let unsaid = Set((0..<TokenID(ByteVocabulary().count - 1)).filter { !prompt.contains($0) })
    var request = GenerationRequest(
      prompts: [.plain: prompt], rule: NegativeRule(), options: .init(maximumTokens: unsaid.count + 5))
    let free = try await engine.generate(request).reply().tokens.map(\.id)
    #expect(Set(free).count < free.count, "without a penalty tokens are repeated")
    request.options.penalties.repetition = 10
    let reply = try await engine.generate(request).reply().tokens.map(\.id)
    try #require(reply.count == unsaid.count + 5)
    #expect(Set(reply.prefix(unsaid.count)) == unsaid)
    #expect(Set(reply).isSubset(of: unsaid.union(prompt)), "the end of the turn stays excluded")
  }

  @Test func whatIsReportedAsCombinedIsWhatIsDrawnFrom() async throws {
    let engine = try await EngineTests.engine()
    var request = Self.request(
      SelfContrastive(alpha: 2), seed: 3,
      options: .init(maximumTokens: 1, traceCandidates: 5, summarizedSteps: 1)
    )
    let free = try #require(try await engine.generate(request).reply().tokens.first)
    request.processors = [Lowering(token: free.id)]
    let other = try #require(try await engine.generate(request).reply().tokens.first)
    let before = try #require(free.trace)
    let after = try #require(other.trace)
    // The lanes are the model's, whatever stands behind them.
    #expect(after.lanes == before.lanes)
    #expect(other.id == before.combined[1].token)
    #expect(
      after.combined.map(\.token) == before.combined.map(\.token).dropFirst() + [after.combined[4].token])
    #expect(after.combined.first?.token == other.id)
    #expect(after.combined.first?.logProbability == after.logProbability)
    let lanes = [LaneRole.guarded, .plain].map { Self.row(after: request.prompts[$0] ?? []) }
    let z = 2 * lanes[1][Int(other.id)] - lanes[0][Int(other.id)]
    #expect(abs(other.score - z) < 1e-4)
    #expect(
      other.lanes?.logProbabilities[.plain]
        == Double(lanes[1][Int(other.id)]) - Softmax.logSumExp(lanes[1]))
  }

  @Test func aSamplerOfTheProgramTakesThePlaceOfTheOptions() async throws {
    let engine = try await EngineTests.engine()
    var request = Self.request(Plain(), seed: 2, options: .init(maximumTokens: 1))
    request.sampler = WorstToken()
    let row = Self.row(after: request.prompts[.plain] ?? [])
    let token = try #require(try await engine.generate(request).reply().tokens.first)
    #expect(token.score == row.min())
  }

  @Test func aPenaltyOutOfRangeIsRefusedBeforeTheModelIsAsked() async throws {
    let journal = DecodeJournal()
    let engine = try await EngineTests.engine(journal: journal)
    var request = Self.request(Plain(), seed: 1)
    request.options.penalties.repetition = 0
    await #expect(throws: StrategyError.self) { try await engine.generate(request).reply() }
    #expect(journal.decodedTokens == 0)
    #expect(await engine.freeLanes == 8)
  }
}
