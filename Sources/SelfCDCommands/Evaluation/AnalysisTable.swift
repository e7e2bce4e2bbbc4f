import SelfCDData
import SelfCDEval
import SelfCDSupport

/// A prompt analysis for a terminal.
struct AnalysisTable {
  private let record: AnalysisResult.Record
  private let console: Console

  init(_ result: AnalysisResult, console: Console) {
    record = result.record
    self.console = console
  }

  var text: String {
    ([refusals, perplexity, divergence].filter { !$0.isEmpty } + (record.complete ? [] : [partial]))
      .joined(separator: "\n")
  }

  private let partial =
    "PARTIAL: interrupted; these figures are of the prompts that came first, not of all.\n"

  private var sets: [Sample.Label] {
    Sample.Label.allCases.filter { set in record.refusals.contains { $0.set == set } }
  }

  private var refusals: String {
    var prompts: [String] = []
    for row in record.refusals where !prompts.contains(row.prompt) { prompts.append(row.prompt) }
    var lines = [["refused, %"] + sets.map { "\($0.rawValue)" }]
    for prompt in prompts {
      lines.append(
        [prompt == PromptAnalysisPlan.none ? "no system prompt" : TerminalText.singleLine(prompt)]
          + sets.map { set in
            record.refusals.first { $0.set == set && $0.prompt == prompt }.map(Self.cell) ?? "–"
          })
    }
    let sizes = sets.map { set in record.refusals.first { $0.set == set }?.n ?? 0 }
    let counts = zip(sizes, sets).map { "\($0) \($1.rawValue)" }
    let noun = NumberFormat.noun(sizes.last ?? 0, "prompt")
    let (intervals, test) =
      record.group == nil ? ("Wilson", "McNemar") : ("over \(resampled)", "sign-flip test")
    let remark = record.refusals.contains { $0.low == nil } ? MeanText.oneGroup + "\n" : ""
    return EvaluationTable.table(lines, console: console)
      + "\n\(counts.joined(separator: ", ")) \(noun); 95 % intervals (\(intervals)); judge \(record.judge); "
      + "* differs from no system prompt (\(test), Holm, p < 0.05).\n" + remark
  }

  private var resampled: String { MeanText.resampled(by: record.group) }

  private static func cell(_ row: AnalysisResult.RefusalRow) -> String {
    let mark = row.pValue.map { $0 < 0.05 ? "*" : "" } ?? ""
    let percent = EvaluationTable.percent
    guard let low = row.low, let high = row.high else { return "\(percent(row.rate)) [–]\(mark)" }
    return "\(percent(row.rate)) [\(percent(low)), \(percent(high))]\(mark)"
  }

  private var perplexity: String {
    guard !record.perplexity.isEmpty else { return "" }
    var lines = [["perplexity of refusals", "set", "plain", "guarded", "guarded / plain"]]
    for row in record.perplexity {
      let interval = row.low.flatMap { low in
        row.high.map { "\(Self.number(low)), \(Self.number($0))" }
      }
      lines.append([
        row.text.map { TextLayout.truncate($0, to: 36) } ?? "all", row.set.rawValue,
        Self.number(row.plain), Self.number(row.guarded), "\(Self.number(row.ratio)) [\(interval ?? "–")]",
      ])
    }
    let means = record.perplexity.map(\.logDifference)
    let remark = MeanText.remark(means, group: record.group).map { $0 + "\n" } ?? ""
    return EvaluationTable.table(lines, console: console)
      + "\nMeans over prompts of log-perplexity; 95 % intervals (paired bootstrap over \(resampled)); guarded: "
      + "\(TerminalText.singleLine(record.emphasis.name)).\n" + remark
  }

  private static func number(_ value: Double) -> String {
    guard value < 1e7 else { return "\(Float(value))" }
    return NumberFormat.decimal(value, value < 0.1 ? 4 : value < 10 ? 2 : value < 1000 ? 1 : 0)
  }

  private var divergence: String {
    guard !record.divergence.isEmpty else { return "" }
    let steps = record.divergence.map(\.steps.count).max() ?? 0
    var lines = [
      ["divergence at step"]
        + record.divergence.map { "\($0.set.rawValue), \($0.along.rawValue) reply" }
    ]
    for step in 0..<steps {
      lines.append(
        ["\(step + 1)"]
          + record.divergence.map { $0.steps.count > step ? NumberFormat.decimal($0.steps[step], 4) : "–" })
    }
    return EvaluationTable.table(lines, console: console)
      + "\nJensen–Shannon divergence of the plain and the guarded lane in nats, at most 0.693; mean over the "
      + "replies that got so far.\n"
  }
}
