import Foundation
import SelfCD
import SelfCDData
import SelfCDJudges

/// The figures of a run: how often each condition refuses on each set, and what that is against the reference.
///
/// Only the first repetition of a prompt counts: repetitions of one prompt are not independent, and intervals over them
/// would be too narrow.
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
    /// Refusals and degenerate replies: a reply that is broken answers nothing.
    public var unanswered: RefusalRate
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

  /// One condition on the prompts of one data set and label.
  public struct DatasetRow: Codable, Sendable, Hashable {
    /// The condition's identifier.
    public var condition: String
    /// The data set's name.
    public var set: String
    /// Which of its prompts.
    public var label: Sample.Label
    /// Full and partial refusals.
    public var refusal: RefusalRate
    /// Full refusals alone.
    public var full: RefusalRate
    /// Replies that are none: empty, a loop, unfinished reasoning.
    public var degenerate: Int
  }

  /// The judge whose verdicts are counted.
  public var judge: String
  /// The version of the judge; nil where it has judged nothing.
  public var judgeVersion: String?
  /// The condition that others are compared with.
  public var reference: String?
  /// Conditions in their order, each on the sets there are.
  public var rows: [Row]
  /// The same by data set, in the order of the replies.
  public var datasets: [DatasetRow]
  /// What conditions cost, by identifier; without those of which it was not kept.
  public var costs: [String: ConditionCost]
  /// Replies on which the run's judges disagree about refusal.
  public var disagreements: Int
  /// Replies that more than one judge has judged.
  public var judgedByAll: Int
  /// Replies that are further repetitions of a prompt and not counted.
  public var repetitions: Int

  /// Summarises replies.
  /// - Parameters:
  ///   - allReplies: All replies of a run.
  ///   - conditions: The conditions in the order they are shown.
  ///   - judge: The judge whose verdicts are counted; replies it has not judged are left out.
  ///   - version: In which version; nil takes the one that ``JudgeVersions`` says.
  ///   - reference: The condition others are compared with; nil takes `guarded`, else the first.
  ///   - speeds: Timed tokens a second by condition, and of `plain`.
  /// - Throws: `StatisticsError` where a figure is undefined.
  public init(
    _ allReplies: [EvaluatedReply], conditions: [(id: String, strategy: String, alpha: Double?)],
    judge: String, version: String? = nil, reference: String? = nil, speeds: [String: Double] = [:]
  ) throws {
    let replies = allReplies.filter { $0.key.repetition == 0 }
    repetitions = allReplies.count - replies.count
    self.judge = judge
    let version = version ?? replies.version(of: judge)
    judgeVersion = version
    func counted(_ reply: EvaluatedReply) -> ReplyClass? {
      version.flatMap { reply.replyClass(by: judge, version: $0) }
    }
    let known = conditions.map(\.id)
    let reference = reference ?? (known.contains(Guarded.name) ? Guarded.name : known.first)
    self.reference = reference
    let byCondition = Dictionary(grouping: replies, by: \.key.condition)
    let plain = (byCondition[Plain.name] ?? []).reduce(into: [:]) { $0[$1.key.withoutCondition] = $1.text }
    let baseline = (byCondition[reference ?? ""] ?? []).reduce(into: [ReplyKey: Bool]()) {
      $0[$1.key.withoutCondition] = counted($1)?.isRefusal
    }

    rows = []
    datasets = []
    costs = [:]
    for condition in conditions {
      let cost = ConditionCost(
        (byCondition[condition.id] ?? []).compactMap(\.cost), tokensPerSecond: speeds[condition.id],
        plain: speeds[SpeedTrial.plain])
      costs[condition.id] = cost
      let bySet = Dictionary(grouping: byCondition[condition.id] ?? [], by: \.sample.label)
      for set in Sample.Label.allCases {
        let judged = (bySet[set] ?? []).compactMap { reply in
          counted(reply).map { (reply: reply, replyClass: $0) }
        }
        guard !judged.isEmpty else { continue }
        datasets += try Self.byDataset(judged, condition: condition.id)
        let classes = judged.map(\.replyClass)
        let pairs = judged.compactMap { item in
          baseline[item.reply.key.withoutCondition].map { (item.replyClass.isRefusal, $0) }
        }
        rows.append(
          Row(
            condition: condition.id, strategy: condition.strategy, alpha: condition.alpha, set: set,
            refusals: try RefusalRate(classes),
            unanswered: try RefusalRate(
              refused: classes.count { $0 != .fullCompliance }, of: classes.count),
            fullRefusals: classes.count { $0 == .fullRefusal },
            degenerate: classes.count { $0 == .degenerate }, categories: try Self.categories(judged),
            paired: try condition.id == reference || pairs.isEmpty
              ? nil
              : PairedComparison(pairs.map(\.0), against: pairs.map(\.1), named: reference ?? ""),
            damage: ReplyDamage(judged.map(\.reply), plain: plain),
            divergence: Self.meanDivergence(judged.map(\.reply.divergences)), cost: cost))
      }
    }
    try Self.correct(&rows)

    // One version of each judge: that an older one said otherwise is no disagreement between judges.
    let judges = Set(replies.flatMap { $0.judgements.map(\.judge) })
    let versions = judges.compactMap { name in replies.version(of: name).map { (name, $0) } }
    let verdicts = replies.map { reply in
      versions.compactMap { reply.replyClass(by: $0.0, version: $0.1)?.isRefusal }
    }
    judgedByAll = verdicts.count { $0.count > 1 }
    disagreements = verdicts.count { Set($0).count > 1 }
  }

  /// The row of a condition on the prompts with a label.
  public func row(_ condition: String, _ label: Sample.Label) -> Row? {
    rows.first { $0.condition == condition && $0.set == label }
  }

  private static func byDataset(
    _ judged: [(reply: EvaluatedReply, replyClass: ReplyClass)], condition: String
  ) throws -> [DatasetRow] {
    var order: [String] = []
    for item in judged where !order.contains(item.reply.key.dataset) { order.append(item.reply.key.dataset) }
    let groups = Dictionary(grouping: judged, by: \.reply.key.dataset)
    return try order.compactMap { name in
      guard let group = groups[name], let label = group.first?.reply.sample.label else { return nil }
      let classes = group.map(\.replyClass)
      return DatasetRow(
        condition: condition, set: name, label: label, refusal: try RefusalRate(classes),
        full: try RefusalRate(classes, counting: .full), degenerate: classes.count { $0 == .degenerate })
    }
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
      var comparisons = family.compactMap { rows[$0].paired }
      try PairedComparison.correct(&comparisons)
      for (index, comparison) in zip(family, comparisons) { rows[index].paired = comparison }
    }
  }
}
