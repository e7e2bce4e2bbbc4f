import SelfCDTesting
import Testing

@testable import SelfCD

/// How generations come in while others are live.
@Suite struct AdmissionTests {
  @Test func aLongPromptDoesNotStopWhoIsLive() async throws {
    let journal = DecodeJournal()
    let engine = try await EngineTests.engine(.init(lanes: 2, context: 1 << 20, batch: 64), journal: journal)
    let endless = engine.generate(
      GenerationRequest(
        prompts: [.plain: EngineTests.prompt(1, length: 8)], rule: EndlessRule(),
        options: .init(maximumTokens: 1 << 19)))
    while journal.calls.count < 3 { try await Task.sleep(for: .milliseconds(1)) }
    let long = EngineTests.prompt(2, length: 400)
    let reply = try await engine.generate(
      GenerationRequest(prompts: [.plain: long], rule: Plain().makeRule(), options: .init(maximumTokens: 4))
    ).reply()
    endless.cancel()
    #expect(try await endless.reply().stopReason == .cancelled)
    #expect(reply.tokens.map(\.id) == EngineTests.reference([.plain: long], alpha: 0, count: 4))
    let calls = journal.calls.dropFirst()
    let prompts = calls.filter { $0.contains { $0 > 1 } }
    // One waits and one is live, so each call takes half a batch.
    #expect(prompts.joined().reduce(0, +) >= 399 && prompts.allSatisfy { $0.reduce(0, +) <= 32 })
    for (call, next) in zip(calls, calls.dropFirst()) {
      #expect(call == [1] || !next.contains { $0 > 1 }, "two calls for a prompt without a step in between")
    }
  }

  @Test(arguments: [false, true])
  func whoLeavesDuringThePromptsCostsTheOthersNothing(recurrent: Bool) async throws {
    for leaver in 0..<4 {
      let journal = DecodeJournal()
      let engine = try await EngineTests.engine(
        .init(lanes: 8, context: 1024, batch: 16), .init(isRecurrent: recurrent), journal: journal)
      let shared = EngineTests.prompt(1, length: 200)
      // The first two share a lane, all share a beginning.
      let prompts: [[LaneRole: [TokenID]]] = [0, 0, 1, 2].enumerated().map { index, tail in
        [
          .plain: shared + EngineTests.prompt(UInt64(10 + tail), length: 60),
          .guarded: EngineTests.prompt(UInt64(20 + index), length: 40 + 30 * index),
        ]
      }
      let handles = engine.generate(
        prompts.map {
          GenerationRequest(
            prompts: $0, rule: SelfContrastive(alpha: 2).makeRule(), options: .init(maximumTokens: 8))
        })
      while journal.calls.count < 4 + 3 * leaver { await Task.yield() }
      handles[leaver].cancel()
      for (index, handle) in handles.enumerated() {
        let reply = try await handle.reply()
        guard index != leaver else { continue }
        #expect(reply.tokens.map(\.id) == EngineTests.reference(prompts[index], alpha: 2, count: 8))
      }
      #expect(await engine.freeLanes == 8)
    }
  }

  /// One of two users of a lane has its other prompt computed long before the other has.
  @Test func usersOfOneLaneSetOffTogether() async throws {
    let engine = try await EngineTests.engine(.init(lanes: 4, context: 1024, batch: 16))
    let shared = EngineTests.prompt(1, length: 20)
    let prompts: [[LaneRole: [TokenID]]] = [
      [.plain: shared, .guarded: EngineTests.prompt(2, length: 5)],
      [.plain: shared, .guarded: EngineTests.prompt(3, length: 300)],
    ]
    let handles = engine.generate(
      prompts.map {
        GenerationRequest(
          prompts: $0, rule: SelfContrastive(alpha: 2).makeRule(), options: .init(maximumTokens: 10))
      })
    for (handle, prompts) in zip(handles, prompts) {
      #expect(
        try await handle.reply().tokens.map(\.id) == EngineTests.reference(prompts, alpha: 2, count: 10))
    }
  }

  @Test func promptTokensAreCountedOnceWhereSomeoneLeaves() async throws {
    let journal = DecodeJournal()
    let engine = try await EngineTests.engine(.init(lanes: 4, context: 1024, batch: 16), journal: journal)
    let handles = engine.generate(
      (0..<2).map {
        GenerationRequest(
          prompts: [.plain: EngineTests.prompt(UInt64($0), length: 150)], rule: Plain().makeRule(),
          options: .init(maximumTokens: 1))
      })
    while journal.calls.count < 3 { await Task.yield() }
    handles[0].cancel()
    let summaries = [try await handles[0].reply().summary, try await handles[1].reply().summary]
    #expect(summaries[1].prefilledTokens == 150)
    #expect(summaries.reduce(0) { $0 + $1.prefilledTokens } == journal.decodedTokens)
  }
}

@Suite struct LanePlacementTests {
  private func table(_ count: Int, inUse: [Int], holding: [Int] = []) -> LaneTable {
    var table = LaneTable(count: count)
    for lane in inUse { table.take(LaneID(lane)) }
    for lane in holding {
      table.take(LaneID(lane))
      table[LaneID(lane)] = [1, 2, 3]
      table.giveBack(LaneID(lane))
    }
    return table
  }

  @Test func gapsAreFilledFirst() {
    let table = table(8, inUse: [1, 3, 4], holding: [2])
    #expect(table.freeLanes(1, asNeighbours: true) == [LaneID(2)], "although it holds something")
    #expect(table.freeLanes(1, asNeighbours: false) == [LaneID(0)])
  }

  @Test func emptyNeighboursComeBeforeThoseThatHoldSomething() {
    let table = table(8, inUse: [2, 3], holding: [1, 6, 7])
    #expect(table.freeLanes(3, asNeighbours: true).prefix(2) == [LaneID(4), LaneID(5)])
  }

  @Test func withoutAnyInUseAgeDecides() {
    let table = table(4, inUse: [], holding: [2, 0, 1, 3])
    #expect(table.freeLanes(1, asNeighbours: true) == [LaneID(2)])
  }

  @Test func claimedLanesAreNotGivenAndCountAsInUse() {
    let table = table(6, inUse: [])
    #expect(table.freeLanes(9, besides: [LaneID(3)], asNeighbours: true).first == LaneID(2))
    #expect(!table.freeLanes(9, besides: [LaneID(3)], asNeighbours: true).contains(LaneID(3)))
    #expect(table.freeLanes(9, besides: [LaneID(3)], asNeighbours: true).count == 5)
  }

  /// Whatever comes and goes, lanes in use stay in few rows.
  @Test func lanesInUseStayTogether() {
    var table = LaneTable(count: 32)
    var generator = SplitMix64(seed: 4)
    var inUse: [LaneID] = []
    var rows = 0
    for step in 0..<2000 {
      if inUse.count < 8 {
        let lane = table.freeLanes(1, asNeighbours: true)[0]
        table.take(lane)
        table[lane] = [TokenID(step)]
        inUse.append(lane)
      } else {
        table.giveBack(inUse.remove(at: Int(generator.next() % UInt64(inUse.count))))
      }
      let sorted = inUse.sorted()
      rows += 1 + zip(sorted, sorted.dropFirst()).count { $1.index != $0.index + 1 }
    }
    #expect(Double(rows) / 2000 < 1.6)
  }
}
