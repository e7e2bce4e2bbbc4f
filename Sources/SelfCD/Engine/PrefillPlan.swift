/// Where each new prompt starts from: nothing, a lane that already holds its beginning, or another new prompt.
///
/// Prompts form a tree. Sorted, each shares its longest prefix with its neighbour, so that one source per prompt is
/// enough to compute every shared run once.
struct PrefillPlan {
  struct Entry {
    /// Index into the prompts given to the plan.
    let prompt: Int
    let tokens: [TokenID]
    let lane: LaneID
    let start: Start
  }

  enum Start: Equatable {
    case empty
    /// The lane itself keeps its first `length` tokens.
    case kept(length: Int)
    /// Copied from a lane that is in the cache already.
    case copied(from: LaneID, length: Int)
    /// Copied from another entry of this plan, once that one has got so far.
    case shared(entry: Int, length: Int)
  }

  /// In lexicographic order of tokens; a `shared` entry always names an earlier one.
  let entries: [Entry]

  /// - Precondition: `table` has at least as many free lanes as there are prompts.
  init(prompts: [[TokenID]], table: LaneTable, capacity: BackendCapacity) {
    let minimumShare = capacity.minimumShare
    let order = prompts.indices.sorted { (prompts[$0], $0) <* (prompts[$1], $1) }
    var sources: [Start] = []
    for (position, index) in order.enumerated() {
      let prompt = prompts[index]
      let neighbour = position > 0 ? prompt.commonPrefixLength(with: prompts[order[position - 1]]) : 0
      // At least one token has to be decoded to get logits, unless a neighbour ends there and lends its row.
      let resident = table.longestMatch(for: prompt).map { ($0.lane, min($0.length, prompt.count - 1)) }
      let residentLength = resident?.1 ?? 0
      if neighbour >= residentLength, neighbour >= minimumShare || neighbour == prompt.count {
        sources.append(
          .shared(entry: Self.holder(of: neighbour, before: position, sources), length: neighbour))
      } else if let (lane, length) = resident, length >= minimumShare {
        sources.append(.copied(from: lane, length: length))
      } else {
        sources.append(.empty)
      }
    }

    // A free lane goes to the prompt that keeps most of it; whoever else wants its beginning copies first.
    var lanes: [LaneID?] = Array(repeating: nil, count: order.count)
    let free = Set(table.freeLanes)
    var claims: [LaneID: (position: Int, length: Int)] = [:]
    for (position, source) in sources.enumerated() {
      guard case .copied(let lane, let length) = source, free.contains(lane) else { continue }
      if length > claims[lane]?.length ?? -1 { claims[lane] = (position, length) }
    }
    for (lane, claim) in claims {
      lanes[claim.position] = lane
      sources[claim.position] = .kept(length: claim.length)
    }
    let unplaced = lanes.count { $0 == nil }
    var rest = table.freeLanes(
      unplaced, besides: Set(claims.keys), asNeighbours: capacity.prefersNeighbours
    ).makeIterator()
    var entries: [Entry] = []
    for (position, index) in order.enumerated() {
      guard let lane = lanes[position] ?? rest.next() else { break }
      entries.append(Entry(prompt: index, tokens: prompts[index], lane: lane, start: sources[position]))
    }
    self.entries = entries
  }
}

extension PrefillPlan {
  /// Empties the plan's lanes: after a failed call it is not known what they hold.
  func clear(on backend: any ModelBackend, table: inout LaneTable) {
    for entry in entries {
      backend.clearLane(entry.lane)
      table[entry.lane] = []
    }
  }

  /// The entry that itself computes the token at `length`: the neighbour, or the one the neighbour got it from.
  ///
  /// Models that cannot be cut back can only be copied from a lane that stops exactly there.
  private static func holder(of length: Int, before position: Int, _ sources: [Start]) -> Int {
    var holder = position - 1
    while case .shared(let entry, let shared) = sources[holder], shared >= length { holder = entry }
    return holder
  }
}

infix operator <* : ComparisonPrecedence

/// Lexicographic order of token sequences, then of indices, so that the plan is the same each time.
private func <* (a: ([TokenID], Int), b: ([TokenID], Int)) -> Bool {
  if a.0.lexicographicallyPrecedes(b.0) { return true }
  if b.0.lexicographicallyPrecedes(a.0) { return false }
  return a.1 < b.1
}
