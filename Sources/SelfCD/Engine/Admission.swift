/// Generations that were taken in together, while their prompts are computed: call by call, so that what is live
/// already goes on in between.
struct Admission {
  /// Those whose prompts are not computed yet.
  private(set) var generations: [LiveGeneration]
  private var prefill: Prefill
  /// Indices of each generation's prompts in the plan. Equal prompts are one, whose lane all of them use.
  private let prompts: [Int: [LaneRole: Int]]
  /// The probes of generations whose prompts are computed; with the last of them they are ready.
  private var reading: (of: [Int], probes: ProbeReading)?
  /// Decoded tokens that no generation has been charged with yet, by prompt.
  private var uncharged: [Int: Int] = [:]

  /// Plans the prompts and takes their lanes.
  ///
  /// - Precondition: `table` has a free lane for each of them.
  init(_ generations: [LiveGeneration], table: inout LaneTable, capacity: BackendCapacity) {
    var generations = generations
    var known: [[TokenID]: Int] = [:]
    var distinct: [[TokenID]] = []
    var prompts: [Int: [LaneRole: Int]] = [:]
    for generation in generations {
      for (role, prompt) in generation.request.prompts.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
        if known[prompt] == nil {
          known[prompt] = distinct.count
          distinct.append(prompt)
        }
        prompts[generation.id, default: [:]][role] = known[prompt]
      }
    }
    let plan = PrefillPlan(prompts: distinct, table: table, capacity: capacity)
    let laneOf = plan.entries.reduce(into: [Int: LaneID]()) { $0[$1.prompt] = $1.lane }
    for index in generations.indices {
      generations[index].lanes = prompts[generations[index].id]?.compactMapValues { laneOf[$0] } ?? [:]
      for lane in generations[index].lanes.values { table.take(lane) }
    }
    self.generations = generations
    self.prompts = prompts
    prefill = Prefill(plan)
  }

  /// One call of the model, for prompts or for probes.
  ///
  /// - Parameters:
  ///   - budget: the most tokens in it.
  ///   - probeLanes: the most lanes that probes are read on at a time.
  ///   - backend: the model.
  ///   - table: who has which lane.
  ///   - computed: what the call computes is added to it.
  /// - Returns: the generations that are ready with it, and their first rows.
  /// - Throws: what the backend throws.
  mutating func advance(
    budget: Int, probeLanes: Int, on backend: any ModelBackend, table: inout LaneTable, computed: inout Int
  ) throws -> [(generation: LiveGeneration, logits: LaneLogits)] {
    if reading == nil {
      let decoded = try prefill.advance(budget: budget, on: backend, table: &table)
      uncharged.merge(decoded, uniquingKeysWith: +)
      computed += decoded.values.reduce(0, +)
      let held = heldBack()
      let ready = generations.filter { !held.contains($0.id) }
      guard !ready.isEmpty else { return [] }
      reading = (ready.map(\.id), ProbeReading(ready.map(\.request.probes)))
    } else {
      // Nobody leaves this admission before: what fails here fails those that wait for it, too.
      computed +=
        try reading?.probes.advance(budget: budget, lanes: probeLanes, on: backend, table: &table) ?? 0
    }
    guard let (ids, probes) = reading, probes.isDone else { return [] }
    reading = nil
    let ready = generations.filter { ids.contains($0.id) }
    generations.removeAll { ids.contains($0.id) }
    return ready.enumerated().map { index, generation in
      let rows = prompts[generation.id, default: [:]].compactMapValues { prefill.rows[$0] }
      let logits = LaneLogits(guarded: rows[.guarded], plain: rows[.plain])
      var generation = charged(generation)
      generation.wasPrefilled(tokens: probes.decodedTokens[index])
      generation.read(probes: probes.rows, beside: logits)
      return (generation, logits)
    }
  }

  /// Generations that lack a row, and those that share a lane with one of them: who goes on alone would write into it.
  private func heldBack() -> Set<Int> {
    var held: Set<Int> = []
    var lacking = Set(prompts.values.flatMap(\.values)).subtracting(prefill.rows.keys)
    while true {
      let more = generations.filter { generation in
        !held.contains(generation.id)
          && prompts[generation.id, default: [:]].values.contains(where: lacking.contains)
      }
      guard !more.isEmpty else { return held }
      held.formUnion(more.map(\.id))
      lacking.formUnion(more.flatMap { prompts[$0.id, default: [:]].values })
    }
  }

  /// Gives the lanes of those that are left back, with what they hold, to plan anew.
  mutating func dissolve(table: inout LaneTable) -> [LiveGeneration] {
    var left = generations
    generations = []
    reading?.probes.stop(table: &table)
    for index in left.indices {
      for lane in left[index].lanes.values { table.giveBack(lane) }
      left[index] = charged(left[index])
      if let place = reading?.of.firstIndex(of: left[index].id) {
        left[index].wasPrefilled(tokens: reading?.probes.decodedTokens[place] ?? 0)
      }
      left[index].lanes = [:]
    }
    return left
  }

  /// A prompt that several asked for was computed for the first of them.
  private mutating func charged(_ generation: LiveGeneration) -> LiveGeneration {
    var generation = generation
    for (role, prompt) in prompts[generation.id, default: [:]] {
      generation.wasPrefilled(tokens: uncharged.removeValue(forKey: prompt) ?? 0, in: role)
    }
    return generation
  }
}
