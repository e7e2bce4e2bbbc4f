/// Which lane holds what, and who uses it.
///
/// A lane given back keeps its tokens until it is needed for something else, so that a later prompt with the same
/// beginning (the next turn of a chat, the same system prompt) starts from there.
///
/// Generations that have decoded the same tokens so far share one lane: the conditions of a sweep mostly agree, and
/// are computed once until they part. Each user counts as a lane of its own in ``freeCount``, so that there is
/// always a lane to part to.
struct LaneTable {
  struct Slot {
    /// Tokens in the backend's cache for this lane.
    var tokens: [TokenID] = []
    /// Generations' lanes that this slot stands for.
    var users = 0
    /// Larger is more recent.
    var lastUse = 0
  }

  private(set) var slots: [Slot]
  private var clock = 0

  init(count: Int) {
    slots = Array(repeating: Slot(), count: count)
  }

  /// Users that can still be taken in; less than the number of ``freeLanes`` where lanes are shared.
  var freeCount: Int { slots.count - slots.reduce(0) { $0 + $1.users } }
  var freeLanes: [LaneID] { slots.indices.filter { slots[$0].users == 0 }.map(LaneID.init) }

  func users(of lane: LaneID) -> Int { slots[lane.index].users }

  subscript(lane: LaneID) -> [TokenID] {
    get { slots[lane.index].tokens }
    set { slots[lane.index].tokens = newValue }
  }

  mutating func append(_ tokens: ArraySlice<TokenID>, to lane: LaneID) {
    slots[lane.index].tokens += tokens
  }

  mutating func truncate(_ lane: LaneID, to count: Int) {
    slots[lane.index].tokens.removeLast(slots[lane.index].tokens.count - count)
  }

  /// Adds a user.
  mutating func take(_ lane: LaneID) {
    slots[lane.index].users += 1
  }

  /// Takes a user off; the lane is free when the last one has gone.
  mutating func giveBack(_ lane: LaneID) {
    clock += 1
    slots[lane.index].users -= 1
    slots[lane.index].lastUse = clock
  }

  /// The lane whose tokens agree longest with the beginning of `prompt`.
  func longestMatch(for prompt: [TokenID]) -> (lane: LaneID, length: Int)? {
    slots.indices
      .map { (lane: LaneID($0), length: prompt.commonPrefixLength(with: slots[$0].tokens)) }
      .max { ($0.length, rank($0.lane)) < ($1.length, rank($1.lane)) }
  }

  /// Of equal matches a free lane is better: it need not be copied.
  private func rank(_ lane: LaneID) -> Int { users(of: lane) > 0 ? 0 : 1 }

  /// The free lanes to put new prompts in.
  ///
  /// Those with the least to lose come first: empty ones, then the least recently used.
  ///
  /// - Parameters:
  ///   - claimed: free lanes that are spoken for.
  ///   - asNeighbours: whether lanes beside those in use are better still, so that all in use form few unbroken rows.
  /// - Returns: at most `count`.
  func freeLanes(_ count: Int, besides claimed: Set<LaneID> = [], asNeighbours: Bool) -> [LaneID] {
    let byAge = slots.indices
      .filter { slots[$0].users == 0 && !claimed.contains(LaneID($0)) }
      .sorted { a, b in
        if slots[a].tokens.isEmpty != slots[b].tokens.isEmpty { return slots[a].tokens.isEmpty }
        return (slots[a].lastUse, a) < (slots[b].lastUse, b)
      }
    guard asNeighbours else { return byAge.prefix(count).map(LaneID.init) }
    var isUsed = slots.indices.map { slots[$0].users > 0 || claimed.contains(LaneID($0)) }
    func neighbours(_ lane: Int) -> Int {
      (lane > 0 && isUsed[lane - 1] ? 1 : 0) + (lane + 1 < isUsed.count && isUsed[lane + 1] ? 1 : 0)
    }
    var left = byAge
    var chosen: [LaneID] = []
    while chosen.count < count, !left.isEmpty {
      // The first of the best, so that age decides among equals.
      let best = left.indices.reduce(0) { neighbours(left[$1]) > neighbours(left[$0]) ? $1 : $0 }
      let lane = left.remove(at: best)
      isUsed[lane] = true
      chosen.append(LaneID(lane))
    }
    return chosen
  }
}

extension Sequence<TokenID> {
  func commonPrefixLength(with other: some Sequence<TokenID>) -> Int {
    var length = 0
    for (a, b) in zip(self, other) {
      guard a == b else { break }
      length += 1
    }
    return length
  }
}
