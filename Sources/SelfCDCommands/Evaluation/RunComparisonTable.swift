import SelfCDData
import SelfCDEval
import SelfCDJudges
import SelfCDRuns
import SelfCDStatistics
import SelfCDSupport

/// Two runs side by side, for a terminal.
struct RunComparisonTable {
  let comparison: RunComparison
  let console: Console

  var text: String {
    let head = ["prompts", "n", "A", "B", "B − A, points [95 %]", "only A", "only B", "Holm p"]
    let lines = comparison.rows.compactMap { row -> [String]? in
      guard let paired = row.after.headlinePaired else { return nil }
      let title =
        row.category.map { "  \(TerminalText.singleLine($0))" } ?? EvaluationTable.headline(row.label)
      return [
        title, "\(paired.n)", Self.rate(row.before.headline), Self.rate(row.after.headline),
        Self.difference(paired), "\(paired.onlyReference)", "\(paired.onlyHere)",
        NumberFormat.pValue(paired.adjustedPValue),
      ]
    }
    return sides + "\n" + EvaluationTable.table([head] + lines, console: console) + "\n"
      + notes.map { console.wrapped($0) + "\n" }.joined()
  }

  private var sides: String {
    [("A", comparison.before), ("B", comparison.after)].map { letter, side in
      let parts = [
        "\(letter): run '\(side.run)', \(side.condition), of \(side.model)",
        side.cost?.relativeSpeed.map { "\(NumberFormat.times($0)) of plain's speed" },
        side.cost?.lanesPerToken.map { "\(NumberFormat.decimal($0, 2)) lanes a token" },
        side.unmatched > 0
          ? NumberFormat.counted(side.unmatched, "prompt") + " not in the other run" : nil,
      ]
      return console.wrapped(TerminalText.singleLine(parts.compactMap(\.self).joined(separator: "; "))) + "\n"
    }.joined()
  }

  private var notes: [String] {
    let test = comparison.grouping == nil ? "McNemar's exact test" : "sign flips of whole groups"
    let intervals = comparison.grouping.map { "95 % \($0.intervals)" } ?? "95 % intervals (Tango)"
    var notes = [
      "\(intervals); judge \(TerminalText.singleLine(comparison.judge)) \(comparison.judgeVersion).",
      "Holm p: \(test), adjusted over the labels, and over the categories of each label. The intervals are not adjusted.",
      "n: prompts that have a verdict on both sides; both rates and the difference are of these.",
      "Only A, only B: prompts that are left unanswered, or harmful ones that are refused, on one side alone.",
    ]
    if comparison.rows.contains(where: { $0.after.headlinePaired?.hasInterval == false }) {
      notes.append(MeanText.oneGroup)
    }
    if comparison.otherwiseLabelled > 0 {
      notes.append(
        NumberFormat.counted(
          comparison.otherwiseLabelled, "prompt has different labels in the two runs and is",
          "prompts have different labels in the two runs and are") + " left out.")
    }
    if comparison.withoutVerdict > 0 {
      notes.append(
        NumberFormat.counted(
          comparison.withoutVerdict, "prompt that both sides answered has no verdict on one side and is",
          "prompts that both sides answered have no verdict on one side and are") + " left out.")
    }
    if comparison.rows.isEmpty { notes.append("No prompt has a label, so there are no figures.") }
    return notes
  }

  private static func rate(_ rate: RefusalRate) -> String { "\(EvaluationTable.percent(rate.rate)) %" }

  private static func difference(_ paired: PairedComparison) -> String {
    let interval = paired.difference
    let ends =
      paired.hasInterval
      ? "\(NumberFormat.points(interval.low)), \(NumberFormat.points(interval.high))" : "–"
    return "\(NumberFormat.points(interval.estimate)) [\(ends)]"
  }
}

/// What `selfcd compare-runs --json` prints. Keys are part of the product's interface.
struct RunComparisonRecord: Encodable {
  struct Figures: Encodable {
    let refused: RefusalRate
    let unanswered: RefusalRate
    let degenerate: Int

    init(_ row: EvaluationSummary.Row) {
      (refused, unanswered, degenerate) = (row.refusals, row.unanswered, row.degenerate)
    }
  }

  struct Row: Encodable {
    let row: RunComparison.Row

    private enum Key: String, CodingKey {
      case label, category, headline, before, after, refused, unanswered
    }

    func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: Key.self)
      try container.encode(row.label, forKey: .label)
      // null where there is none, so that every row has the same keys.
      try container.encode(row.category, forKey: .category)
      try container.encode(row.label == .harmful ? "refused" : "unanswered", forKey: .headline)
      try container.encode(Figures(row.before), forKey: .before)
      try container.encode(Figures(row.after), forKey: .after)
      try container.encode(row.after.paired, forKey: .refused)
      try container.encode(row.after.pairedUnanswered, forKey: .unanswered)
    }
  }

  let before: RunComparison.Side
  let after: RunComparison.Side
  let judge: String
  let judgeVersion: String
  /// Absent where prompts count as independent.
  let grouping: PromptGrouping?
  let compared: Int
  /// Prompts that both answered and that lack a verdict on one side.
  let withoutVerdict: Int
  let otherwiseLabelled: Int
  let rows: [Row]

  init(_ comparison: RunComparison) {
    before = comparison.before
    after = comparison.after
    judge = comparison.judge
    judgeVersion = comparison.judgeVersion
    grouping = comparison.grouping
    compared = comparison.compared
    withoutVerdict = comparison.withoutVerdict
    otherwiseLabelled = comparison.otherwiseLabelled
    rows = comparison.rows.map(Row.init)
  }
}
