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
    /// Full and partial refusals.
    public var refusals: RefusalRate
    /// Refusals and degenerate replies: a reply that is broken answers nothing.
    public var unanswered: RefusalRate
    /// Full refusals alone.
    public var fullRefusals: Int
    /// Replies that are none.
    public var degenerate: Int
    /// Refusals by the set's own categories, by name.
    public var categories: [String: RefusalRate]
    /// Prompts left unanswered by the set's own categories, by name.
    public var categoriesUnanswered: [String: RefusalRate]
    /// The comparison of refusals with the reference; nil for the reference itself and without common prompts.
    public var paired: PairedComparison?
    /// The same of prompts left unanswered.
    public var pairedUnanswered: PairedComparison?
    /// Length, repetition and the like.
    public var damage: ReplyDamage
    /// The lanes' divergence at each of the first steps, averaged over replies, in nats; empty for one lane.
    public var divergence: [Double]
    /// What the condition costs, over all sets; nil where that was not kept.
    public var cost: ConditionCost?

    /// What headlines and charts show of the set: harmful prompts refused, others left unanswered. A reply that is broken
    /// answers nothing, so that no strategy looks helpful by breaking replies.
    public var headline: RefusalRate { self.set == .harmful ? refusals : unanswered }
    /// The comparison of what headlines show.
    public var headlinePaired: PairedComparison? { self.set == .harmful ? paired : pairedUnanswered }
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
  /// How many of the others were cut at the most tokens allowed.
  public var cut: CutReplies
  /// How prompts are grouped: intervals then resample whole groups. Nil where prompts count as independent.
  public var grouping: PromptGrouping?

  /// Summarises replies.
  /// - Parameters:
  ///   - allReplies: All replies of a run.
  ///   - conditions: The conditions in the order they are shown.
  ///   - judge: The judge whose verdicts are counted; replies it has not judged are left out.
  ///   - version: In which version; nil takes the one that ``JudgeVersions`` says.
  ///   - reference: The condition others are compared with; nil takes `guarded`, else the first.
  ///   - speeds: Timed tokens a second by condition, and of `plain`.
  ///   - group: The column that says which prompts belong together; nil takes prompts as independent.
  /// - Throws: `StatisticsError` where a figure is undefined.
  public init(
    _ allReplies: [EvaluatedReply], conditions: [(id: String, strategy: String, alpha: Double?)],
    judge: String, version: String? = nil, reference: String? = nil, speeds: [String: Double] = [:],
    group: String? = nil
  ) throws {
    let replies = allReplies.filter { $0.key.repetition == 0 }
    repetitions = allReplies.count - replies.count
    cut = CutReplies(replies)
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
    let baseline = (byCondition[reference ?? ""] ?? []).reduce(into: [ReplyKey: ReplyClass]()) {
      $0[$1.key.withoutCondition] = counted($1)
    }
    var rates = JudgedRates(isGrouped: group != nil)

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
          counted(reply).map { JudgedReply(reply, $0, groupedBy: group) }
        }
        guard !judged.isEmpty else { continue }
        datasets += try Self.byDataset(judged, condition: condition.id, &rates)
        let isReference = condition.id == reference
        let paired =
          try isReference
          ? nil : Self.compare(judged, with: baseline, named: reference, \.isRefusal, by: group)
        let pairedUnanswered =
          try isReference
          ? nil : Self.compare(judged, with: baseline, named: reference, \.isUnanswered, by: group)
        rows.append(
          Row(
            condition: condition.id, strategy: condition.strategy, alpha: condition.alpha, set: set,
            refusals: try rates.rate(judged, \.isRefusal),
            unanswered: try rates.rate(judged, \.isUnanswered),
            fullRefusals: judged.count { $0.replyClass == .fullRefusal },
            degenerate: judged.count { $0.replyClass == .degenerate },
            categories: try Self.categories(judged, \.isRefusal, &rates),
            categoriesUnanswered: try Self.categories(judged, \.isUnanswered, &rates),
            paired: paired, pairedUnanswered: pairedUnanswered,
            damage: ReplyDamage(judged.map(\.reply), plain: plain),
            divergence: Self.meanDivergence(judged.map(\.reply.divergences)), cost: cost))
      }
    }
    try Self.correct(&rows)
    if let group {
      var groups: [Sample.Label: Int] = [:]
      for row in rows { groups[row.set] = max(groups[row.set] ?? 0, row.refusals.groups ?? 0) }
      grouping = PromptGrouping(column: group, groups: groups)
    }

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
    _ judged: [JudgedReply], condition: String, _ rates: inout JudgedRates
  ) throws -> [DatasetRow] {
    var order: [String] = []
    for item in judged where !order.contains(item.reply.key.dataset) { order.append(item.reply.key.dataset) }
    let parts = Dictionary(grouping: judged, by: \.reply.key.dataset)
    var rows: [DatasetRow] = []
    for name in order {
      guard let part = parts[name], let label = part.first?.reply.sample.label else { continue }
      rows.append(
        DatasetRow(
          condition: condition, set: name, label: label, refusal: try rates.rate(part, \.isRefusal),
          full: try rates.rate(part, \.isFullRefusal),
          degenerate: part.count { $0.replyClass == .degenerate }))
    }
    return rows
  }

  private static func categories(
    _ judged: [JudgedReply], _ outcome: KeyPath<ReplyClass, Bool>, _ rates: inout JudgedRates
  ) throws -> [String: RefusalRate] {
    let named = Dictionary(grouping: judged.filter { $0.reply.sample.category != nil }) {
      $0.reply.sample.category ?? ""
    }
    var result: [String: RefusalRate] = [:]
    for (name, part) in named { result[name] = try rates.rate(part, outcome) }
    return result
  }

  /// A condition against the reference on the prompts that both have a verdict on; nil without such prompts.
  private static func compare(
    _ judged: [JudgedReply], with baseline: [ReplyKey: ReplyClass], named name: String?,
    _ outcome: KeyPath<ReplyClass, Bool>, by group: String?
  ) throws -> PairedComparison? {
    let pairs = judged.compactMap { item in
      baseline[item.reply.key.withoutCondition].map { (here: item, there: $0) }
    }
    guard !pairs.isEmpty else { return nil }
    return try PairedComparison(
      pairs.map { $0.here.replyClass[keyPath: outcome] }, against: pairs.map { $0.there[keyPath: outcome] },
      named: name ?? "", groups: group == nil ? nil : pairs.map(\.here.group))
  }

  private static func meanDivergence(_ replies: [[Double]]) -> [Double] {
    (0..<(replies.map(\.count).max() ?? 0)).map { step in
      let values = replies.compactMap { $0.count > step ? $0[step] : nil }
      return values.reduce(0, +) / Double(values.count)
    }
  }

  /// Holm's correction over the conditions of each set: the family of one question, "does anything help here?".
  private static func correct(_ rows: inout [Row]) throws {
    for comparison in [\Row.paired, \Row.pairedUnanswered] {
      for set in Sample.Label.allCases {
        let family = rows.indices.filter { rows[$0].set == set && rows[$0][keyPath: comparison] != nil }
        var comparisons = family.compactMap { rows[$0][keyPath: comparison] }
        try PairedComparison.correct(&comparisons)
        for (index, corrected) in zip(family, comparisons) { rows[index][keyPath: comparison] = corrected }
      }
    }
  }
}
