/// When contrast, and the count of a strategy's first k tokens, begins on a model that reasons before it answers.
public enum ContrastStart: String, Codable, Sendable, Hashable, CaseIterable {
  /// With the first generated token, reasoning included.
  case reasoning
  /// With the first token of the final answer; the reasoning is decoded as in the guarded lane.
  case answer
}

/// The tokens that a model puts around its reasoning.
public struct ReasoningMarkers: Sendable, Hashable {
  public let start: [TokenID]
  public let end: [TokenID]
  /// Whether the rendered prompt already opened the block, so that the first generated token is inside it.
  public let isOpenAtStart: Bool

  public init(start: [TokenID], end: [TokenID], isOpenAtStart: Bool) {
    self.start = start
    self.end = end
    self.isOpenAtStart = isOpenAtStart
  }
}

/// Delays another rule until the reasoning block has ended.
///
/// Inside the block the guarded lane decides alone (or the only lane there is): a deployer who asked for safety
/// keeps it while the model thinks. Every lane still receives every token.
public struct AnswerOnlyRule: DecodingRule {
  private var inner: any DecodingRule
  private let markers: ReasoningMarkers
  private let roles: Set<LaneRole>
  private var tail: [TokenID] = []
  private var state: State
  /// Steps counted by the inner rule, from the start of the answer.
  private var answerSteps = 0

  private enum State { case undecided, reasoning, answering }

  public init(_ inner: any DecodingRule, markers: ReasoningMarkers, roles: Set<LaneRole>) {
    self.inner = inner
    self.markers = markers
    self.roles = roles
    state = markers.end.isEmpty ? .answering : markers.isOpenAtStart ? .reasoning : .undecided
  }

  private var reasoningLane: LaneRole { roles.contains(.guarded) ? .guarded : .plain }

  public mutating func combine(_ lanes: LaneLogits, step: Int, into scores: inout [Float]) {
    if state == .reasoning {
      scores = lanes[reasoningLane]
    } else {
      inner.combine(lanes, step: answerSteps, into: &scores)
    }
  }

  public mutating func greedy(_ lanes: LaneLogits, step: Int, scratch: inout [Float]) -> ScoredToken? {
    state == .reasoning
      ? Argmax.first(of: lanes[reasoningLane])
      : inner.greedy(lanes, step: answerSteps, scratch: &scratch)
  }

  public mutating func accept(_ token: TokenID) {
    tail.append(token)
    switch state {
    case .reasoning:
      if tail.ends(with: markers.end) { state = .answering }
    case .undecided:
      if !markers.start.isEmpty, markers.start.starts(with: tail) || tail == markers.start {
        if tail == markers.start {
          state = .reasoning
          answerSteps = 0
        }
      } else {
        state = .answering
        inner.accept(token)
        answerSteps += 1
      }
    case .answering:
      inner.accept(token)
      answerSteps += 1
    }
    if tail.count > max(markers.start.count, markers.end.count) { tail.removeFirst() }
  }

  public func lanesNeeded(afterStep step: Int) -> Set<LaneRole> {
    state == .answering && answerSteps > 0 ? inner.lanesNeeded(afterStep: answerSteps - 1) : roles
  }
}

extension [TokenID] {
  fileprivate func ends(with other: [TokenID]) -> Bool {
    !other.isEmpty && count >= other.count && suffix(other.count).elementsEqual(other)
  }
}
