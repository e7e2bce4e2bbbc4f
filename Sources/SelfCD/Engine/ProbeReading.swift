/// Reads the logits behind the probes of generations that were just admitted, on a few free lanes, call by call.
///
/// Equal probes, as the conditions of a sweep have them, are computed once. The lanes are free again afterwards and
/// keep their tokens, like those of a generation that has ended.
struct ProbeReading {
  /// The row behind each probe, by its tokens.
  private(set) var rows: [[TokenID]: [Float]] = [:]
  /// Tokens computed so far for each generation's probes; a probe that several have counts for the first.
  private(set) var decodedTokens: [Int]

  private var queue: [(probe: [TokenID], owner: Int)] = []
  /// Those that are being computed, on lanes that are taken.
  private var group: (plan: PrefillPlan, prefill: Prefill, count: Int)?

  /// - Parameter probes: those of each generation.
  init(_ probes: [[[TokenID]]]) {
    decodedTokens = Array(repeating: 0, count: probes.count)
    var known: Set<[TokenID]> = []
    for (owner, own) in probes.enumerated() {
      for probe in own where known.insert(probe).inserted { queue.append((probe, owner)) }
    }
  }

  /// Whether every probe has its row.
  var isDone: Bool { queue.isEmpty }

  /// One call of the model.
  ///
  /// - Parameters:
  ///   - budget: the most tokens in it.
  ///   - lanes: the most probes that are read side by side; each is a row of logits in one call.
  /// - Returns: the tokens that were computed.
  /// - Throws: what the backend throws; the lanes that were used are then cleared.
  mutating func advance(
    budget: Int, lanes: Int, on backend: any ModelBackend, table: inout LaneTable
  ) throws -> Int {
    guard !isDone else { return 0 }
    var (plan, prefill, count) = try group ?? begin(min(lanes, table.freeCount), backend, table: &table)
    // Two copies of it would make every change a copy of the rows.
    group = nil
    let decoded: [Int: Int]
    do {
      decoded = try prefill.advance(budget: budget, on: backend, table: &table)
    } catch {
      plan.clear(on: backend, table: &table)
      giveBack(plan, table: &table)
      throw error
    }
    for (index, tokens) in decoded { decodedTokens[queue[index].owner] += tokens }
    if prefill.rows.count == count {
      for index in 0..<count { rows[queue[index].probe] = prefill.rows[index] }
      queue.removeFirst(count)
      giveBack(plan, table: &table)
    } else {
      group = (plan, prefill, count)
    }
    return decoded.values.reduce(0, +)
  }

  /// Gives the lanes back that are in use.
  mutating func stop(table: inout LaneTable) {
    if let plan = group?.plan { giveBack(plan, table: &table) }
    group = nil
  }

  private func begin(
    _ lanes: Int, _ backend: any ModelBackend, table: inout LaneTable
  ) throws -> (plan: PrefillPlan, prefill: Prefill, count: Int) {
    let probes = queue.prefix(lanes).map(\.probe)
    guard !probes.isEmpty else { throw BackendError.cacheFull }
    let plan = PrefillPlan(prompts: probes, table: table, capacity: backend.capacity)
    // Others' lanes part between two calls, and must find those free that they count on.
    for entry in plan.entries { table.take(entry.lane) }
    return (plan, Prefill(plan), probes.count)
  }

  private func giveBack(_ plan: PrefillPlan, table: inout LaneTable) {
    for entry in plan.entries { table.giveBack(entry.lane) }
  }
}
