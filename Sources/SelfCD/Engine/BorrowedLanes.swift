extension Engine {
  /// Computes prompts on free lanes and asks on from there, between two steps of whatever else is generated.
  ///
  /// The lanes are free again afterwards and keep what the table says they hold; after an error they are empty.
  ///
  /// - Precondition: there is a free lane for each prompt.
  func withLanes<R>(
    for prompts: [[TokenID]], on backend: any ModelBackend,
    _ body: (_ lanes: [LaneID], _ rows: [[Float]]) throws -> R
  ) throws -> R {
    let plan = PrefillPlan(prompts: prompts, table: table, capacity: backend.capacity)
    let lanes = plan.entries.sorted { $0.prompt < $1.prompt }.map(\.lane)
    for lane in lanes { table.take(lane) }
    defer { for lane in lanes { table.giveBack(lane) } }
    do {
      // On behalf of no generation, so that no cancellation ends it.
      return try cancellations.during([]) {
        var prefill = Prefill(plan)
        count(computed: try prefill.run(on: backend, table: &table).values.reduce(0, +))
        return try body(lanes, prompts.indices.map { prefill.rows[$0] ?? [] })
      }
    } catch {
      plan.clear(on: backend, table: &table)
      throw error
    }
  }

  /// Appends to lanes, in as many calls of the model as it takes.
  ///
  /// - Parameters:
  ///   - pieces: tokens for each lane, which may be none.
  ///   - logits: which rows are wanted.
  ///   - backend: the model.
  ///   - read: given each row, with the index of its piece, in the order of the tokens.
  /// - Throws: what the backend throws.
  func append(
    _ pieces: [(lane: LaneID, tokens: ArraySlice<TokenID>)], logits: LaneAppend.Logits,
    on backend: any ModelBackend, read: (_ piece: Int, _ row: [Float]) -> Void = { _, _ in }
  ) throws {
    var rest = pieces
    var rows = LogitRows(vocabularySize: backend.vocabulary.count)
    while rest.contains(where: { !$0.tokens.isEmpty }) {
      var appends: [LaneAppend] = []
      var owners: [Int] = []
      var room = backend.capacity.batch
      for index in rest.indices where room > 0 && !rest[index].tokens.isEmpty {
        let tokens = rest[index].tokens.prefix(room)
        appends.append(LaneAppend(lane: rest[index].lane, tokens: tokens, logits: logits))
        owners.append(index)
        room -= tokens.count
        rest[index].tokens.removeFirst(tokens.count)
      }
      rows.removeAll()
      try backend.decode(appends, into: &rows)
      count(computed: appends.reduce(0) { $0 + $1.tokens.count })
      var row = 0
      for (append, owner) in zip(appends, owners) {
        table.append(append.tokens, to: append.lane)
        guard logits == .all else { continue }
        for _ in append.tokens {
          read(owner, rows[row])
          row += 1
        }
      }
    }
  }
}
