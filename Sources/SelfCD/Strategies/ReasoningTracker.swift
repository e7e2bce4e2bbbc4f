/// Follows generated tokens and tells reasoning from the answer.
///
/// A marker of several tokens is only known by its last one, and an answer may begin as a marker does: tokens that may
/// belong to a marker are held back until what follows tells.
struct ReasoningTracker: Sendable {
  enum Phase { case undecided, reasoning, answer }
  /// Tokens, in the order in which they came, of which it is now known what they are.
  struct Run: Equatable {
    let part: TokenPart
    let count: Int
  }

  private(set) var phase: Phase
  private let markers: ReasoningMarkers
  /// The latest tokens, where they are the beginning of a marker.
  private var held: [TokenID] = []

  init(_ markers: ReasoningMarkers) {
    self.markers = markers
    phase = markers.end.isEmpty ? .answer : markers.isOpenAtStart ? .reasoning : .undecided
  }

  /// - Returns: what is known with this token; empty while it is held back.
  mutating func accept(_ token: TokenID) -> [Run] {
    switch phase {
    case .answer: return [Run(part: .answer, count: 1)]
    case .undecided:
      if held.isEmpty, markers.blanks.contains(token) { return [Run(part: .marker, count: 1)] }
      held.append(token)
      if held == markers.end { return release(held.count, as: .marker, then: .answer) }
      if held == markers.start { return release(held.count, as: .marker, then: .reasoning) }
      if markers.start.starts(with: held) || markers.end.starts(with: held) { return [] }
      return release(held.count, as: .answer, then: .answer)
    case .reasoning:
      held.append(token)
      if held == markers.end { return release(held.count, as: .marker, then: .answer) }
      // The rest of a false beginning may be the beginning of the true marker.
      let kept = (0..<held.count).first { markers.end.starts(with: held[$0...]) } ?? held.count
      return kept == 0 ? [] : release(kept, as: .reasoning, then: .reasoning)
    }
  }

  /// What is still held back is no marker where nothing follows.
  mutating func finish() -> [Run] {
    held.isEmpty ? [] : release(held.count, as: phase == .reasoning ? .reasoning : .answer, then: phase)
  }

  private mutating func release(_ count: Int, as part: TokenPart, then phase: Phase) -> [Run] {
    held.removeFirst(count)
    self.phase = phase
    return [Run(part: part, count: count)]
  }
}
