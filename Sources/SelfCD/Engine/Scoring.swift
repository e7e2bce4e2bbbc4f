extension Engine {
  /// How likely a given text is behind one prompt or two: nothing is chosen, every token is given.
  ///
  /// Runs between two steps of whatever else is generated, on lanes that are free.
  ///
  /// - Parameters:
  ///   - continuation: the tokens of the text; not empty.
  ///   - prompts: what it follows, by lane.
  /// - Returns: one summary per token: its log-probability in each lane and, for two, how far they diverge.
  /// - Throws: ``GenerationError`` for a text or prompts that are empty, too long or not of the vocabulary, without
  ///   free lanes, or after ``shutdown()``; ``BackendError``.
  public func score(
    _ continuation: [TokenID], after prompts: [LaneRole: [TokenID]]
  ) throws -> [LaneSummary] {
    guard let backend else { throw GenerationError.engineStopped }
    let roles = LaneRole.allCases.filter { prompts[$0] != nil }
    try check(continuation, after: prompts, roles, on: backend)
    guard table.freeCount >= roles.count else {
      throw GenerationError.tooManyLanes(needed: roles.count, available: table.freeCount)
    }
    return try withLanes(for: roles.map { prompts[$0] ?? [] }, on: backend) { lanes, first in
      try score(continuation, on: lanes, roles, first: first, backend: backend)
    }
  }

  /// Tokens scored in one call: a row of logits is kept for each.
  private static var chunk: Int { 32 }

  private func score(
    _ continuation: [TokenID], on lanes: [LaneID], _ roles: [LaneRole], first: [[Float]],
    backend: any ModelBackend
  ) throws -> [LaneSummary] {
    func summary(_ rows: [[Float]], _ token: TokenID) -> LaneSummary {
      let logits = zip(roles, rows).reduce(into: [LaneRole: [Float]]()) { $0[$1.0] = $1.1 }
      return LaneSummary(LaneLogits(guarded: logits[.guarded], plain: logits[.plain]), token: token)
    }
    var result = [summary(first, continuation[0])]
    let size = max(1, min(Self.chunk, backend.capacity.batch / lanes.count))
    // The last token's own row is not needed.
    for start in stride(from: 0, to: continuation.count - 1, by: size) {
      let tokens = continuation[start..<min(start + size, continuation.count - 1)]
      var rows = Array(repeating: [[Float]](), count: lanes.count)
      try append(lanes.map { ($0, tokens) }, logits: .all, on: backend) { rows[$0].append($1) }
      for offset in 0..<tokens.count {
        result.append(summary(rows.map { $0[offset] }, continuation[start + offset + 1]))
      }
    }
    return result
  }

  private func check(
    _ continuation: [TokenID], after prompts: [LaneRole: [TokenID]], _ roles: [LaneRole],
    on backend: any ModelBackend
  ) throws {
    guard !continuation.isEmpty else { throw GenerationError.emptyContinuation }
    guard !roles.isEmpty else { throw GenerationError.emptyPrompt(.plain) }
    for role in roles {
      try backend.check(prompts[role] ?? [], of: role, followedBy: continuation.count)
    }
    try backend.check(tokens: continuation)
  }
}
