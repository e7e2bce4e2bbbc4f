import Foundation
import SelfCDTesting
import Testing

@testable import SelfCD

/// Probing many prompts, against rows by hand over a backend whose logits depend on everything a lane holds.
@Suite struct ProbingTests {
  static func row(after history: [TokenID]) -> [Float] { ScoringTests.row(after: history) }

  /// What Self-CD makes of both lanes behind `beginning`, without any of the engine's code.
  static func combined(_ probe: Probe, _ beginning: [TokenID], alpha: Float) -> [Float] {
    let plain = row(after: (probe.prompts[.plain] ?? []) + beginning)
    guard let prompt = probe.prompts[.guarded] else { return plain }
    let guarded = row(after: prompt + beginning)
    return zip(guarded, plain).map { $0 - alpha * ($0 - $1) }
  }

  static func probes(_ count: Int, alpha: Float) -> [Probe] {
    let system = EngineTests.prompt(1, length: 24)
    return (0..<count).map { index in
      // Neighbours share beginnings of many lengths; some prompts are equal.
      let question = Array(
        EngineTests.prompt(2, length: index % 11) + EngineTests.prompt(UInt64(index % 7), length: 9))
      let prompts: [LaneRole: [TokenID]] =
        index % 5 == 4 ? [.plain: question] : [.guarded: system + question, .plain: question]
      return Probe(
        prompts: prompts,
        rule: prompts.count == 2 ? SelfContrastive(alpha: alpha).makeRule() : Plain().makeRule())
    }
  }

  static let beginnings: [[TokenID]] = [[5], [5, 6, 7], [5, 9], [8, 5]]

  @Test(arguments: [2, 3, 8, 40], [false, true])
  func rowsEqualThoseByHand(lanes: Int, recurrent: Bool) async throws {
    let engine = try await EngineTests.engine(
      .init(lanes: lanes, context: 200, batch: 48), .init(isRecurrent: recurrent))
    let tree = TokenTree(Self.beginnings)
    #expect(tree.nodes.count == 7)
    let probes = Self.probes(23, alpha: 2.5)
    for _ in 0..<2 {
      let found = try await engine.probe(probes, beginnings: tree) { _, rows in rows.map(\.scores) }
      #expect(found.count == probes.count)
      for (probe, rows) in zip(probes, found) {
        for node in tree.nodes.indices {
          let expected = Self.combined(probe, tree.path(to: node), alpha: 2.5)
          #expect(zip(rows[node], expected).allSatisfy { abs($0 - $1) < 1e-4 })
        }
      }
      #expect(await engine.freeLanes == lanes)
    }
  }

  @Test func whatPromptsShareIsComputedOnce() async throws {
    let shared = EngineTests.prompt(1, length: 60)
    let probes = (0..<20).map {
      Probe(prompts: [.plain: shared + EngineTests.prompt(UInt64($0), length: 4)], rule: Plain().makeRule())
    }
    let engine = try await EngineTests.engine(.init(lanes: 6, context: 200, batch: 64))
    _ = try await engine.probe(probes) { _, _ in 0 }
    #expect(await engine.computedTokens < 60 + 20 * 5)
    // Equal prompts are one.
    let before = await engine.computedTokens
    _ = try await engine.probe(Array(repeating: probes[0], count: 50)) { _, _ in 0 }
    #expect(await engine.computedTokens - before <= 64)
  }

  /// A model that cannot be cut back computes a prompt again for each branch, but not its rows.
  @Test func onlyRowsOfTheBranchesAreAskedFor() async throws {
    let journal = DecodeJournal()
    let engine = try await EngineTests.engine(
      .init(lanes: 2, context: 200, batch: 16), .init(isRecurrent: true), journal: journal)
    let probe = Probe(prompts: [.plain: EngineTests.prompt(1, length: 40)], rule: Plain().makeRule())
    let tree = TokenTree(Self.beginnings)
    _ = try await engine.probe([probe], beginnings: tree) { _, _ in 0 }
    #expect(journal.rows == tree.nodes.count)
  }

  @Test func indicesAreThoseOfTheProbes() async throws {
    let engine = try await EngineTests.engine(.init(lanes: 3, context: 200, batch: 64))
    let found = try await engine.probe(Self.probes(17, alpha: 1)) { index, _ in index }
    #expect(found == Array(0..<17))
    #expect(try await engine.probe([]) { index, _ in index } == [])
  }

  @Test func badInputIsATypedError() async throws {
    let engine = try await EngineTests.engine(.init(lanes: 1, context: 32, batch: 16))
    func probe(_ prompts: [LaneRole: [TokenID]], _ beginnings: [[TokenID]] = []) async throws {
      _ = try await engine.probe(
        [Probe(prompts: prompts, rule: Plain().makeRule())], beginnings: TokenTree(beginnings)
      ) { _, _ in 0 }
    }
    await #expect(throws: GenerationError.emptyPrompt(.plain)) { try await probe([:]) }
    await #expect(throws: GenerationError.emptyPrompt(.plain)) { try await probe([.plain: []]) }
    await #expect(throws: GenerationError.invalidToken(129, vocabulary: 129)) {
      try await probe([.plain: [129]])
    }
    await #expect(throws: GenerationError.invalidToken(-1, vocabulary: 129)) {
      try await probe([.plain: [1]], [[-1]])
    }
    await #expect(throws: GenerationError.promptTooLong(role: .plain, tokens: 33, context: 32)) {
      try await probe([.plain: EngineTests.prompt(1, length: 31)], [[1, 2]])
    }
    await #expect(throws: GenerationError.tooManyLanes(needed: 2, available: 1)) {
      try await probe([.plain: [1], .guarded: [2]])
    }
    #expect(await engine.freeLanes == 1)
    await engine.shutdown()
    await #expect(throws: GenerationError.engineStopped) { try await probe([.plain: [1]]) }
  }

  @Test(arguments: [0, 1, 2])
  func aFailureFreesTheLanesAndLeavesNoTrace(call: Int) async throws {
    let engine = try await EngineTests.engine(
      .init(lanes: 4, context: 200, batch: 32), .init(failsAtCall: call))
    let probes = Self.probes(9, alpha: 2)
    let tree = TokenTree([[3, 4]])
    await #expect(throws: BackendError.failed("as told")) {
      try await engine.probe(probes, beginnings: tree) { _, _ in 0 }
    }
    #expect(await engine.freeLanes == 4)
    // Longer than what the lanes held, so that all of it would be kept.
    let longer = probes.map { Probe(prompts: $0.prompts.mapValues { $0 + [7, 8] }, rule: $0.rule) }
    let found = try await engine.probe(longer, beginnings: tree) { _, rows in rows[1].scores }
    for (probe, row) in zip(longer, found) {
      #expect(zip(row, Self.combined(probe, [3], alpha: 2)).allSatisfy { abs($0 - $1) < 1e-4 })
    }
  }

  @Test func aCancelledTaskEndsBetweenWaves() async throws {
    let engine = try await EngineTests.engine(.init(lanes: 2, context: 200, batch: 64))
    let task = Task {
      withUnsafeCurrentTask { $0?.cancel() }
      return try await engine.probe(Self.probes(30, alpha: 1)) { index, _ in index }
    }
    await #expect(throws: CancellationError.self) { try await task.value }
    #expect(await engine.freeLanes == 2)
  }

  /// A rule that counts: its state has to be that of the beginning it looks at, not of those looked at before.
  struct CountingRule: DecodingRule {
    var accepted: [TokenID] = []

    mutating func combine(_ lanes: LaneLogits, step: Int, into scores: inout [Float]) {
      scores = [Float(step), Float(accepted.count)] + accepted.map(Float.init)
    }

    mutating func accept(_ token: TokenID) { accepted.append(token) }
    func lanesNeeded(afterStep step: Int) -> Set<LaneRole> { [.plain] }
  }

  @Test func theRuleFollowsEachBeginning() async throws {
    let engine = try await EngineTests.engine()
    let tree = TokenTree(Self.beginnings)
    let found = try await engine.probe(
      [Probe(prompts: [.plain: [1, 2, 3]], rule: CountingRule())], beginnings: tree
    ) { _, rows in rows.map(\.scores) }
    for node in tree.nodes.indices {
      let path = tree.path(to: node)
      #expect(found[0][node] == [Float(path.count), Float(path.count)] + path.map(Float.init))
    }
  }

  @Test func treesHoldEachBeginningOnce() {
    var tree = TokenTree(Self.beginnings)
    for path in Self.beginnings {
      for length in 0...path.count {
        let node = tree.node(at: path.prefix(length))
        #expect(node.map { tree.path(to: $0) } == Array(path.prefix(length)))
      }
    }
    #expect(tree.node(at: [9]) == nil)
    let count = tree.nodes.count
    tree.insert([5, 6])
    #expect(tree.nodes.count == count)
    // Every node but the root is in exactly one branch, behind its parent.
    #expect(tree.branches.flatMap(\.self) == Array(1..<count))
    for branch in tree.branches {
      for (a, b) in zip(branch, branch.dropFirst()) { #expect(tree.nodes[b].parent == a) }
    }
  }
}
