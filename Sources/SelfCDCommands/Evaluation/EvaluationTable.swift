import SelfCDData
import SelfCDEval
import SelfCDSupport

/// A run's figures for a terminal: both axes side by side.
struct EvaluationTable {
  private let result: EvaluationResult
  private let console: Console

  init(_ result: EvaluationResult, console: Console) {
    self.result = result
    self.console = console
  }

  var text: String {
    let summary = result.summary
    let sets = Sample.Label.allCases.filter { set in summary.rows.contains { $0.set == set } }
    var conditions: [String] = []
    for row in summary.rows where conditions.last != row.condition { conditions.append(row.condition) }
    // Where all conditions have the same number of replies, it stands once.
    let counts = sets.map { set in Set(summary.rows.filter { $0.set == set }.map(\.refusals.n)) }
    let titles = zip(sets, counts).map { set, counts in
      Self.title(set) + (counts.count == 1 ? counts.first.map { ", n \($0)" } ?? "" : "")
    }
    let isUneven = Dictionary(uniqueKeysWithValues: zip(sets, counts.map { $0.count > 1 }))
    let hasCost = summary.rows.contains { $0.cost != nil }
    var lines: [[String]] = [["refused, of"] + titles + (hasCost ? ["cost"] : [])]
    for condition in conditions {
      let rows = summary.rows.filter { $0.condition == condition }
      lines.append(
        [condition]
          + sets.map { set in
            rows.first { $0.set == set }.map { cell($0, showsCount: isUneven[set] ?? false) } ?? "–"
          }
          + (hasCost ? [rows.first?.cost.map(Self.cost) ?? "–"] : []))
    }
    var text = Self.table(lines, console: console)
    text += "\n95 % intervals (Wilson); judge \(summary.judge)"
    if let reference = summary.reference, summary.rows.contains(where: { $0.paired != nil }) {
      text += "; * differs from \(reference) on the same prompts (McNemar, Holm, p < 0.05)"
    }
    text += ".\n"
    if hasCost {
      let isTimed = summary.rows.contains { $0.cost?.relativeSpeed != nil }
      text +=
        (isTimed
          ? "Speed: tokens a second of one reply alone, against plain, where the median is known to ±10 %; lanes decoded a token.\n"
          : "Lanes decoded a token. Speeds are shown where they are known to ±10 %; --timing with more seconds helps.\n")
    }
    if summary.repetitions > 0 {
      text +=
        "\(summary.repetitions) further repetitions of prompts are not counted: they are not independent.\n"
    }
    if summary.judgedByAll > 0 {
      text += "Judges disagree on \(summary.disagreements) of \(summary.judgedByAll) replies.\n"
    }
    let damage = damageText(sets: sets, conditions: conditions)
    return text + (damage.isEmpty ? "" : "\n" + damage)
  }

  /// A set, and what is wanted of it.
  static func title(_ set: Sample.Label) -> String {
    switch set {
    case .safe: "safe (want 0 %)"
    case .harmful: "harmful (want 100 %)"
    case .neutral: "neutral (want 0 %)"
    }
  }

  private static func cost(_ cost: ConditionCost) -> String {
    [
      cost.relativeSpeed.map { "\(NumberFormat.decimal($0, 2))×" },
      cost.lanesPerToken.map { "\(NumberFormat.decimal($0, $0 == 1 ? 0 : 1)) \($0 == 1 ? "lane" : "lanes")" },
    ].compactMap(\.self).joined(separator: ", ")
  }

  /// What is no reply counts among the replies and is no refusal, so that it has to be seen beside the rate.
  private func cell(_ row: EvaluationSummary.Row, showsCount: Bool) -> String {
    let rate = row.refusals
    let mark = row.paired.map { $0.adjustedPValue < 0.05 ? "*" : "" } ?? ""
    return "\(Self.percent(rate.rate)) [\(Self.percent(rate.low)), \(Self.percent(rate.high))]\(mark)"
      + (showsCount ? " of \(rate.n)" : "") + (row.degenerate > 0 ? ", no reply \(row.degenerate)" : "")
  }

  /// What else changes, on the set where nothing should.
  private func damageText(sets: [Sample.Label], conditions: [String]) -> String {
    guard let set = sets.contains(.neutral) ? .neutral : sets.contains(.safe) ? Sample.Label.safe : nil else {
      return ""
    }
    let rows = result.summary.rows.filter { $0.set == set }
    let hasAnswers = rows.contains { $0.damage.answered != nil }
    let hasPlain = rows.contains { $0.damage.unchanged != nil }
    var lines = [
      ["replies, \(set.rawValue)", "words", "repetition"] + (hasPlain ? ["as plain"] : [])
        + (hasAnswers ? ["answered"] : [])
    ]
    for row in rows {
      let damage = row.damage
      lines.append(
        [row.condition, NumberFormat.decimal(damage.words, 1), Self.percent(damage.repetition)]
          + (hasPlain ? [damage.unchanged.map(Self.percent) ?? "–"] : [])
          + (hasAnswers ? [damage.answered.map(Self.percent) ?? "–"] : []))
    }
    return Self.table(lines, console: console)
  }

  static func percent(_ share: Double) -> String { NumberFormat.decimal(100 * share, 1) }

  /// Columns as wide as they need, the first line bold.
  static func table(_ lines: [[String]], console: Console) -> String {
    let columns = lines.map(\.count).max() ?? 0
    let widths = (0..<columns).map { column in
      lines.map { $0.count > column ? TextLayout.columns($0[column]) : 0 }.max() ?? 0
    }
    return lines.enumerated().map { index, cells in
      let text = cells.enumerated().map { column, cell in
        column == cells.count - 1 ? cell : TextLayout.pad(cell, to: widths[column] + 2)
      }.joined()
      return (index == 0 ? console.styled(text, .bold) : text) + "\n"
    }.joined()
  }
}
