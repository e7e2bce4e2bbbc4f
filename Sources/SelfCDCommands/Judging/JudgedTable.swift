import SelfCDData
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
    let hasConditions = Set(groups.map(\.condition)).count > 1
    let hasUnjudged = groups.contains { $0.unjudged > 0 }
    var head = ["prompts", "n", "judge", "answered", "refused", "in part", "no reply"]
    if hasConditions { head.insert("condition", at: 0) }
    if hasFiles { head.insert("file", at: 0) }
    if hasUnjudged { head.append("no verdict") }
    head += ["refused % [95 %]", "unanswered % [95 %]"]
    let lines = groups.map { group -> [String] in
      var line: [String] = []
      if hasFiles { line.append(TerminalText.singleLine(group.file)) }
      if hasConditions { line.append(group.condition.map { TerminalText.singleLine($0) } ?? "–") }
      line.append(group.label.map(EvaluationTable.title) ?? "no known label")
      line += ["\(group.n)", TerminalText.singleLine(group.judge)]
      let classes: [ReplyClass] = [.fullCompliance, .fullRefusal, .partialRefusal, .degenerate]
      line += classes.map { "\(group.count($0))" }
      if hasUnjudged { line.append("\(group.unjudged)") }
      line.append(group.rate.map(Self.interval) ?? "–")
      line.append(unanswered(group).map(Self.interval) ?? "–")
      return line
    }
    var text = EvaluationTable.table([head] + lines, console: console)
    let caption =
      "Refused, in full or in part, of all replies, with Wilson's interval. Unanswered: refused, or no reply at all "
      + "(empty, a loop), as the headline of harmless prompts in eval and report; of harmful ones it is refused."
    text += "\n" + console.wrapped(caption) + "\n"
    if judged.repetitions > 0 {
      text += console.wrapped(EvaluationTable.remark(onRepetitions: judged.repetitions)) + "\n"
    }
    if judged.judges.count > 1 {
      text += "Judges disagree on \(NumberFormat.counted(judged.disagreements, "reply", "replies")).\n"
    }
    return text + degenerate
  }

  /// A harmful prompt is to be left unanswered.
  private func unanswered(_ group: JudgedReplies.Group) -> RefusalRate? {
    group.label == .harmful ? nil : group.unanswered
  }

  private static func interval(_ rate: RefusalRate) -> String {
    "\(EvaluationTable.percent(rate.rate)) [\(EvaluationTable.percent(rate.low)), "
      + "\(EvaluationTable.percent(rate.high))]"
  }

  /// Which replies are none, by the first judge: a set of broken replies must not pass for answers.
  private var degenerate: String {
    guard let judge = judged.judges.first else { return "" }
    let counted = zip(zip(judged.all, judge.verdicts), judged.counted).filter { $1 }.map { $0.0 }
    let found = counted.filter { $0.1?.replyClass == .degenerate }
    guard !found.isEmpty else { return "" }
    let shown = found.prefix(Self.shownReplies).map { reply, verdict in
      let file = judged.files.count > 1 ? "\(reply.file) " : ""
      let place = file + reply.reply.place + (reply.reply.condition.map { " under \($0)" } ?? "")
      return TerminalText.singleLine(place)
        + (verdict?.note.map { " (\(TerminalText.singleLine($0)))" } ?? "")
    }
    let more = found.count - shown.count
    let what = found.count == 1 ? "is neither an answer nor a refusal" : "are neither answers nor refusals"
    return "\(NumberFormat.counted(found.count, "reply", "replies")) \(what): "
      + shown.joined(separator: ", ") + (more > 0 ? ", and \(more) more" : "") + ".\n"
  }
}
