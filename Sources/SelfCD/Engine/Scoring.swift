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
    let plan = PrefillPlan(
      prompts: roles.map { prompts[$0] ?? [] }, table: table, capacity: backend.capacity)
    let lanes = plan.entries.sorted { $0.prompt < $1.prompt }.map(\.lane)
    for lane in lanes { table.take(lane) }
    defer { for lane in lanes { table.giveBack(lane) } }
    do {
      // On behalf of no generation, so that no cancellation ends it.
      return try cancellations.during([]) {
        var prefill = Prefill(plan)
        try prefill.run(on: backend, table: &table)
        let first = roles.indices.map { prefill.rows[$0] ?? [] }
        return try score(continuation, on: lanes, roles, first: first, backend: backend)
      }
    } catch {
      for lane in lanes {
        backend.clearLane(lane)
        table[lane] = []
      }
      throw error
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
    var rows = LogitRows(vocabularySize: backend.vocabulary.count)
    let size = max(1, min(Self.chunk, backend.capacity.batch / lanes.count))
    // The last token's own row is not needed.
    for start in stride(from: 0, to: continuation.count - 1, by: size) {
      let tokens = continuation[start..<min(start + size, continuation.count - 1)]
      rows.removeAll()
      try backend.decode(lanes.map { LaneAppend(lane: $0, tokens: tokens, logits: .all) }, into: &rows)
      for lane in lanes { table.append(tokens, to: lane) }
      for offset in 0..<tokens.count {
        result.append(
          summary(lanes.indices.map { rows[$0 * tokens.count + offset] }, continuation[start + offset + 1]))
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
      let prompt = prompts[role] ?? []
      guard !prompt.isEmpty else { throw GenerationError.emptyPrompt(role) }
      let total = prompt.count + continuation.count
      guard total <= backend.capacity.context else {
        throw GenerationError.promptTooLong(role: role, tokens: total, context: backend.capacity.context)
      }
      if let invalid = (prompt + continuation).first(where: { $0 < 0 || $0 >= backend.vocabulary.count }) {
        throw GenerationError.invalidToken(invalid, vocabulary: backend.vocabulary.count)
      }
    }
  }
}
