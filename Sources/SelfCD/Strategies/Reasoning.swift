/// The tokens that a model puts around its reasoning.
public struct ReasoningMarkers: Sendable, Hashable {
  public let start: [TokenID]
  public let end: [TokenID]
  /// Whether the rendered prompt already opened the block, so that the first generated token is inside it.
  public let isOpenAtStart: Bool
  /// Tokens of white space, which some models put before the block.
  public let blanks: Set<TokenID>

  public init(start: [TokenID], end: [TokenID], isOpenAtStart: Bool, blanks: Set<TokenID> = []) {
    self.start = start
    self.end = end
    self.isOpenAtStart = isOpenAtStart
    self.blanks = blanks
  }
}

/// Follows generated tokens and tells reasoning from the answer.
struct ReasoningTracker: Sendable {
  enum Phase { case undecided, reasoning, answer }
  /// What a token is: text of the reasoning, text of the answer, or a sign between the two.
  enum Part { case reasoning, marker, answer }

  private(set) var phase: Phase
  private let markers: ReasoningMarkers
  /// The latest tokens, as many as a marker is long.
  private var tail: [TokenID] = []

  init(_ markers: ReasoningMarkers) {
    self.markers = markers
    phase = markers.end.isEmpty ? .answer : markers.isOpenAtStart ? .reasoning : .undecided
  }

  mutating func accept(_ token: TokenID) -> Part {
    guard phase != .answer else { return .answer }
    if phase == .undecided, tail.isEmpty, markers.blanks.contains(token) { return .marker }
    tail = (tail + [token]).suffix(max(markers.start.count, markers.end.count))
    if tail.suffix(markers.end.count).elementsEqual(markers.end) {
      phase = .answer
      return .marker
    }
    guard phase == .undecided else { return .reasoning }
    if tail == markers.start {
      phase = .reasoning
      tail = []
      return .marker
    }
    if markers.start.starts(with: tail) || markers.end.starts(with: tail) { return .marker }
    phase = .answer
    return .answer
  }
}
