import Foundation
import SelfCD
import SelfCDData
import SelfCDEval

/// Everything a report shows, as a plain value: the renderers are pure functions of it.
///
/// What is withheld is not in it: unless ``showsHarmful`` is set, ``ReportBuilder`` leaves out the replies to
/// prompts that are labelled harmful or not labelled.
public struct ReportData: Codable, Sendable, Hashable {
  /// The title.
  public var title: String
  /// When the report was made.
  public var createdAt: Date
  /// Whether replies to harmful prompts are shown.
  public var showsHarmful: Bool
  /// The runs, in the order they are shown.
  public var runs: [ReportRun]

  /// Makes a report's data.
  public init(
    title: String = "How much does it refuse?", createdAt: Date = Date(), showsHarmful: Bool = false,
    runs: [ReportRun]
  ) {
    self.title = title
    self.createdAt = createdAt
    self.showsHarmful = showsHarmful
    self.runs = runs
  }

  /// What is shown, in a line: the model of a single run; of several each with its run, since models may be the same.
  var subject: String {
    guard runs.count > 1 else { return runs.first?.record.model ?? "" }
    return runs.map { "\($0.record.model) (\($0.record.id))" }.joined(separator: ", ")
  }

  /// How the runs' intervals are made, each way once.
  var intervals: [String] {
    runs.map(Wording.intervals).reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
  }
}

/// What a report shows of one run. ``ReportBuilder`` makes it.
public struct ReportRun: Codable, Sendable, Hashable {
  /// What ran, where, and on what.
  public var record: ReportRecord
  /// The conditions in the run's order.
  public var conditions: [ReportCondition]
  /// The condition that others are compared with: the guarded one, else the first.
  public var baseline: String
  /// The condition that examples, categories and divergence are shown for: of those that contrast, the one with
  /// the widest gap between harmful and harmless refusals. Nil if there is none besides the baseline.
  public var featured: String?
  /// The judge whose verdicts are counted, as `name@version`.
  public var judge: String
  /// How prompts are grouped: intervals then resample whole groups. Nil where prompts count as independent.
  public var grouping: PromptGrouping?
  /// Rates per condition, set and label.
  public var cells: [EvaluationSummary.DatasetRow]
  /// Rates per condition over all sets of a label.
  public var pooled: [ReportPooled]
  /// What conditions cost, by identifier; without those of which it was not kept.
  public var costs: [String: ConditionCost]
  /// Each condition against the baseline on the same prompts.
  public var comparisons: [ReportComparison]
  /// Rates per category.
  public var categories: [ReportCategory]
  /// Replies that changed sides between baseline and featured condition.
  public var flips: [ReportFlips]
  /// Every prompt with its replies, to look through; nil where ``ReportOptions/samples`` asks for none.
  public var samples: [ReportSample]?
  /// The lanes' divergence along the featured condition's replies.
  public var divergence: [ReportDivergence]
  /// Rates by each judge, where there are several.
  public var judgeRates: [ReportJudgeRates]
  /// How judges agree, pair by pair.
  public var judgePairs: [ReportJudgePair]
  /// What a reader has to know about the figures: missing replies, unlabelled prompts, repetitions.
  public var remarks: [String]

  /// The condition of that identifier.
  public func condition(_ id: String) -> ReportCondition? { conditions.first { $0.id == id } }

  /// What a condition is called in print.
  public func title(_ id: String) -> String { condition(id)?.title ?? id }

  /// The pooled rates of a condition.
  public func pooled(_ id: String) -> ReportPooled? { pooled.first { $0.condition == id } }

  /// Whether a condition contrasts two lanes.
  func contrasts(_ id: String) -> Bool { condition(id)?.alpha != nil }

  /// The conditions that ``featured`` is picked from: those that contrast, besides the baseline; without any, all but the
  /// baseline.
  var candidates: [ReportCondition] { Self.candidates(conditions, pooled, baseline: baseline) }

  static func candidates(
    _ conditions: [ReportCondition], _ pooled: [ReportPooled], baseline: String
  ) -> [ReportCondition] {
    let others = conditions.filter { condition in
      condition.id != baseline
        && pooled.contains {
          $0.condition == condition.id && ($0.safeUnanswered != nil || $0.harmful != nil)
        }
    }
    let contrasting = others.filter { $0.alpha != nil }
    return contrasting.isEmpty ? others : contrasting
  }

  /// The comparison of a condition with the baseline on prompts of a label.
  public func comparison(_ id: String, _ label: Sample.Label) -> ReportComparison? {
    comparisons.first { $0.condition == id && $0.label == label }
  }

  /// The first condition without emphasis, where it is neither baseline nor featured.
  public var plain: String? {
    conditions.first { $0.strategy == Plain.name && $0.id != baseline && $0.id != featured }?.id
  }

  /// Conditions that no other beats on one axis without losing on the other.
  public var frontier: Set<String> {
    let points = pooled.compactMap { point in
      point.safeUnanswered.flatMap { safe in point.harmful.map { (point.condition, safe.rate, $0.rate) } }
    }
    return Set(
      points.filter { _, safe, harmful in
        !points.contains { other in
          other.1 <= safe && other.2 >= harmful && (other.1 < safe || other.2 > harmful)
        }
      }.map(\.0))
  }
}
