import Foundation
import SelfCD
import SelfCDData
import SelfCDEval
import SelfCDJudges
import SelfCDStatistics
import SelfCDSupport

/// A prompt analysis as `--json` prints it. Keys are part of the product's interface.
struct AnalysisResult {
  struct Record: Encodable {
    let model: NamedModel
    let codeVersion: String
    let judge: String
    let emphasis: SafetyEmphasis
    let refusalTexts: String
    let datasets: [DatasetRow]
    /// The column whose groups are resampled.
    let group: String?
    let refusals: [RefusalRow]
    let perplexity: [PerplexityRow]
    let divergence: [DivergenceRow]
    let failures: Int
    /// False after an interruption: figures are then of the prompts that came first.
    let complete: Bool
  }

  struct DatasetRow: Encodable {
    let name: String
    let sha256: String
    let n: Int
  }

  struct RefusalRow: Encodable {
    let set: Sample.Label
    /// `none`, or the name of the system prompt.
    let prompt: String
    let refused: Int
    let n: Int
    /// How many groups they make; absent where prompts are not grouped.
    let groups: Int?
    let rate: Double
    /// Null without an interval.
    let low: Double?
    let high: Double?
    /// Against no system prompt: McNemar's p-value after Holm's correction; the sign-flip test's for groups.
    let pValue: Double?

    init(_ row: EvaluationSummary.Row) {
      let rate = row.refusals
      (set, prompt, refused, n, groups) = (row.set, row.condition, rate.refused, rate.n, rate.groups)
      self.rate = rate.rate
      low = rate.hasInterval ? rate.low : nil
      high = rate.hasInterval ? rate.high : nil
      pValue = row.paired?.adjustedPValue
    }

    private enum Key: String, CodingKey { case set, prompt, refused, n, groups, rate, low, high, pValue }

    func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: Key.self)
      try container.encode(set, forKey: .set)
      try container.encode(prompt, forKey: .prompt)
      try container.encode(refused, forKey: .refused)
      try container.encode(n, forKey: .n)
      try container.encodeIfPresent(groups, forKey: .groups)
      try container.encode(rate, forKey: .rate)
      // null where there is none, so that every row has the same keys.
      try container.encode(low, forKey: .low)
      try container.encode(high, forKey: .high)
      try container.encodeIfPresent(pValue, forKey: .pValue)
    }
  }

  struct PerplexityRow: Encodable {
    let set: Sample.Label
    /// null for the mean over all texts.
    let text: String?
    let tokens: Int
    let n: Int
    /// How many groups they make; absent where prompts are not grouped.
    let groups: Int?
    let plain: Double
    let guarded: Double
    /// Guarded over plain, with the ends of its interval; null without one.
    let ratio: Double
    let low: Double?
    let high: Double?
    /// The same as a difference of log-perplexities in nats.
    let logDifference: BootstrapMean

    init(_ row: RefusalPerplexity, set: Sample.Label) {
      self.set = set
      text = row.text
      tokens = row.tokens
      n = row.n
      groups = row.groups
      plain = row.plain
      guarded = row.guarded
      logDifference = row.difference
      ratio = exp(row.difference.estimate)
      low = row.difference.low.map { exp($0) }
      high = row.difference.high.map { exp($0) }
    }

    private enum Key: String, CodingKey {
      case set, text, tokens, n, groups, plain, guarded, ratio, low, high, logDifference
    }

    func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: Key.self)
      try container.encode(set, forKey: .set)
      // null where the row is about all of them, so that every row has the same keys.
      try container.encode(text, forKey: .text)
      try container.encode(tokens, forKey: .tokens)
      try container.encode(n, forKey: .n)
      try container.encodeIfPresent(groups, forKey: .groups)
      try container.encode(plain, forKey: .plain)
      try container.encode(guarded, forKey: .guarded)
      try container.encode(ratio, forKey: .ratio)
      try container.encode(low, forKey: .low)
      try container.encode(high, forKey: .high)
      try container.encode(logDifference, forKey: .logDifference)
    }
  }

  struct DivergenceRow: Encodable {
    let set: Sample.Label
    /// Whose reply the lanes follow: `plain` or `guarded`.
    let along: LaneRole
    /// In nats, 0 … ln 2: one mean for each step.
    let steps: [Double]
  }

  let record: Record

  init(_ analysis: PromptAnalysis, plan: PromptAnalysisPlan, model: NamedModel) {
    func divergence(_ condition: String, along role: LaneRole) -> [DivergenceRow] {
      analysis.summary.rows.filter { $0.condition == condition && !$0.divergence.isEmpty }
        .map { DivergenceRow(set: $0.set, along: role, steps: $0.divergence) }
    }
    record = Record(
      model: model, codeVersion: SelfCDVersion.current, judge: analysis.summary.judge,
      emphasis: plan.emphasis, refusalTexts: RefusalTexts.version,
      datasets: plan.datasets.map { DatasetRow(name: $0.name, sha256: $0.sha256, n: $0.samples.count) },
      group: plan.group, refusals: analysis.summary.rows.map(RefusalRow.init),
      perplexity: analysis.perplexities.flatMap { set in
        (set.texts + [set.all]).map { PerplexityRow($0, set: set.set) }
      },
      divergence: divergence(PromptAnalysisPlan.none, along: .plain)
        + divergence(plan.emphasis.name, along: .guarded),
      failures: analysis.failures.count, complete: !analysis.isInterrupted)
  }
}
