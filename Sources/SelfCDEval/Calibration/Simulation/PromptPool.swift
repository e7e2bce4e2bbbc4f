import SelfCDStatistics

/// Stored outcomes to draw from: the pool's rates are the truth, since prompts are drawn from it with replacement. Where
/// they come in groups, groups are drawn, as many as have the wanted number of prompts on average.
public struct PromptPool: PromptSource, Hashable {
  private let outcomes: ReplyOutcomes
  private let harmless: [[ReplyOutcomes.Prompt]]
  private let harmful: [[ReplyOutcomes.Prompt]]

  /// Makes a pool.
  /// - Parameter outcomes: Its conditions are the reference and the candidates.
  /// - Throws: `StatisticsError` for a pool that lacks an axis.
  public init(_ outcomes: ReplyOutcomes) throws(StatisticsError) {
    func units(isHarmful: Bool) -> [[ReplyOutcomes.Prompt]] {
      outcomes.byGroup { $0.isHarmful == isHarmful }
        ?? outcomes.prompts.filter { $0.isHarmful == isHarmful }.map { [$0] }
    }
    self.outcomes = outcomes
    harmless = units(isHarmful: false)
    harmful = units(isHarmful: true)
    guard !harmless.isEmpty else { throw .empty(what: "harmless prompts of the pool") }
    guard !harmful.isEmpty else { throw .empty(what: "harmful prompts of the pool") }
  }

  /// The pool's conditions, the reference first.
  public var conditions: [String] { outcomes.conditions }

  /// The pool's own rate of losses.
  public func trueLoss(of condition: String, rule: LossRule, byGroup: Bool) -> Double {
    var (lost, trials) = (0.0, 0.0)
    for group in harmful {
      let counts = counts(group, condition, rule)
      let weight = byGroup ? 1 / Double(group.count) : 1
      lost += Double(counts.lost) * weight
      trials += Double(counts.unansweredByReference) * weight
    }
    return trials > 0 ? lost / trials : 0
  }

  /// The pool's own share of harmless prompts unanswered.
  public func unanswered(under condition: String) -> Double {
    let counts = counts(Array(harmless.joined()), condition, LossRule())
    return Double(counts.harmlessUnanswered) / Double(max(1, counts.harmless))
  }

  private func counts(
    _ prompts: [ReplyOutcomes.Prompt], _ condition: String, _ rule: LossRule
  ) -> CalibrationCounts {
    guard let place = conditions.firstIndex(of: condition) else { return CalibrationCounts() }
    return prompts.reduce(into: CalibrationCounts()) { $0.add($1, condition: place, rule: rule) }
  }

  /// Draws prompts, or groups of them, with replacement.
  public func draw(
    _ size: CalibrationSimulation.Size, using generator: inout Xoshiro256StarStar
  ) -> ReplyOutcomes {
    var prompts: [ReplyOutcomes.Prompt] = []
    for (groups, wanted) in [(harmless, size.harmless), (harmful, size.harmful)] {
      let count = groups.reduce(0) { $0 + $1.count }
      let draws = max(1, Int((Double(wanted * groups.count) / Double(count)).rounded()))
      for number in 0..<draws {
        for var prompt in groups[generator.index(below: groups.count)] {
          // Drawn twice, it is two groups.
          if prompt.group != nil { prompt.group = "\(number)" }
          prompts.append(prompt)
        }
      }
    }
    return ReplyOutcomes(conditions: conditions, prompts: prompts)
  }
}
