import SelfCDJudges
import SelfCDSupport

/// Judged replies for a terminal: the classes of each label side by side.
struct JudgedTable {
  let judged: JudgedReplies
  let console: Console

  private static let shownReplies = 5

  func text() throws -> String {
    let groups = try judged.groups()
    let hasFiles = judged.files.count > 1
    let hasUnjudged = groups.contains { $0.unjudged > 0 }
    let head =
      (hasFiles ? ["file"] : []) + ["prompts", "n", "judge", "answered", "refused", "in part", "no reply"]
      + (hasUnjudged ? ["no verdict"] : []) + ["refused % [95 %]"]
    let lines = groups.map { group in
      (hasFiles ? [TerminalText.singleLine(group.file)] : []) + [
        group.label.map(EvaluationTable.title) ?? "no known label", "\(group.n)",
        TerminalText.singleLine(group.judge), "\(group.count(.fullCompliance))",
        "\(group.count(.fullRefusal))", "\(group.count(.partialRefusal))", "\(group.count(.degenerate))",
      ] + (hasUnjudged ? ["\(group.unjudged)"] : []) + [group.rate.map(Self.interval) ?? "–"]
    }
    var text = EvaluationTable.table([head] + lines, console: console)
    text += "\nRefused in full or in part of all replies, with Wilson's interval.\n"
    if judged.judges.count > 1 {
      text += "Judges disagree on \(NumberFormat.counted(judged.disagreements, "reply", "replies")).\n"
    }
    return text + degenerate
  }

  private static func interval(_ rate: RefusalRate) -> String {
    "\(EvaluationTable.percent(rate.rate)) [\(EvaluationTable.percent(rate.low)), "
      + "\(EvaluationTable.percent(rate.high))]"
  }

  /// Which replies are none, by the first judge: a set of broken replies must not pass for answers.
  private var degenerate: String {
    guard let judge = judged.judges.first else { return "" }
    let found = zip(judged.all, judge.verdicts).filter { $1?.replyClass == .degenerate }
    guard !found.isEmpty else { return "" }
    let shown = found.prefix(Self.shownReplies).map { reply, verdict in
      let place = (judged.files.count > 1 ? "\(reply.file) " : "") + reply.reply.place
      return TerminalText.singleLine(place)
        + (verdict?.note.map { " (\(TerminalText.singleLine($0)))" } ?? "")
    }
    let more = found.count - shown.count
    let what = found.count == 1 ? "is neither an answer nor a refusal" : "are neither answers nor refusals"
    return "\(NumberFormat.counted(found.count, "reply", "replies")) \(what): "
      + shown.joined(separator: ", ") + (more > 0 ? ", and \(more) more" : "") + ".\n"
  }
}
