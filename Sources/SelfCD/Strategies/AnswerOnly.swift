/// When contrast, and the count of a strategy's first k tokens, begins on a model that reasons before it answers.
public enum ContrastStart: String, Codable, Sendable, Hashable, CaseIterable {
  /// With the first generated token, reasoning included.
  case reasoning
  /// With the first token of the final answer; the reasoning is decoded as in the guarded lane.
  case answer
}

/// Delays another rule until the reasoning block has ended.
///
/// Inside the block the guarded lane decides alone (or the only lane there is): a deployer who asked for safety
/// keeps it while the model thinks. Every lane still receives every token. Until it is known whether the model
/// reasons at all, the other rule decides, since that token may be the first of the answer.
public struct AnswerOnlyRule: DecodingRule {
  private var inner: any DecodingRule
  private var tracker: ReasoningTracker
  private let markers: ReasoningMarkers
  private let roles: Set<LaneRole>
  /// Steps counted by the inner rule, from the start of the answer.
  private var answerSteps = 0

  public init(_ inner: any DecodingRule, markers: ReasoningMarkers, roles: Set<LaneRole>) {
    self.inner = inner
    self.roles = roles
    self.markers = markers
    tracker = ReasoningTracker(markers)
  }

  /// Where the model is about to reason, what it would say at once tells nothing about its answer.
  public mutating func read(probes: [[Float]], beside lanes: LaneLogits) {
    guard tracker.phase != .reasoning,
      !roles.contains(where: { Argmax.first(of: lanes[$0])?.token == markers.start.first })
    else { return }
    inner.read(probes: probes, beside: lanes)
  }

  private var reasoningLane: LaneRole { roles.contains(.guarded) ? .guarded : .plain }

  public mutating func combine(_ lanes: LaneLogits, step: Int, into scores: inout [Float]) {
    if tracker.phase == .reasoning {
      scores = lanes[reasoningLane]
    } else {
      inner.combine(lanes, step: answerSteps, into: &scores)
    }
  }

  public mutating func greedy(_ lanes: LaneLogits, step: Int, scratch: inout [Float]) -> ScoredToken? {
    tracker.phase == .reasoning
      ? Argmax.first(of: lanes[reasoningLane])
      : inner.greedy(lanes, step: answerSteps, scratch: &scratch)
  }

  public mutating func accept(_ token: TokenID) {
    guard tracker.accept(token) == .answer else { return }
    inner.accept(token)
    answerSteps += 1
  }

  public func lanesNeeded(afterStep step: Int) -> Set<LaneRole> {
    answerSteps > 0 ? inner.lanesNeeded(afterStep: answerSteps - 1) : roles
  }
}
