/// Delays another rule until the reasoning block has ended.
///
/// Inside the block one lane decides alone, as the strategy says (``DecodingStrategy/reasoningLane``), or the only one there
/// is. Every lane still receives every token. Until it is known whether the model
/// reasons at all, the other rule decides, since that token may be the first of the answer; where it was not, the other
/// rule starts afresh behind it.
public struct AnswerOnlyRule: DecodingRule {
  private var inner: any DecodingRule
  /// The other rule as it was given: it has read and accepted nothing.
  private let fresh: any DecodingRule
  private var tracker: ReasoningTracker
  private let markers: ReasoningMarkers
  private let roles: Set<LaneRole>
  private let reasoningLane: LaneRole
  /// Steps counted by the inner rule, from the start of the answer.
  private var answerSteps = 0

  /// Delays a rule.
  ///
  /// - Parameters:
  ///   - inner: the rule that decides from the answer on; it has read and accepted nothing.
  ///   - markers: how the model marks its reasoning.
  ///   - roles: the lanes of the generation; all of them are kept until the answer begins.
  ///   - reasoningLane: the one that decides while the model reasons, where it is among them.
  public init(
    _ inner: any DecodingRule, markers: ReasoningMarkers, roles: Set<LaneRole>,
    reasoningLane: LaneRole = .guarded
  ) {
    self.inner = inner
    fresh = inner
    self.roles = roles
    self.reasoningLane = roles.contains(reasoningLane) ? reasoningLane : roles.first ?? reasoningLane
    self.markers = markers
    tracker = ReasoningTracker(markers)
  }

  /// Whether probes may tell anything: behind a prompt that has opened the block they do not.
  var readsProbes: Bool { tracker.phase != .reasoning }

  /// Where the model is about to reason, what it would say at once tells nothing about its answer.
  public mutating func read(probes: [[Float]], beside lanes: LaneLogits) {
    guard readsProbes,
      !roles.contains(where: { Argmax.first(of: lanes[$0])?.token == markers.start.first })
    else { return }
    inner.read(probes: probes, beside: lanes)
  }

  /// Inside the reasoning that lane's logits, or the only lane's; from the answer on the inner rule's scores,
  /// whose step 0 is the first token of the answer.
  public mutating func combine(_ lanes: LaneLogits, step: Int, into scores: inout [Float]) {
    if tracker.phase == .reasoning {
      scores = lanes[reasoningLane]
    } else {
      inner.combine(lanes, step: answerSteps, into: &scores)
    }
  }

  /// As ``combine(_:step:into:)``, with the inner rule's own short cut where it decides.
  public mutating func greedy(_ lanes: LaneLogits, step: Int, scratch: inout [Float]) -> ScoredToken? {
    tracker.phase == .reasoning
      ? Argmax.first(of: lanes[reasoningLane])
      : inner.greedy(lanes, step: answerSteps, scratch: &scratch)
  }

  /// Follows the markers: the inner rule starts afresh behind one, and tokens of the reasoning are not passed on to it.
  public mutating func accept(_ token: TokenID) {
    let wasReasoning = tracker.phase == .reasoning
    let known = tracker.accept(token)
    guard !wasReasoning else { return }
    if known.contains(where: { $0.part == .marker }) {
      inner = fresh
      answerSteps = 0
    } else {
      // A token that is held back counts as one of the answer until it turns out to be part of a marker.
      inner.accept(token)
      answerSteps += 1
    }
  }

  /// All lanes while the model reasons, and then what the inner rule needs, by its own count of steps.
  public func lanesNeeded(afterStep step: Int) -> Set<LaneRole> {
    tracker.phase == .answer && answerSteps > 0 ? inner.lanesNeeded(afterStep: answerSteps - 1) : roles
  }
}
