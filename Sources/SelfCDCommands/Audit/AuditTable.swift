import Foundation
import SelfCDData
import SelfCDEval
import SelfCDJudges
import SelfCDStatistics
import SelfCDSupport

/// An audit for a terminal: figures by verdicts beside figures by the reader, then how far both agree.
struct AuditTable {
  private let result: AuditResult
  private let console: Console

  init(_ result: AuditResult, console: Console) {
    self.result = result
    self.console = console
  }

  var text: String {
    ([wrapped(heading)] + result.estimates.axes.map(axis) + [losses]
      + result.agreement.map(agreement) + [readers])
      .filter { !$0.isEmpty }.joined(separator: "\n")
  }

  private var heading: String {
    "\(result.run): \(result.reference) against \(result.candidate), judge \(result.judge.name); "
      + "\(NumberFormat.counted(result.rows, "reply", "replies")) read"
      + (result.group.map { ", one prompt of each group of column '\($0)'" } ?? "")
      + ". Rates with their intervals at \(NumberFormat.share(result.confidence))."
  }

  private func axis(_ axis: AuditEstimates.Axis) -> String {
    let title =
      axis.outcome == .unanswered ? "harmless prompts unanswered, %" : "harmful prompts refused, %"
    var lines = [["\(title), of \(axis.prompts)", "by verdicts", "by the reader"]]
    for rate in [axis.reference, axis.candidate] {
      let judged = rate.judged.map {
        ConfidenceInterval(estimate: $0.rate, low: $0.low, high: $0.high, confidence: result.confidence)
      }
      lines.append([rate.condition, judged.map(Self.interval) ?? "–", Self.interval(rate.corrected)])
    }
    lines.append([
      "difference", axis.judgedDifference.map(Self.interval) ?? "–", Self.interval(axis.difference),
    ])
    return EvaluationTable.table(lines.map { $0.map(TerminalText.singleLine) }, console: console)
      + wrapped(
        "Read: \(axis.changed) of \(axis.changed) with another verdict, \(axis.unchangedRead) of \(axis.unchanged) with other text and "
          + "the same verdict, \(axis.identicalRead) of \(axis.identical) with the same text.")
  }

  private var losses: String {
    guard let losses = result.estimates.losses else { return "" }
    let audited = losses.audited
    let level = NumberFormat.share(result.confidence)
    let lines = [
      ["refusals lost", "lost", "of", "at most, %, at \(level)"],
      [
        "by verdicts alone", "\(losses.judgedLost)", "\(losses.judgedTrials)",
        losses.judgedBound.map(Self.bound) ?? "–",
      ],
      [
        "with the judge's errors", "\(audited.found) found", "at least \(audited.fewestTrials)",
        Self.bound(audited.bound),
      ],
    ]
    var remark = Self.remark(onThesePrompts: audited)
    if losses.hidden > 0 {
      remark +=
        " \(losses.hidden) of those found \(NumberFormat.noun(losses.hidden, "was", "were")) hidden behind an unchanged verdict."
    }
    let unread = result.estimates.axis(.harmful).map { axis in
      axis.unchanged - axis.unchangedRead + axis.identical - axis.identicalRead
    }
    if let unread, unread > 0 {
      remark +=
        " \(NumberFormat.counted(unread, "harmful prompt was", "harmful prompts were")) not read: a larger --sample makes both less."
    }
    return EvaluationTable.table(lines, console: console) + wrapped(remark)
  }

  /// Every rate is at most 100 %, so that a bound of 1 says nothing.
  private static func bound(_ share: Double) -> String {
    share < 1 ? NumberFormat.decimal(100 * share, 2) : "no bound"
  }

  /// What holds of the run's own prompts, without a word on others.
  private static func remark(onThesePrompts audited: AuditedLossBound) -> String {
    let level = NumberFormat.share(audited.confidenceHere)
    let scope = "This is about the run's own prompts only, however they were chosen."
    guard audited.mostLosses > 0 else {
      return "With \(level) confidence no refusal of this run's prompts is lost. \(scope)"
    }
    let lost = NumberFormat.counted(audited.mostLosses, "refusal")
    let share =
      audited.rateHere < 1
      ? "\(NumberFormat.decimal(100 * audited.rateHere, 2)) % of them at most" : "which may be all of them"
    return
      "With \(level) confidence at most \(lost) of this run's prompts \(audited.mostLosses == 1 ? "is" : "are") lost "
      + "(\(share)). \(scope)"
  }

  private func agreement(_ agreement: AuditResult.Agreement) -> String {
    let rows = agreement.rows
    return table(
      rows.confusion, "\(agreement.set == .harmful ? "harmful" : "harmless"): reader ↓ judge →")
      + wrapped(
        "They agree on \(Self.interval(rows.accuracyInterval)) % of the \(NumberFormat.counted(rows.n, "row")), "
          + "at 95 %, κ "
          + "\(NumberFormat.decimal(rows.kappa, 2)). Changed verdicts are all among them; of all replies it is about "
          + "\(EvaluationTable.percent(agreement.ofAllReplies)) %.")
  }

  private var readers: String {
    guard let readers = result.readers else { return "" }
    return table(readers.confusion, "first reader ↓ second →")
      + wrapped(
        "Readers agree on \(Self.interval(readers.agreement)) % of \(NumberFormat.counted(readers.n, "row")), "
          + "at 95 %, κ "
          + "\(NumberFormat.decimal(readers.kappa, 2)). Figures are by the first.")
  }

  private func table(_ confusion: ConfusionMatrix, _ title: String) -> String {
    let names = confusion.labels.map { label in ReplyClass(label: label).map(Self.name) ?? label }
    let lines = zip(names, confusion.counts).map { name, counts in [name] + counts.map { "\($0)" } }
    return EvaluationTable.table([[title] + names] + lines, console: console)
  }

  private static func name(_ replyClass: ReplyClass) -> String {
    switch replyClass {
    case .fullCompliance: "answered"
    case .fullRefusal: "refused"
    case .partialRefusal: "in part"
    case .degenerate: "no reply"
    }
  }

  private static func interval(_ interval: ConfidenceInterval) -> String {
    "\(EvaluationTable.percent(interval.estimate)) [\(EvaluationTable.percent(interval.low)), "
      + "\(EvaluationTable.percent(interval.high))]"
  }

  private func wrapped(_ text: String) -> String {
    // A number and its sign stay on one line.
    let joined = TerminalText.singleLine(text).replacingOccurrences(of: " %", with: "\u{A0}%")
    return TextLayout.wrap(joined, width: console.width)
      .map { $0.replacingOccurrences(of: "\u{A0}%", with: " %") + "\n" }.joined()
  }
}
