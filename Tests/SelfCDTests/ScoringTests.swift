import Foundation
import SelfCDTesting
import Testing

@testable import SelfCD

/// Scoring given texts, against sums by hand over a backend whose logits depend on everything a lane holds.
@Suite struct ScoringTests {
  static let vocabulary = ByteVocabulary()

  static func row(after history: [TokenID]) -> [Float] {
    (0..<TokenID(vocabulary.count)).map { HistoryBackend.logit(of: $0, after: history) }
  }

  /// log softmax without any of the engine's code.
  static func logProbabilities(after history: [TokenID]) -> [Double] {
    let row = row(after: history).map(Double.init)
    let sum = row.reduce(0) { $0 + exp($1) }
    return row.map { $0 - log(sum) }
  }

  static func divergence(_ a: [Double], _ b: [Double]) -> Double {
    zip(a, b).reduce(0) { total, pair in
      let (p, q) = (exp(pair.0), exp(pair.1))
      let mean = log((p + q) / 2)
      return total + (p * (pair.0 - mean) + q * (pair.1 - mean)) / 2
    }
  }

  static func expect(
    _ scores: [LaneSummary], of text: [TokenID], after prompts: [LaneRole: [TokenID]],
    location: SourceLocation = #_sourceLocation
  ) {
    #expect(scores.count == text.count, sourceLocation: location)
    for (index, score) in scores.enumerated() {
      let lanes = prompts.mapValues { logProbabilities(after: $0 + text[..<index]) }
      let expected = lanes.mapValues { $0[Int(text[index])] }
      #expect(Set(score.logProbabilities.keys) == Set(expected.keys), sourceLocation: location)
      for (role, value) in expected {
        #expect(abs((score.logProbabilities[role] ?? .nan) - value) < 1e-9, sourceLocation: location)
      }
      if let guarded = lanes[.guarded], let plain = lanes[.plain] {
        let difference = (score.divergence ?? .nan) - divergence(guarded, plain)
        #expect(abs(difference) < 1e-9, sourceLocation: location)
      } else {
        #expect(score.divergence == nil, sourceLocation: location)
      }
    }
  }

  /// Lengths around the chunks that a text is scored in, on backends that can and cannot cut lanes back.
  @Test(arguments: [1, 2, 32, 33, 34, 70], [false, true])
  func scoresEqualSumsByHand(length: Int, recurrent: Bool) async throws {
    let engine = try await EngineTests.engine(
      .init(lanes: 4, context: 200, batch: 48), .init(isRecurrent: recurrent))
    let shared = EngineTests.prompt(1, length: 20)
    let prompts: [LaneRole: [TokenID]] = [
      .guarded: shared + EngineTests.prompt(2, length: 9), .plain: shared,
    ]
    for seed in [5, 6, 5] as [UInt64] {
      let text = EngineTests.prompt(seed, length: length)
      Self.expect(try await engine.score(text, after: prompts), of: text, after: prompts)
      Self.expect(
        try await engine.score(text, after: [.plain: shared]), of: text, after: [.plain: shared])
    }
    #expect(await engine.freeLanes == 4)
  }

  @Test func scoredTokensAreCounted() async throws {
    let journal = DecodeJournal()
    let engine = try await EngineTests.engine(journal: journal)
    _ = try await engine.score(EngineTests.prompt(2, length: 40), after: [.plain: [1, 2], .guarded: [3]])
    #expect(await engine.computedTokens == 3 + 2 * 39)
    #expect(journal.decodedTokens == 3 + 2 * 39)
  }

  @Test func equalPromptsDoNotDiverge() async throws {
    let engine = try await EngineTests.engine()
    let prompt = EngineTests.prompt(1, length: 20)
    let text = EngineTests.prompt(2, length: 5)
    let scores = try await engine.score(text, after: [.guarded: prompt, .plain: prompt])
    Self.expect(scores, of: text, after: [.guarded: prompt, .plain: prompt])
    #expect(scores.allSatisfy { ($0.divergence ?? 1) < 1e-12 })
  }

  @Test func aTextMayFillTheContextButNotMore() async throws {
    let engine = try await EngineTests.engine(.init(lanes: 1, context: 32, batch: 16))
    let prompts: [LaneRole: [TokenID]] = [.plain: EngineTests.prompt(1, length: 20)]
    let text = EngineTests.prompt(2, length: 13)
    Self.expect(
      try await engine.score(Array(text.dropLast()), after: prompts), of: text.dropLast(), after: prompts)
    await #expect(throws: GenerationError.promptTooLong(role: .plain, tokens: 33, context: 32)) {
      try await engine.score(text, after: prompts)
    }
  }

  @Test func badInputIsATypedError() async throws {
    let engine = try await EngineTests.engine(.init(lanes: 1, context: 64, batch: 16))
    func score(_ text: [TokenID], _ prompts: [LaneRole: [TokenID]]) async throws {
      _ = try await engine.score(text, after: prompts)
    }
    await #expect(throws: GenerationError.emptyContinuation) { try await score([], [.plain: [1]]) }
    await #expect(throws: GenerationError.emptyPrompt(.plain)) { try await score([1], [:]) }
    await #expect(throws: GenerationError.emptyPrompt(.guarded)) { try await score([1], [.guarded: []]) }
    await #expect(throws: GenerationError.invalidToken(129, vocabulary: 129)) {
      try await score([129], [.plain: [1]])
    }
    await #expect(throws: GenerationError.invalidToken(-1, vocabulary: 129)) {
      try await score([1], [.plain: [-1]])
    }
    await #expect(throws: GenerationError.tooManyLanes(needed: 2, available: 1)) {
      try await score([1], [.plain: [1], .guarded: [2]])
    }
    #expect(await engine.freeLanes == 1)
    await engine.shutdown()
    await #expect(throws: GenerationError.engineStopped) { try await score([1], [.plain: [1]]) }
  }

  @Test(arguments: [0, 1, 2])
  func aFailureFreesTheLanesAndLeavesNoTrace(call: Int) async throws {
    let engine = try await EngineTests.engine(
      .init(lanes: 2, context: 200, batch: 32), .init(failsAtCall: call))
    let prompts: [LaneRole: [TokenID]] = [
      .guarded: EngineTests.prompt(1, length: 20), .plain: EngineTests.prompt(2, length: 12),
    ]
    let text = EngineTests.prompt(3, length: 40)
    await #expect(throws: BackendError.failed("as told")) { try await engine.score(text, after: prompts) }
    #expect(await engine.freeLanes == 2)
    // Longer than what the lanes held, so that all of it would be kept.
    let longer = prompts.mapValues { $0 + [7, 8] }
    Self.expect(try await engine.score(text, after: longer), of: text, after: longer)
  }

  @Test func scoringBetweenStepsLeavesGenerationsAlone() async throws {
    let engine = try await EngineTests.engine(.init(lanes: 4, context: 300, batch: 64))
    let prompts: [LaneRole: [TokenID]] = [.plain: EngineTests.prompt(1, length: 20)]
    let handle = engine.generate(
      GenerationRequest(prompts: prompts, rule: EndlessRule(), options: .init(maximumTokens: 200)))
    let text = EngineTests.prompt(2, length: 40)
    var tokens: [TokenID] = []
    for try await event in handle.events {
      guard case .token(let token) = event else { continue }
      tokens.append(token.id)
      if tokens.count % 50 == 1 {
        Self.expect(try await engine.score(text, after: prompts), of: text, after: prompts)
      }
    }
    let alone = try await EngineTests.engine(.init(lanes: 4, context: 300, batch: 64)).generate(
      GenerationRequest(prompts: prompts, rule: EndlessRule(), options: .init(maximumTokens: 200))
    ).reply()
    #expect(tokens == alone.tokens.map(\.id))
    #expect(await engine.freeLanes == 4)
  }
}
