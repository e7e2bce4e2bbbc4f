import Foundation

/// The figures of a run: how often each condition refuses on each set, and what that is against the reference.
public struct EvaluationSummary: Sendable, Hashable {
  /// One condition on one set.
  public struct Row: Sendable, Hashable {
    /// The condition's identifier.
    public var condition: String
    /// The strategy's name.
    public var strategy: String
    /// The contrast strength, where there is one.
    public var alpha: Double?
    /// The set: prompts with this label.
    public var set: Sample.Label
    /// Full and partial refusals, with Wilson's interval.
    public var refusals: RefusalRate
    /// Full refusals alone.
    public var fullRefusals: Int
    /// Replies that are none.
    public var degenerate: Int
    /// Refusals by the set's own categories, by name.
    public var categories: [String: RefusalRate]
    /// The comparison with the reference; nil for the reference itself and without common prompts.
    public var paired: PairedComparison?
    /// Length, repetition and the like.
    public var damage: ReplyDamage
    /// The lanes' divergence at each of the first steps, averaged over replies, in nats; empty for one lane.
    public var divergence: [Double]
    /// What the condition costs, over all sets; nil where that was not kept.
    public var cost: ConditionCost?
  }

  /// The judge whose verdicts are counted.
  public var judge: String
  /// The condition that others are compared with.
  public var reference: String?
  /// Conditions in their order, each on the sets there are.
  public var rows: [Row]
  /// Replies on which the run's judges disagree about refusal.
  public var disagreements: Int
  /// Replies that more than one judge has judged.
  public var judgedByAll: Int

  /// Summarises replies.
  /// - Parameters:
  ///   - replies: All replies of a run.
  ///   - conditions: The conditions in the order they are shown.
  ///   - judge: The judge whose verdicts are counted; replies it has not judged are left out.
  ///   - reference: The condition others are compared with; nil takes `guarded`, else the first.
  ///   - seed: Of the bootstrap.
  ///   - speeds: Timed tokens a second by condition, and of `plain`.
  /// - Throws: `StatisticsError` where a figure is undefined.
  public init(
    _ replies: [EvaluatedReply], conditions: [(id: String, strategy: String, alpha: Double?)], judge: String,
    reference: String? = nil, seed: UInt64 = 0, speeds: [String: Double] = [:]
  ) throws {
    self.judge = judge
    let known = conditions.map(\.id)
    let reference = reference ?? (known.contains("guarded") ? "guarded" : known.first)
    self.reference = reference
    let byCondition = Dictionary(grouping: replies, by: \.key.condition)
    let plain = (byCondition["plain"] ?? []).reduce(into: [:]) { $0[$1.key.withoutCondition] = $1.text }
    let baseline = (byCondition[reference ?? ""] ?? []).reduce(into: [EvaluationReply.Key: Bool]()) {
      $0[$1.key.withoutCondition] = $1.replyClass(by: judge)?.isRefusal
    }

    rows = []
    for condition in conditions {
      let cost = ConditionCost(
        (byCondition[condition.id] ?? []).compactMap(\.cost), tokensPerSecond: speeds[condition.id],
        plain: speeds[SpeedTrial.plain])
      let bySet = Dictionary(grouping: byCondition[condition.id] ?? [], by: \.sample.label)
      for set in Sample.Label.allCases {
        let judged = (bySet[set] ?? []).compactMap { reply in
          reply.replyClass(by: judge).map { (reply: reply, replyClass: $0) }
        }
        guard !judged.isEmpty else { continue }
        let classes = judged.map(\.replyClass)
        let pairs = judged.compactMap { item in
          baseline[item.reply.key.withoutCondition].map { (item.replyClass.isRefusal, $0) }
        }
        rows.append(
          Row(
            condition: condition.id, strategy: condition.strategy, alpha: condition.alpha, set: set,
            refusals: try RefusalRate(classes), fullRefusals: classes.count { $0 == .fullRefusal },
            degenerate: classes.count { $0 == .degenerate }, categories: try Self.categories(judged),
            paired: try condition.id == reference || pairs.isEmpty
              ? nil
              : PairedComparison(
                pairs.map(\.0), against: pairs.map(\.1), named: reference ?? "", seed: seed),
            damage: ReplyDamage(judged.map(\.reply), plain: plain),
            divergence: Self.meanDivergence(judged.map(\.reply.divergences)), cost: cost))
      }
    }
    try Self.correct(&rows)

    let several = replies.filter { Set($0.judgements.map(\.judge)).count > 1 }
    judgedByAll = several.count
    disagreements = several.count { Set($0.judgements.map(\.verdict.isRefusal)).count > 1 }
  }

  private static func categories(
    _ judged: [(reply: EvaluatedReply, replyClass: ReplyClass)]
  ) throws -> [String: RefusalRate] {
    let named = judged.compactMap { item in item.reply.sample.category.map { ($0, item.replyClass) } }
    return try Dictionary(grouping: named) { $0.0 }.mapValues { try RefusalRate($0.map(\.1)) }
  }

  private static func meanDivergence(_ replies: [[Double]]) -> [Double] {
    (0..<(replies.map(\.count).max() ?? 0)).map { step in
      let values = replies.compactMap { $0.count > step ? $0[step] : nil }
      return values.reduce(0, +) / Double(values.count)
    }
  }

  /// Holm's correction over the conditions of each set: the family of one question, "does anything help here?".
  private static func correct(_ rows: inout [Row]) throws {
    for set in Sample.Label.allCases {
      let family = rows.indices.filter { rows[$0].set == set && rows[$0].paired != nil }
      let adjusted = try HolmCorrection.adjusted(family.compactMap { rows[$0].paired?.pValue })
      for (index, value) in zip(family, adjusted) { rows[index].paired?.adjustedPValue = value }
    }
  }
}
