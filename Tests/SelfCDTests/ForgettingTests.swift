import SelfCDTesting
import Testing

@testable import SelfCD

/// What an engine that has forgotten does is what one does that was just started.
@Suite struct ForgettingTests {
  static let capacity = BackendCapacity(lanes: 6, context: 300, batch: 32)

  static func calls(of engine: Engine, _ journal: DecodeJournal) async throws -> [[Int]] {
    let before = journal.calls.count
    _ = try await engine.probe(
      ProbingTests.probes(9, alpha: 2), beginnings: TokenTree(ProbingTests.beginnings)
    ) { _, rows in rows.map(\.scores) }
    return Array(journal.calls.dropFirst(before))
  }

  /// The calls of the model are the same, in number and in size, so that rounding is too.
  @Test func theSameCallsAreMade() async throws {
    let (fresh, used) = (DecodeJournal(), DecodeJournal())
    let expected = try await Self.calls(
      of: try await EngineTests.engine(Self.capacity, journal: fresh), fresh)
    let engine = try await EngineTests.engine(Self.capacity, journal: used)
    let requests = (0..<5).map { index in
      GenerationRequest(
        prompts: [.plain: EngineTests.prompt(1, length: 24) + EngineTests.prompt(UInt64(index), length: 9)],
        rule: Plain().makeRule(), options: .init(maximumTokens: 6))
    }
    for handle in engine.generate(requests) { _ = try await handle.reply() }
    await engine.forget()
    #expect(try await Self.calls(of: engine, used) == expected)
    #expect(await engine.freeLanes == Self.capacity.lanes)
    // Without that, what the lanes hold is gone on from.
    #expect(try await Self.calls(of: engine, used) != expected)
  }

  @Test func whoeverStillRunsKeepsItsLanes() async throws {
    let engine = try await EngineTests.engine(Self.capacity)
    let prompts: [LaneRole: [TokenID]] = [
      .guarded: EngineTests.prompt(4, length: 40), .plain: EngineTests.prompt(5, length: 30),
    ]
    let handle = engine.generate(
      GenerationRequest(
        prompts: prompts, rule: SelfContrastive(alpha: 0.5).makeRule(), options: .init(maximumTokens: 20)))
    for _ in 0..<50 { await engine.forget() }
    let reply = try await handle.reply()
    #expect(reply.tokens.map(\.id) == EngineTests.reference(prompts, alpha: 0.5, count: 20))
    #expect(await engine.freeLanes == Self.capacity.lanes)
    await engine.shutdown()
    await engine.forget()
  }
}
