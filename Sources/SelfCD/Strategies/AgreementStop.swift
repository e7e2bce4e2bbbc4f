/// Ends a contrast once the lanes agree: behind `count` tokens in a row at which both lanes had the same best token, the
/// plain lane goes on alone, or the guarded one where the contrast is nearer to it (α < 1).
///
/// Where lanes differ, they do so mostly at the beginning of a reply; what follows is paid for twice and changes little.
/// Up to the end of the contrast every score is the other rule's own. Lanes agree or do not whatever the contrast then
/// chooses, since that may be a token of neither.
struct AgreementStopRule: DecodingRule {
  private var inner: any DecodingRule
  private let count: Int
  /// Whether the lanes agree at the step that was read last: a step may be read more than once.
  private var agrees = false
  /// Agreements in a row, up to the token that was accepted last.
  private var inARow = 0
  /// Only one lane is read from now on.
  private var hasStopped = false
  private let rest: LaneRole

  /// - Parameters:
  ///   - inner: the rule that contrasts; it has read and accepted nothing.
  ///   - count: agreements in a row that end it, 1 or more.
  ///   - rest: the lane that goes on alone.
  init(_ inner: any DecodingRule, after count: Int, rest: LaneRole = .plain) {
    self.rest = rest
    self.inner = inner
    self.count = count
  }

  mutating func read(probes: [[Float]], beside lanes: LaneLogits) {
    inner.read(probes: probes, beside: lanes)
  }

  mutating func combine(_ lanes: LaneLogits, step: Int, into scores: inout [Float]) {
    guard !hasStopped else {
      scores = lanes[rest]
      return
    }
    compare(lanes)
    inner.combine(lanes, step: step, into: &scores)
  }

  mutating func greedy(_ lanes: LaneLogits, step: Int, scratch: inout [Float]) -> ScoredToken? {
    guard !hasStopped else { return Argmax.first(of: lanes[rest]) }
    compare(lanes)
    return inner.greedy(lanes, step: step, scratch: &scratch)
  }

  mutating func accept(_ token: TokenID) {
    inner.accept(token)
    inARow = agrees ? inARow + 1 : 0
    if inARow >= count { hasStopped = true }
  }

  func lanesNeeded(afterStep step: Int) -> Set<LaneRole> {
    hasStopped ? [rest] : inner.lanesNeeded(afterStep: step)
  }

  /// The other rule may have given a lane up by itself; then there is nothing to compare.
  private mutating func compare(_ lanes: LaneLogits) {
    guard lanes.contains(.guarded), lanes.contains(.plain),
      let guarded = Argmax.first(of: lanes[.guarded]), let plain = Argmax.first(of: lanes[.plain])
    else {
      agrees = false
      return
    }
    agrees = guarded.token == plain.token
  }
}

extension StrategyParameter {
  /// After how many agreements in a row the contrast ends: ``SelfContrastive/agreementStop``.
  public static let agreementStop = StrategyParameter(
    "agreement_stop", .integer(1...(.max)),
    help: """
      Contrast until both lanes have had the same best token this many times in a row; then the plain lane goes on alone (the guarded one below an alpha of 1).
      """)
}
