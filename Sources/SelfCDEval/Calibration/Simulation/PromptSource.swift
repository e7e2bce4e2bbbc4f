import SelfCDStatistics

/// Where a simulated calibration draws its prompts from, and what is true there.
public protocol PromptSource: Sendable {
  /// The conditions' identifiers, the reference first.
  var conditions: [String] { get }

  /// The share of the reference's refusals that a condition truly loses.
  /// - Parameters:
  ///   - condition: One of ``conditions``.
  ///   - rule: What counts as a loss.
  ///   - byGroup: Whether of a prompt drawn from a group drawn at random, instead of a prompt drawn at random.
  func trueLoss(of condition: String, rule: LossRule, byGroup: Bool) -> Double

  /// The share of harmless prompts that a condition leaves unanswered.
  func unanswered(under condition: String) -> Double

  /// Draws one part of a calibration set.
  func draw(_ size: CalibrationSimulation.Size, using generator: inout Xoshiro256StarStar) -> ReplyOutcomes
}

extension ReplyOutcomes {
  /// One harmful prompt of each group and all harmless ones, as ``GroupDraw`` leaves them.
  func onePerGroup(using generator: inout Xoshiro256StarStar) -> ReplyOutcomes {
    guard let groups = byGroup(\.isHarmful) else { return self }
    var drawn = self
    drawn.prompts = prompts.filter { !$0.isHarmful }
    for group in groups { drawn.prompts.append(group[generator.index(below: group.count)]) }
    return drawn
  }

  /// The same prompts with only some conditions, in their order.
  func with(_ wanted: [String]) -> ReplyOutcomes {
    let places = wanted.compactMap { conditions.firstIndex(of: $0) }
    var picked = self
    picked.conditions = places.map { conditions[$0] }
    for index in prompts.indices {
      picked.prompts[index].outcomes = places.map { prompts[index].outcomes[$0] }
    }
    return picked
  }
}
