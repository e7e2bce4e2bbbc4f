/// Reads the logits behind the probes of generations that were just admitted, on whatever lanes are free.
///
/// Equal probes, as the conditions of a sweep have them, are computed once. The lanes are free again afterwards and
/// keep their tokens, like those of a generation that has ended.
struct ProbeReading {
  /// The row behind each probe, by its tokens.
  private(set) var rows: [[TokenID]: [Float]] = [:]
  /// Tokens computed for each generation's probes; a probe that several have counts for the first.
  private(set) var decodedTokens: [Int]

  private var queue: [(probe: [TokenID], owner: Int)] = []

  /// - Parameter probes: those of each generation.
  init(_ probes: [[[TokenID]]]) {
    decodedTokens = Array(repeating: 0, count: probes.count)
    var known: Set<[TokenID]> = []
    for (owner, own) in probes.enumerated() {
      for probe in own where known.insert(probe).inserted { queue.append((probe, owner)) }
    }
  }

  /// - Throws: what the backend throws; the lanes that were used are then cleared.
  mutating func run(on backend: any ModelBackend, table: inout LaneTable) throws {
    while !queue.isEmpty {
      let group = Array(queue.prefix(table.freeLanes.count))
      guard !group.isEmpty else { throw BackendError.cacheFull }
      let plan = PrefillPlan(prompts: group.map(\.probe), table: table, capacity: backend.capacity)
      var prefill = Prefill(plan)
      let decoded: [Int: Int]
      do {
        decoded = try prefill.run(on: backend, table: &table)
      } catch {
        for entry in plan.entries {
          backend.clearLane(entry.lane)
          table[entry.lane] = []
        }
        throw error
      }
      for (index, item) in group.enumerated() {
        rows[item.probe] = prefill.rows[index]
        decodedTokens[item.owner] += decoded[index] ?? 0
      }
      queue.removeFirst(group.count)
    }
  }
}
