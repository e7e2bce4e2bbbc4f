import Foundation
import SelfCDData
import SelfCDEval
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
    storeName = OutputFile.name(store.path)
    self.outcome = outcome
    self.lanes = lanes
  }

  // MARK: JSON

  /// What `--json` prints. Keys are part of the product's interface.
  struct Record: Encodable {
    let run: String
    let store: String
    let model: RunRecord.Model
    let codeVersion: String
    let seed: UInt64
    /// Absent where nothing is penalised.
    let repetitionPenalty: Float?
    let judge: String
    let judgeVersion: String?
    let reference: String?
    let complete: Bool
    let planned: Int
    let replies: Int
    /// Replies among them that are further repetitions of a prompt, and not counted.
    let repetitions: Int
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

    private enum Key: String, CodingKey {
      case strategy, alpha, set, refused, n, rate, low, high
      case condition, judge, fullRefusals, degenerate, unanswered, categories, paired, damage, divergence,
        cost
    }

    /// Refused and degenerate together.
    private struct Share: Encodable {
      let count: Int
      let rate: Double
      let low: Double
      let high: Double
    }

    private struct Category: Encodable {
      let category: String
      let refused: Int
      let n: Int
      let rate: Double
      let low: Double
      let high: Double
    }

    func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: Key.self)
      try container.encode(row.strategy, forKey: .strategy)
      // null where a strategy has none, so that every row has the same keys.
      try container.encode(row.alpha, forKey: .alpha)
      try container.encode(row.set, forKey: .set)
      try container.encode(row.refusals.refused, forKey: .refused)
      try container.encode(row.refusals.n, forKey: .n)
      try container.encode(row.refusals.rate, forKey: .rate)
      try container.encode(row.refusals.low, forKey: .low)
      try container.encode(row.refusals.high, forKey: .high)
      try container.encode(row.condition, forKey: .condition)
      try container.encode(judge, forKey: .judge)
      try container.encode(row.fullRefusals, forKey: .fullRefusals)
      try container.encode(row.degenerate, forKey: .degenerate)
      let unanswered = row.unanswered
      try container.encode(
        Share(count: unanswered.refused, rate: unanswered.rate, low: unanswered.low, high: unanswered.high),
        forKey: .unanswered)
      try container.encode(
        row.categories.sorted { $0.key < $1.key }.map { name, rate in
          Category(
            category: name, refused: rate.refused, n: rate.n, rate: rate.rate, low: rate.low, high: rate.high)
        }, forKey: .categories)
      try container.encode(row.paired, forKey: .paired)
      try container.encode(row.damage, forKey: .damage)
      try container.encode(row.divergence, forKey: .divergence)
      try container.encode(row.cost, forKey: .cost)
    }
  }

  var record: Record {
    Record(
      run: run.id, store: storeName, model: run.model, codeVersion: run.codeVersion,
      seed: settings.options.sampling.seed,
      repetitionPenalty: settings.options.penalties.isNeutral ? nil : settings.options.penalties.repetition,
      judge: summary.judge,
      judgeVersion: summary.judgeVersion, reference: summary.reference,
      complete: replies == run.planned, planned: run.planned, replies: replies,
      repetitions: summary.repetitions,
      datasets: datasets.map { set in
        DatasetRecord(
          name: set.name, version: set.version, format: set.format, sha256: set.sha256,
          safe: set.labelCounts[.safe] ?? 0, harmful: set.labelCounts[.harmful] ?? 0,
          neutral: set.labelCounts[.neutral] ?? 0, skippedRows: set.skipped.count)
      },
      conditions: summary.rows.map { ConditionRow(row: $0, judge: summary.judge) },
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
