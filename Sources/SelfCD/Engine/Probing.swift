/// A question about the distribution behind some prompts: nothing is generated.
public struct Probe: Sendable {
  /// One prompt per lane, each role once, none empty.
  public var prompts: [LaneRole: [TokenID]]
  /// Combines the lanes' rows into one.
  public var rule: any DecodingRule

  /// Makes a probe.
  public init(prompts: [LaneRole: [TokenID]], rule: any DecodingRule) {
    self.prompts = prompts
    self.rule = rule
  }
}

/// What the lanes and the rule say behind one beginning of a reply.
public struct ProbeRow: Sendable {
  /// The lanes' raw logits.
  public let lanes: LaneLogits
  /// What the rule makes of them, `[vocabulary size]`.
  public let scores: [Float]
}

extension Engine {
  /// The next-token scores behind many prompts, and behind beginnings of a reply to each.
  ///
  /// Prompts are computed together: what they have in common is computed once, and equal prompts are one. Each
  /// beginning costs one further token a prompt. Runs in waves between the steps of whatever else is generated, on
  /// lanes that are free; cancelling the task ends it between two waves.
  ///
  /// - Parameters:
  ///   - probes: the prompts and how to combine them.
  ///   - beginnings: where to look; its root is the reply's first position.
  ///   - read: takes what it needs from a probe's rows, one for each node of `beginnings`; rows are not kept.
  /// - Returns: what `read` made of each probe.
  /// - Throws: ``GenerationError`` for prompts that are empty, too long or not of the vocabulary, without free lanes or
  ///   after ``shutdown()``; ``BackendError``, `CancellationError`, what `read` throws.
  public nonisolated func probe<Value: Sendable>(
    _ probes: [Probe], beginnings: TokenTree = TokenTree(),
    read: @escaping @Sendable (_ probe: Int, _ rows: [ProbeRow]) throws -> Value
  ) async throws -> [Value] {
    // Neighbours in this order share most, also from one wave to the next.
    var order = probes.indices.sorted { probes[$0].sortKey.lexicographicallyPrecedes(probes[$1].sortKey) }[
      ...]
    var values = [Value?](repeating: nil, count: probes.count)
    while !order.isEmpty {
      try Task.checkCancellation()
      let wave = try await probeWave(
        order.prefix(Self.largestWave).map { ($0, probes[$0]) }, beginnings, read)
      for (index, value) in zip(order, wave) { values[index] = value }
      order = order.dropFirst(wave.count)
    }
    return values.compactMap(\.self)
  }

  /// Rows are held for a whole wave; more than this many bytes of them are too much.
  private static var rowBudget: Int { 256 << 20 }

  /// More probes than this are not looked at for one wave.
  private static var largestWave: Int { 1024 }

  /// Answers as many of the first of `probes` as there is room for, at least one.
  private func probeWave<Value>(
    _ probes: [(index: Int, probe: Probe)], _ beginnings: TokenTree,
    _ read: (Int, [ProbeRow]) throws -> Value
  ) throws -> [Value] {
    guard let backend else { throw GenerationError.engineStopped }
    let rowBytes = backend.vocabulary.count * beginnings.nodes.count * MemoryLayout<Float>.size
    let affordable = max(2, Self.rowBudget / max(1, rowBytes))
    var known: [[TokenID]: Int] = [:]
    var prompts: [[TokenID]] = []
    var taken: [(index: Int, probe: Probe, lanes: [LaneRole: Int])] = []
    for (index, probe) in probes {
      try check(probe, beginnings, on: backend)
      let new = Set(probe.prompts.values).filter { known[$0] == nil }
      let room = min(table.freeCount, taken.isEmpty ? .max : affordable) - prompts.count
      guard new.count <= room else { break }
      var lanes: [LaneRole: Int] = [:]
      for (role, prompt) in probe.prompts {
        if known[prompt] == nil {
          known[prompt] = prompts.count
          prompts.append(prompt)
        }
        lanes[role] = known[prompt]
      }
      taken.append((index, probe, lanes))
    }
    guard !taken.isEmpty else {
      throw GenerationError.tooManyLanes(
        needed: Set(probes[0].probe.prompts.values).count, available: table.freeCount)
    }
    let rows = try rows(after: prompts, beginnings, on: backend)
    return try taken.map { index, probe, lanes in
      try read(
        index,
        Self.combined(probe.rule, beginnings) { node, role in
          lanes[role].map { rows[$0][node] }
        })
    }
  }

  /// Runs the rule along every beginning.
  private static func combined(
    _ rule: any DecodingRule, _ tree: TokenTree, row: (_ node: Int, _ role: LaneRole) -> [Float]?
  ) -> [ProbeRow] {
    // A rule is a value: each beginning goes on from its parent's state.
    var states: [any DecodingRule] = []
    return tree.nodes.enumerated().map { index, node in
      var state = node.parent.map { states[$0] } ?? rule
      if node.parent != nil { state.accept(node.token) }
      let lanes = LaneLogits(guarded: row(index, .guarded), plain: row(index, .plain))
      var scores: [Float] = []
      state.combine(lanes, step: node.depth, into: &scores)
      states.append(state)
      return ProbeRow(lanes: lanes, scores: scores)
    }
  }

  /// The rows of every beginning behind every prompt.
  private func rows(
    after prompts: [[TokenID]], _ beginnings: TokenTree, on backend: any ModelBackend
  ) throws -> [[[Float]]] {
    try withLanes(for: prompts, on: backend) { lanes, first in
      var rows = first.map { [$0] }
      for branch in beginnings.branches {
        try decode(branch, of: beginnings, behind: prompts, on: lanes, backend) { rows[$0].append($1) }
      }
      // Prompts are worth keeping, what was tried behind them is not.
      for (lane, prompt) in zip(lanes, prompts) where backend.truncateLane(lane, to: prompt.count) {
        table.truncate(lane, to: prompt.count)
      }
      return rows
    }
  }

  /// Reads the rows of a branch's nodes behind every prompt.
  private func decode(
    _ branch: [Int], of tree: TokenTree, behind prompts: [[TokenID]], on lanes: [LaneID],
    _ backend: any ModelBackend, row: (_ prompt: Int, _ row: [Float]) -> Void
  ) throws {
    guard let first = branch.first, let parent = tree.nodes[first].parent else { return }
    let head = tree.path(to: parent)
    // A model that cannot be cut back starts afresh; the rows up to the branch are known already.
    let missing = zip(lanes, prompts).map { lane, prompt in
      let kept = prompt.count + table[lane][prompt.count...].commonPrefixLength(with: head)
      if backend.truncateLane(lane, to: kept) {
        table.truncate(lane, to: kept)
      } else {
        backend.clearLane(lane)
        table[lane] = []
      }
      return (lane: lane, tokens: (prompt + head)[table[lane].count...])
    }
    try append(missing, logits: .none, on: backend)
    let tokens = branch.map { tree.nodes[$0].token }[...]
    try append(lanes.map { ($0, tokens) }, logits: .all, on: backend, read: row)
  }

  private func check(_ probe: Probe, _ beginnings: TokenTree, on backend: any ModelBackend) throws {
    guard !probe.prompts.isEmpty else { throw GenerationError.emptyPrompt(.plain) }
    try backend.check(tokens: beginnings.nodes.dropFirst().lazy.map(\.token))
    let depth = beginnings.nodes.map(\.depth).max() ?? 0
    for (role, prompt) in probe.prompts { try backend.check(prompt, of: role, followedBy: depth) }
  }
}

extension Probe {
  /// Probes that begin alike stand together in this order; the guarded lane is the longer one.
  fileprivate var sortKey: [TokenID] { prompts[.guarded] ?? prompts[.plain] ?? [] }
}
