/// Decodes from one prompt: the row of its only lane is the score.
struct SingleLaneRule: DecodingRule {
  let role: LaneRole

  mutating func combine(_ lanes: LaneLogits, step: Int, into scores: inout [Float]) {
    scores = lanes[role]
  }

  mutating func greedy(_ lanes: LaneLogits, step: Int, scratch: inout [Float]) -> ScoredToken? {
    Argmax.first(of: lanes[role])
  }

  func lanesNeeded(afterStep step: Int) -> Set<LaneRole> { [role] }
}
