/// Carries out a ``PrefillPlan`` on a backend: every shared run of tokens is decoded once, in the batches the
/// backend allows.
struct Prefill {
  /// A prompt's logits at its last token, by index of the prompt.
  private(set) var rows: [Int: [Float]] = [:]

  private let plan: PrefillPlan
  private var hasBegun = false
  private var buffer = LogitRows(vocabularySize: 0)
  /// Tokens each entry's lane holds.
  private var done: [Int]
  /// Entries that wait for a source, with the length they wait for.
  private var waiting: [Int: (source: Int, length: Int)] = [:]

  init(_ plan: PrefillPlan) {
    self.plan = plan
    done = Array(repeating: 0, count: plan.entries.count)
  }

  /// Computes all that is left, in as many calls of the model as it takes.
  ///
  /// - Throws: what the backend throws; lanes of the plan are then in no defined state.
  mutating func run(on backend: any ModelBackend, table: inout LaneTable) throws {
    while try !advance(budget: backend.capacity.batch, on: backend, table: &table).isEmpty {}
  }

  /// One call of the model, with at most `budget` tokens in it.
  ///
  /// What an entry that has reached its end lends to others is copied before this returns, so that its lane may go on.
  ///
  /// - Returns: the tokens that were decoded for each prompt, by index; shared ones count for the prompt that came
  ///   first. Empty where all is done.
  /// - Throws: what the backend throws; lanes of the plan are then in no defined state.
  mutating func advance(
    budget: Int, on backend: any ModelBackend, table: inout LaneTable
  ) throws -> [Int: Int] {
    if !hasBegun {
      hasBegun = true
      buffer = LogitRows(vocabularySize: backend.vocabulary.count)
      try placeResidents(on: backend, table: &table)
      try copyShared(on: backend, table: &table)
    }
    let decoded = try decodeRuns(budget: budget, on: backend, table: &table)
    try copyShared(on: backend, table: &table)
    return decoded
  }

  private mutating func placeResidents(on backend: any ModelBackend, table: inout LaneTable) throws {
    // Copies come before the lanes they are taken from are cut short.
    for (index, entry) in plan.entries.enumerated() {
      switch entry.start {
      case .copied(let source, let length):
        Self.clear(entry.lane, on: backend, table: &table)
        try copy(source, length: length, to: index, on: backend, table: &table)
      case .empty, .shared, .kept: break
      }
    }
    for (index, entry) in plan.entries.enumerated() {
      switch entry.start {
      case .kept(let length):
        if backend.truncateLane(entry.lane, to: length) {
          table.truncate(entry.lane, to: length)
          done[index] = length
        } else {
          Self.clear(entry.lane, on: backend, table: &table)
        }
      case .shared(let source, let length):
        Self.clear(entry.lane, on: backend, table: &table)
        waiting[index] = (source, length)
      case .empty: Self.clear(entry.lane, on: backend, table: &table)
      case .copied: break
      }
    }
  }

  private mutating func copyShared(on backend: any ModelBackend, table: inout LaneTable) throws {
    for index in plan.entries.indices {
      guard let (source, length) = waiting[index], waiting[source] == nil, done[source] >= length else {
        continue
      }
      waiting[index] = nil
      try copy(plan.entries[source].lane, length: length, to: index, on: backend, table: &table)
      // A row computed where the source passed this prompt's end serves both.
      if done[index] == plan.entries[index].tokens.count, rows[plan.entries[index].prompt] == nil {
        let donor = plan.entries[source]
        if donor.tokens.count == length, let row = rows[donor.prompt] {
          rows[plan.entries[index].prompt] = row
        } else {
          // No row at this point: decode the last token again.
          shorten(index, by: 1, on: backend, table: &table)
        }
      }
    }
  }

  private mutating func decodeRuns(
    budget: Int, on backend: any ModelBackend, table: inout LaneTable
  ) throws -> [Int: Int] {
    var appends: [LaneAppend] = []
    var completed: [(entry: Int, row: Bool)] = []
    var room = budget
    for (index, entry) in plan.entries.enumerated()
    where room > 0 && waiting[index] == nil && done[index] < entry.tokens.count {
      // Stop where another prompt branches off, so that it is copied from exactly there: recurrent models cannot
      // be cut back afterwards.
      let branch = waiting.values.filter { $0.source == index && $0.length > done[index] }.map(\.length).min()
      let end = min(branch ?? .max, entry.tokens.count, done[index] + room)
      let tokens = entry.tokens[done[index]..<end]
      let isPromptEnd = end == entry.tokens.count
      appends.append(LaneAppend(lane: entry.lane, tokens: tokens, logits: isPromptEnd ? .last : .none))
      completed.append((index, isPromptEnd))
      room -= tokens.count
      done[index] = end
    }
    guard !appends.isEmpty else { return [:] }
    buffer.removeAll()
    try backend.decode(appends, into: &buffer)
    var decoded: [Int: Int] = [:]
    var row = 0
    for (append, item) in zip(appends, completed) {
      table.append(append.tokens, to: append.lane)
      decoded[plan.entries[item.entry].prompt, default: 0] += append.tokens.count
      guard item.row else { continue }
      rows[plan.entries[item.entry].prompt] = buffer[row]
      row += 1
    }
    return decoded
  }

  private mutating func copy(
    _ source: LaneID, length: Int, to index: Int, on backend: any ModelBackend, table: inout LaneTable
  ) throws {
    let target = plan.entries[index].lane
    try backend.copyLane(source, to: target)
    table[target] = table[source]
    done[index] = table[target].count
    shorten(index, by: table[target].count - length, on: backend, table: &table)
  }

  /// Takes tokens off an entry's lane, or starts it afresh on a model that cannot.
  private mutating func shorten(
    _ index: Int, by count: Int, on backend: any ModelBackend, table: inout LaneTable
  ) {
    guard count > 0 else { return }
    let lane = plan.entries[index].lane
    let target = done[index] - count
    if backend.truncateLane(lane, to: target) {
      table.truncate(lane, to: target)
      done[index] = target
    } else {
      Self.clear(lane, on: backend, table: &table)
      done[index] = 0
    }
  }

  private static func clear(_ lane: LaneID, on backend: any ModelBackend, table: inout LaneTable) {
    backend.clearLane(lane)
    table[lane] = []
  }
}
