import Foundation
import SelfCDData
import SelfCDEval
import SelfCDJudges
import SelfCDRuns
import SelfCDStore

/// A run's figures as they are printed, with the facts that belong to them.
struct EvaluationResult {
  let run: RunRecord
  let datasets: [Dataset]
  let settings: RunSettings
  let summary: EvaluationSummary
  /// The store's file without its folders: what is printed is passed on.
  let storeName: String
  let replies: Int
  let conditions: [String]
  let outcome: EvaluationOutcome?
  let lanes: Int?

  init(
    _ stored: StoredEvaluation, store: RunStore, outcome: EvaluationOutcome? = nil, lanes: Int? = nil
  ) {
    run = stored.run
    datasets = stored.datasets
    settings = stored.settings
    summary = stored.summary
    replies = stored.replies
    conditions = stored.conditions
    storeName = OutputFile.name(store.path)
    self.outcome = outcome
    self.lanes = lanes
  }

  /// What rules of `--fail-if` are about: every condition on the prompts of every label that the run has, whether it has
  /// got to them or not.
  var checkedFigures: [CheckedFigures] {
    let source = "run '\(run.id)'"
    return conditions.flatMap { condition in
      Sample.Label.allCases.compactMap { label in
        let planned = planned(label)
        if let row = summary.row(condition, label) {
          return CheckedFigures(
            row, source: source, planned: planned, isReference: condition == summary.reference)
        }
        guard planned > 0 else { return nil }
        return CheckedFigures.withoutVerdicts(planned, label: label, source: source, condition: condition)
      }
    }
  }

  /// The prompts with a label that each condition is to answer.
  private func planned(_ label: Sample.Label) -> Int {
    datasets.reduce(0) { $0 + ($1.labelCounts[label] ?? 0) }
  }

  // MARK: JSON

  /// What `--json` prints. Keys are part of the product's interface.
  struct Record: Encodable {
    let run: String
    let store: String
    let model: RunRecord.Model
    let codeVersion: String
    /// Where the replies come from; absent where this program made them.
    let imported: RunSettings.Imported?
    /// Absent where the replies were made elsewhere.
    let seed: UInt64?
    /// Absent where nothing is penalised.
    let repetitionPenalty: Float?
    let frequencyPenalty: Float?
    let presencePenalty: Float?
    let judge: String
    let judgeVersion: String?
    let reference: String?
    /// The groups that intervals resample; absent where prompts count as independent.
    let grouping: PromptGrouping?
    let complete: Bool
    let planned: Int
    let replies: Int
    /// Replies among them that are further repetitions of a prompt, and not counted.
    let repetitions: Int
    /// Replies that count and were cut at the most tokens allowed.
    let cutReplies: Int
    let datasets: [DatasetRecord]
    let conditions: [ConditionRow]
    let judgeDisagreement: Disagreement
    let failures: [Failure]
    let speed: Speed?
  }

  struct DatasetRecord: Encodable {
    let name: String
    let version: String?
    let format: String
    let sha256: String
    let safe: Int
    let harmful: Int
    let neutral: Int
    let skippedRows: Int
  }

  struct Disagreement: Encodable {
    let replies: Int
    let differ: Int
  }

  struct Failure: Encodable {
    let dataset: String
    let sample: String
    let condition: String
    let reason: String
  }

  struct Speed: Encodable {
    let generated: Int
    let seconds: Double
    let repliesPerSecond: Double
    let tokensPerSecond: Double
    let generatedTokens: Int
    let computedTokens: Int
    let lanes: Int?
  }

  struct ConditionRow: Encodable {
    let row: EvaluationSummary.Row
    let judge: String
    /// Planned prompts that have no verdict, and are in none of the figures.
    let missing: Int

    private enum Key: String, CodingKey {
      case strategy, alpha, set, refused, n, rate, low, high, missing
      case condition, judge, fullRefusals, degenerate, unanswered, categories, paired, pairedUnanswered,
        damage, divergence, cost, groups
    }

    /// Refused and degenerate together.
    struct Share: Encodable {
      let unanswered: RefusalRate

      private enum Key: String, CodingKey { case count, rate, low, high }

      func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(unanswered.refused, forKey: .count)
        try container.encode(unanswered.rate, forKey: .rate)
        try container.encode(unanswered.hasInterval ? unanswered.low : nil, forKey: .low)
        try container.encode(unanswered.hasInterval ? unanswered.high : nil, forKey: .high)
      }
    }

    private struct Category: Encodable {
      let name: String
      let refusals: RefusalRate

      private enum Key: String, CodingKey { case category }

      func encode(to encoder: any Encoder) throws {
        try refusals.encode(to: encoder)
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(name, forKey: .category)
      }
    }

    func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: Key.self)
      try container.encode(row.strategy, forKey: .strategy)
      // null where a strategy has none, so that every row has the same keys.
      try container.encode(row.alpha, forKey: .alpha)
      try container.encode(row.set, forKey: .set)
      try container.encode(row.refusals.refused, forKey: .refused)
      try container.encode(row.refusals.n, forKey: .n)
      try container.encode(missing, forKey: .missing)
      try container.encode(row.refusals.rate, forKey: .rate)
      try container.encode(row.refusals.hasInterval ? row.refusals.low : nil, forKey: .low)
      try container.encode(row.refusals.hasInterval ? row.refusals.high : nil, forKey: .high)
      try container.encodeIfPresent(row.refusals.groups, forKey: .groups)
      try container.encode(row.condition, forKey: .condition)
      try container.encode(judge, forKey: .judge)
      try container.encode(row.fullRefusals, forKey: .fullRefusals)
      try container.encode(row.degenerate, forKey: .degenerate)
      try container.encode(Share(unanswered: row.unanswered), forKey: .unanswered)
      try container.encode(
        row.categories.sorted { $0.key < $1.key }.map { Category(name: $0.key, refusals: $0.value) },
        forKey: .categories)
      try container.encode(row.paired, forKey: .paired)
      try container.encode(row.pairedUnanswered, forKey: .pairedUnanswered)
      try container.encode(row.damage, forKey: .damage)
      try container.encode(row.divergence, forKey: .divergence)
      try container.encode(row.cost, forKey: .cost)
    }
  }

  var record: Record {
    Record(
      run: run.id, store: storeName, model: run.model, codeVersion: run.codeVersion,
      imported: settings.imported,
      seed: settings.imported == nil ? settings.options.sampling.seed : nil,
      repetitionPenalty: settings.options.penalties.set(\.repetition),
      frequencyPenalty: settings.options.penalties.set(\.frequency),
      presencePenalty: settings.options.penalties.set(\.presence),
      judge: summary.judge,
      judgeVersion: summary.judgeVersion, reference: summary.reference, grouping: summary.grouping,
      complete: replies == run.planned, planned: run.planned, replies: replies,
      repetitions: summary.repetitions, cutReplies: summary.cut.cut,
      datasets: datasets.map { set in
        DatasetRecord(
          name: set.name, version: set.version, format: set.format, sha256: set.sha256,
          safe: set.labelCounts[.safe] ?? 0, harmful: set.labelCounts[.harmful] ?? 0,
          neutral: set.labelCounts[.neutral] ?? 0, skippedRows: set.skipped.count)
      },
      conditions: summary.rows.map {
        ConditionRow(row: $0, judge: summary.judge, missing: max(0, planned($0.set) - $0.refusals.n))
      },
      judgeDisagreement: Disagreement(replies: summary.judgedByAll, differ: summary.disagreements),
      failures: (outcome?.failures ?? []).map {
        Failure(
          dataset: $0.key.dataset, sample: $0.key.sample, condition: $0.key.condition, reason: $0.reason)
      },
      speed: outcome.map { outcome in
        let seconds = outcome.progress.elapsed.seconds
        return Speed(
          generated: outcome.progress.generated, seconds: seconds,
          repliesPerSecond: outcome.progress.rate ?? 0,
          tokensPerSecond: seconds > 0 ? Double(outcome.progress.tokens) / seconds : 0,
          generatedTokens: outcome.progress.tokens, computedTokens: outcome.computedTokens, lanes: lanes)
      })
  }
}
