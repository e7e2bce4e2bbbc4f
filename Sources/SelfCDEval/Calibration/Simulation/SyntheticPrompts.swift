import SelfCDStatistics

/// A population of prompts that is made up so that a calibration is most likely to fail: one candidate loses refusals at
/// just above the bound.
///
/// Losses sit in a share of the groups: such a group draws its own rate from Beta(2, 2), scaled so that the mean over all
/// groups is the wanted one. Groups have 1 to 51 prompts, about 13 on average. Everything is drawn anew for each
/// repetition, so that truth is a formula and not a pool.
public struct SyntheticPrompts: PromptSource, Hashable {
  /// How prompts belong together.
  public enum Grouping: Sendable, Hashable {
    /// Every prompt by itself.
    case independent
    /// In groups, of which this share has losses at all, in (0, 1].
    case groups(losing: Double)
  }

  /// What verdicts are missing.
  public struct Missing: Sendable, Hashable {
    /// The share of replies to harmful prompts without a verdict, under every condition.
    public var harmful: Double
    /// Whether only verdicts on the reference's answers are missing, to prompts that all candidates refuse: what would
    /// dilute a count of trials most.
    public var isAdverse: Bool

    /// Describes missing verdicts.
    public init(harmful: Double = 0, isAdverse: Bool = false) {
      self.harmful = harmful
      self.isAdverse = isAdverse
    }
  }

  /// How prompts belong together.
  public var grouping: Grouping
  /// The true losses of the candidates, as shares of the reference's refusals, from the safest on.
  public var losses: [Double]
  /// The share of harmful prompts that the reference leaves unanswered.
  public var refused: Double
  /// What verdicts are missing.
  public var missing: Missing

  /// Makes a population.
  public init(
    grouping: Grouping, losses: [Double], refused: Double = 0.9, missing: Missing = Missing()
  ) {
    self.grouping = grouping
    self.losses = losses
    self.refused = refused
    self.missing = missing
  }

  /// The reference, then the candidates by number.
  public var conditions: [String] { ["reference"] + losses.indices.map { "candidate \($0 + 1)" } }

  /// The candidates in the order of the test, on one path.
  public var candidates: [CalibrationStages.Candidate] {
    conditions.dropFirst().map { .init(id: $0, path: "path") }
  }

  /// Every group has the same mean whatever its size, so that groups and prompts have the same truth.
  public func trueLoss(of condition: String, rule: LossRule, byGroup: Bool) -> Double {
    conditions.firstIndex(of: condition).map { $0 == 0 ? 0 : losses[$0 - 1] } ?? 0
  }

  /// The reference leaves half of the harmless prompts unanswered, and each candidate fewer than the one before it.
  public func unanswered(under condition: String) -> Double {
    0.5 / Double(1 + (conditions.firstIndex(of: condition) ?? 0))
  }

  /// Draws prompts, or groups of them, that nobody has drawn before.
  public func draw(
    _ size: CalibrationSimulation.Size, using generator: inout Xoshiro256StarStar
  ) -> ReplyOutcomes {
    var prompts: [ReplyOutcomes.Prompt] = []
    for _ in 0..<size.harmless {
      let draw = generator.uniform()
      prompts.append(
        .init(
          isHarmful: false,
          outcomes: conditions.map { draw < unanswered(under: $0) ? .refused : .answered }))
    }
    switch grouping {
    case .independent:
      for _ in 0..<size.harmful { prompts.append(harmful(scale: 1, group: nil, &generator)) }
    case .groups(let losing):
      // As many groups as have the wanted number of prompts on average.
      for number in 0..<max(1, Int((Double(size.harmful) / Self.meanGroup).rounded())) {
        let scale = generator.uniform() < losing ? Self.betaTwoTwo(&generator) * 2 / losing : 0
        for _ in 0..<Self.groupSize(&generator) {
          prompts.append(harmful(scale: scale, group: "\(number)", &generator))
        }
      }
    }
    return ReplyOutcomes(conditions: conditions, prompts: prompts)
  }

  /// A candidate that loses a prompt loses it at every greater strength too, as on a path of one strategy.
  private func harmful(
    scale: Double, group: String?, _ generator: inout Xoshiro256StarStar
  ) -> ReplyOutcomes.Prompt {
    let isRefused = generator.uniform() < refused
    let draw = generator.uniform()
    var outcomes: [ReplyOutcomes.Outcome] = [isRefused ? .refused : .answered]
    for loss in losses { outcomes.append(isRefused && draw >= loss * scale ? .refused : .answered) }
    if missing.isAdverse {
      // A prompt that the reference answers, without a verdict on that, and which every candidate refuses.
      if !isRefused, generator.uniform() < missing.harmful {
        outcomes = [.unjudged] + losses.map { _ in .refused }
      }
    } else if missing.harmful > 0 {
      for index in outcomes.indices where generator.uniform() < missing.harmful {
        outcomes[index] = .unjudged
      }
    }
    return .init(isHarmful: true, outcomes: outcomes, group: group)
  }

  /// Prompts of a group, on average.
  public static let meanGroup = (1...51).reduce(0.0) { $0 + Double($1) * groupShare($1) }

  /// Sizes fall off geometrically, cut off at 51.
  private static func groupShare(_ size: Int) -> Double {
    let ratio = 0.935
    var power = 1.0
    var total = 0.0
    var own = 0.0
    for candidate in 1...51 {
      if candidate == size { own = power }
      total += power
      power *= ratio
    }
    return own / total
  }

  private static let groupShares = (1...51).map(groupShare)

  private static func groupSize(_ generator: inout Xoshiro256StarStar) -> Int {
    var left = generator.uniform()
    for (index, share) in groupShares.enumerated() {
      left -= share
      if left < 0 { return index + 1 }
    }
    return 51
  }

  /// The middle one of three uniform numbers has the distribution Beta(2, 2).
  private static func betaTwoTwo(_ generator: inout Xoshiro256StarStar) -> Double {
    [generator.uniform(), generator.uniform(), generator.uniform()].sorted()[1]
  }
}
