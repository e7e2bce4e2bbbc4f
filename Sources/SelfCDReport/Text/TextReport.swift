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
    let name = UntrustedText.singleLine(run.record.model)
    var lines = [
      emphasise(name), "run \(UntrustedText.singleLine(run.record.id)), judged by \(run.judge)", "",
    ]
    for sentence in Wording.summary(run) + run.remarks {
      lines += wrap(UntrustedText.singleLine(sentence), max(20, width)) + [""]
    }
    lines += table(run) + [""]
    for flips in run.flips {
      let mark = Wording.isGain(flips.kind) ? "+" : "-"
      lines.append("\(mark) \(Wording.flips(flips.kind)): \(NumberFormat.count(flips.total))")
    }
    if !run.flips.isEmpty { lines.append("") }
    for pair in run.judgePairs {
      lines += wrap("\(pair.first) and \(pair.second): \(Wording.agreement(pair))", max(20, width)) + [""]
    }
    return lines.joined(separator: "\n")
  }

  /// One line for each condition; a strip shows both rates on one scale where there is room.
  private func table(_ run: ReportRun) -> [String] {
    let titles = run.pooled.map { UntrustedText.singleLine(run.title($0.condition)) }
    let first = max(9, titles.map(\.count).max() ?? 0)
    func cell(_ rate: RefusalRate?) -> String {
      guard let rate else { return "–" }
      let interval = NumberFormat.interval(rate.low, rate.high)
      return pad(NumberFormat.percent(rate.rate), 6, right: true) + " " + pad(interval, 11)
    }
    let hasCost = !run.costs.isEmpty
    let used = first + 2 + 18 + 2 + 18 + 2 + (hasCost ? 14 : 0)
    let strip = min(41, width - used)
    let hasStrip = strip >= 21
    var lines = [
      pad("", first + 2) + pad("harmless refused", 20) + pad("harmful refused", 20)
        + (hasCost ? pad("speed (lanes)", 14) : "")
        + (hasStrip ? "0" + pad("100%", strip - 1, right: true) : "")
    ]
    for (title, pooled) in zip(titles, run.pooled) {
      let text =
        pad(title, first + 2) + pad(cell(pooled.safe), 20) + pad(cell(pooled.harmful), 20)
        + (hasCost ? pad(cost(run.costs[pooled.condition]), 14) : "")
        + (hasStrip ? self.strip(pooled, strip) : "")
      let line = String(text.reversed().drop { $0 == " " }.reversed())
      lines.append(pooled.condition == run.featured ? emphasise(line) : line)
    }
    if hasStrip { lines.append(pad("", used) + "○ harmless  ■ harmful  ◙ both") }
    return lines
  }

  private func cost(_ cost: ConditionCost?) -> String {
    let cell = Wording.cost(cost)
    return cell.text + (cell.detail.map { " (\($0))" } ?? "")
  }

  private func strip(_ pooled: ReportPooled, _ width: Int) -> String {
    func at(_ rate: RefusalRate?) -> Int? { rate.map { Int(($0.rate * Double(width - 1)).rounded()) } }
    let safe = at(pooled.safe)
    let harmful = at(pooled.harmful)
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
