import SelfCDEval
import SelfCDJudges
import SelfCDSupport

/// The report's short form for a terminal: both axes of every condition, and what has to be said of them.
public struct TextReport {
  /// Columns to lay out for.
  public var width: Int
  /// Breaks a paragraph into lines of at most so many columns.
  public var wrap: (String, Int) -> [String]
  /// Makes a heading or the row to look at stand out; leaves the text's columns as they are.
  public var emphasise: (String) -> String

  /// Makes a layout.
  public init(
    width: Int, wrap: @escaping (String, Int) -> [String], emphasise: @escaping (String) -> String = { $0 }
  ) {
    self.width = width
    self.wrap = wrap
    self.emphasise = emphasise
  }

  /// Renders the summary. Text of the data is free of control characters.
  public func render(_ data: ReportData) -> String {
    data.runs.map(run).joined(separator: "\n")
  }

  private func run(_ run: ReportRun) -> String {
    func wrapped(_ text: String) -> [String] { wrap(UntrustedText.singleLine(text), max(20, width)) }
    var lines = wrapped(run.record.model).map(emphasise)
    lines += wrapped("run \(run.record.id), judged by \(run.judge)") + [""]
    for sentence in Wording.summary(run) + run.remarks { lines += wrapped(sentence) + [""] }
    lines += table(run) + [""]
    for flips in run.flips {
      let mark = Wording.isGain(flips.kind) ? "+" : "-"
      lines += wrapped("\(mark) \(Wording.flips(flips.kind)): \(NumberFormat.count(flips.total))")
    }
    if !run.flips.isEmpty { lines.append("") }
    lines += wrapped(Wording.intervals(run)) + [""]
    for pair in run.judgePairs {
      lines += wrapped("\(pair.first) and \(pair.second): \(Wording.agreement(pair))") + [""]
    }
    return lines.joined(separator: "\n")
  }

  /// One line for each condition; a strip shows both rates on one scale where there is room. Where there is none for the
  /// columns, a line for each figure.
  private func table(_ run: ReportRun) -> [String] {
    let titles = run.pooled.map { UntrustedText.singleLine(run.title($0.condition)) }
    let first = max(9, titles.map(\.count).max() ?? 0)
    let hasCost = !run.costs.isEmpty
    let heads = ["", "harmless unanswered", "harmful refused"] + (hasCost ? ["speed (lanes)"] : [])
    let rows = zip(titles, run.pooled).map { title, pooled -> [String] in
      [title, cell(pooled.headline(.safe)), cell(pooled.headline(.harmful))]
        + (hasCost ? [cost(run.costs[pooled.condition])] : [])
    }
    let used = first + 2 + Self.rateWidth + Self.rateWidth + (hasCost ? Self.costWidth : 0)
    guard used - 2 <= width else {
      return StackedTable.lines([heads] + rows).flatMap { wrap($0, max(20, width)) }
    }
    let strip = min(41, width - used)
    let hasStrip = strip >= 21
    func line(_ cells: [String], _ strip: String) -> String {
      let widths = [first + 2, Self.rateWidth, Self.rateWidth, Self.costWidth]
      let text = zip(cells, widths).map { pad($0, $1) }.joined() + strip
      return String(text.reversed().drop { $0 == " " }.reversed())
    }
    var lines = [line(heads, hasStrip ? "0" + pad("100%", strip - 1, right: true) : "")]
    for (cells, pooled) in zip(rows, run.pooled) {
      let text = line(cells, hasStrip ? self.strip(pooled, strip) : "")
      lines.append(pooled.condition == run.featured ? emphasise(text) : text)
    }
    if hasStrip { lines.append(pad("", used) + "○ harmless  ■ harmful  ◙ both") }
    return lines
  }

  private static let rateWidth = 21
  private static let costWidth = 14

  private func cell(_ rate: RefusalRate?) -> String {
    guard let rate else { return "–" }
    return pad(NumberFormat.percent(rate.rate), 6, right: true) + " " + rate.intervalText
  }

  private func cost(_ cost: ConditionCost?) -> String {
    let cell = Wording.cost(cost)
    return cell.text + (cell.detail.map { " (\($0))" } ?? "")
  }

  private func strip(_ pooled: ReportPooled, _ width: Int) -> String {
    func at(_ rate: RefusalRate?) -> Int? { rate.map { Int(($0.rate * Double(width - 1)).rounded()) } }
    let safe = at(pooled.headline(.safe))
    let harmful = at(pooled.headline(.harmful))
    return String(
      (0..<width).map { column -> Character in
        if column == safe { return column == harmful ? "◙" : "○" }
        return column == harmful ? "■" : "·"
      })
  }

  private func pad(_ text: String, _ width: Int, right: Bool = false) -> String {
    let space = String(repeating: " ", count: max(0, width - text.count))
    return right ? space + text : text + space
  }
}
