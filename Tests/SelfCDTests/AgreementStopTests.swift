import Foundation
import SelfCD
import SelfCDTesting
import Testing

/// The end of a contrast once its lanes agree.
@Suite struct AgreementStopTests {
  static let prompts: [LaneRole: [TokenID]] = [.guarded: [1, 1, 1], .plain: [2, 2, 2]]
  /// What both lanes like best where they agree, and what each does where they do not.
  static let both = TokenID(97)
  static let guarded = TokenID(103)
  static let plain = TokenID(112)

  /// A model whose lanes agree at the steps given.
  static func engine(
    agreeing steps: Set<Int>, journal: DecodeJournal = .init()
  ) async throws -> Engine {
    try await Engine.start(stepMode: .batched) { _ in
      let vocabulary = ByteVocabulary()
      return ScriptedBackend(vocabulary: vocabulary, journal: journal) { tokens in
        var row = [Float](repeating: 0, count: vocabulary.count)
        let own = tokens.first == 1 ? Self.guarded : Self.plain
        let best = steps.contains(tokens.count - 3) ? Self.both : own
        row[Int(best)] = 20
        return row
      }
    }
  }

  static func reply(
    _ strategy: SelfContrastive, of engine: Engine, count: Int = 12, traced: Int = 0
  ) async throws -> Reply {
    try await engine.generate(
      GenerationRequest(
        prompts: prompts, rule: strategy.makeRule(),
        options: .init(maximumTokens: count, traceCandidates: traced))
    ).reply()
  }

  /// The third agreement in a row drops the guarded lane; two and a step between do not.
  @Test(arguments: [0, 3]) func theLaneIsDroppedBehindThatManyAgreementsInARow(traced: Int) async throws {
    let journal = DecodeJournal()
    let engine = try await Self.engine(agreeing: [1, 2, 4, 5, 6, 7], journal: journal)
    // Near the guarded lane, so that it decides where they differ.
    // Above 1 away from it, so that the plain lane decides where they differ, and goes on alone.
    let moving = try await Self.reply(
      SelfContrastive(alpha: 1.5, agreementStop: 3), of: engine, traced: traced)
    #expect(moving.tokens.suffix(4).map(\.id) == [Self.plain, Self.plain, Self.plain, Self.plain])
    let strategy = SelfContrastive(alpha: 0.25, agreementStop: 3)
    let reply = try await Self.reply(strategy, of: engine, traced: traced)
    let (a, g) = (Self.both, Self.guarded)
    #expect(reply.tokens.map(\.id) == [g, a, a, g, a, a, a, a, g, g, g, g])
    // The rows of steps 1 to 6 are of both lanes, those behind the third agreement of one.
    // The safety prompt stays where the contrast was nearer to it.
    #expect(journal.calls.suffix(11).map(\.count) == Array(repeating: 2, count: 6) + [1, 1, 1, 1, 1])
    #expect(reply.summary.decodedTokens == 17)
    #expect(await engine.freeLanes == engine.capacity?.lanes)

    let whole = try await Self.reply(SelfContrastive(alpha: 0.25), of: engine, traced: traced)
    #expect(whole.tokens.map(\.id) == [g, a, a, g, a, a, a, a, g, g, g, g])
    #expect(whole.summary.decodedTokens == 22)
  }

  @Test func whateverEndsTheContrastFirstEndsIt() async throws {
    let journal = DecodeJournal()
    let engine = try await Self.engine(agreeing: Set(0..<12), journal: journal)
    for (strategy, lanes) in [
      (SelfContrastive(steps: 2, agreementStop: 4), [2, 1, 1, 1, 1]),
      (SelfContrastive(steps: 4, agreementStop: 2), [2, 1, 1, 1, 1]),
      (SelfContrastive(agreementStop: 1), [1, 1, 1, 1, 1]),
      (SelfContrastive(beta: 0.1, agreementStop: 9), [2, 2, 2, 2, 2]),
    ] {
      let reply = try await Self.reply(strategy, of: engine, count: 6)
      #expect(reply.tokens.map(\.id) == Array(repeating: Self.both, count: 6))
      #expect(journal.calls.suffix(5).map(\.count) == lanes, "\(strategy)")
    }
  }

  /// What decoding by hand, lane by lane, gives.
  private static func reference(
    _ prompts: [LaneRole: [TokenID]], alpha: Float, agreements: Int, count: Int, vocabulary: Int
  ) -> (tokens: [TokenID], decoded: Int) {
    var histories = prompts
    var tokens: [TokenID] = []
    var (decoded, inARow) = (0, 0)
    func row(_ role: LaneRole) -> [Float]? {
      histories[role].map { history in
        (0..<TokenID(vocabulary - 1)).map { HistoryBackend.logit(of: $0, after: history) }
      }
    }
    func best(_ row: [Float]) -> Int { row.indices.reduce(0) { row[$1] > row[$0] ? $1 : $0 } }
    while tokens.count < count {
      if let last = tokens.last {
        for role in histories.keys { histories[role]?.append(last) }
        decoded += histories.count
      }
      let plain = row(.plain) ?? []
      guard let guarded = row(.guarded) else {
        tokens.append(TokenID(best(plain)))
        continue
      }
      tokens.append(TokenID(best(zip(guarded, plain).map { $0 - alpha * ($0 - $1) })))
      inARow = best(guarded) == best(plain) ? inARow + 1 : 0
      if inARow >= agreements { histories[.guarded] = nil }
    }
    return (tokens, decoded)
  }

  /// On a model of three tokens, whose lanes often agree by chance.
  @Test(arguments: [1, 2, 3, 4, 1_000_000]) func itIsWhatDecodingByHandGives(agreements: Int) async throws {
    let vocabulary = ByteVocabulary(count: 4)
    let engine = try await Engine.start(stepMode: .batched) { abort in
      HistoryBackend(vocabulary: vocabulary, behaviour: .init(neverEnds: true), abort: abort)
    }
    var dropped = 0
    for seed in 0..<8 {
      let prompts: [LaneRole: [TokenID]] = [
        .guarded: EngineTests.prompt(UInt64(seed), length: 12).map { $0 % 3 },
        .plain: EngineTests.prompt(UInt64(100 + seed), length: 9).map { $0 % 3 },
      ]
      func reply(_ strategy: SelfContrastive) async throws -> Reply {
        try await engine.generate(
          GenerationRequest(prompts: prompts, rule: strategy.makeRule(), options: .init(maximumTokens: 24))
        ).reply()
      }
      let stopped = try await reply(SelfContrastive(alpha: 2, agreementStop: agreements))
      let expected = Self.reference(
        prompts, alpha: 2, agreements: agreements, count: 24, vocabulary: vocabulary.count)
      #expect(stopped.tokens.map(\.id) == expected.tokens)
      #expect(stopped.summary.decodedTokens == expected.decoded)
      let whole = try await reply(SelfContrastive(alpha: 2))
      if agreements > 24 {
        #expect(stopped.tokens == whole.tokens)
        #expect(stopped.summary.decodedTokens == whole.summary.decodedTokens)
      }
      if stopped.summary.decodedTokens < whole.summary.decodedTokens { dropped += 1 }
    }
    #expect(agreements > 2 || dropped > 0)
  }

  /// While a model reasons nothing is contrasted, so nothing is counted.
  @Test func agreementsCountFromTheAnswerOn() {
    let lanes = LaneLogits(guarded: [3, 1, 0], plain: [2, 1, 0])
    var rule = AnswerOnlyRule(
      SelfContrastive(agreementStop: 2).makeRule(),
      markers: .init(start: [7], end: [8], isOpenAtStart: true), roles: [.guarded, .plain])
    var scratch: [Float] = []
    for (step, token) in [TokenID(0), 0, 0, 8, 0].enumerated() {
      _ = rule.greedy(lanes, step: step, scratch: &scratch)
      rule.accept(token)
      #expect(rule.lanesNeeded(afterStep: step) == [.guarded, .plain], "step \(step)")
    }
    _ = rule.greedy(lanes, step: 5, scratch: &scratch)
    rule.accept(0)
    #expect(rule.lanesNeeded(afterStep: 5) == [.plain])
  }

  @Test func itIsOffUnlessAskedFor() {
    #expect(SelfContrastive().agreementStop == nil && SelfContrastive().parameters[.agreementStop] == nil)
    #expect(throws: StrategyError.self) { try SelfContrastive(agreementStop: 0).validate() }
    #expect(throws: StrategyError.unused(.agreementStop, strategy: "ada-cd")) {
      try StrategyCatalogue.make("ada-cd", StrategyParameters([.agreementStop: .integer(3)]))
    }
  }
}
