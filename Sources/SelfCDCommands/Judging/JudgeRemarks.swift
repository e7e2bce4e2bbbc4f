import SelfCDData
import SelfCDJudges
import SelfCDSupport

/// What a person has to know of files of replies before the figures: what was left out, and what was taken for what.
struct JudgeRemarks {
  let console: Console

  private static let shownValues = 5
  private static let longestValue = 40

  /// - Parameter label: what `--label` says.
  func say(of files: [JudgedReplies.File], label: Sample.Label?) {
    for file in files {
      let replies = file.replies
      say(
        skipped: replies.skipped, column: replies.column, others: replies.otherColumns, name: file.name)
      let columns = Dictionary(grouping: replies.unknownLabels, by: \.column)
      for (column, labels) in columns.sorted(by: { $0.key < $1.key }) {
        say(labels, column: column, label: label, name: file.name)
      }
      for column in replies.columnsOfReplies where label == nil {
        console.note(
          TerminalText.singleLine(
            "\(file.name): the column '\(column)' may be about the replies and not about the prompts, so it labels nothing; "
              + "--label-column \(column) takes it."))
      }
    }
    let silent = files.reduce(0) { sum, file in
      sum + file.replies.replies.count { $0.label == nil } - Self.unlabelled(file.replies, label: label)
    }
    if silent > 0 {
      console.note(
        "\(NumberFormat.counted(silent, "prompt has", "prompts have")) no label, safe or harmful, so there are "
          + "counts and no rate; give --label, or a column 'label'.")
    }
  }

  func say(of replies: LabelledReplies, name: String) {
    say(skipped: replies.skipped, column: replies.column, others: replies.otherColumns, name: name)
    if replies.unlabelled > 0 {
      console.note(
        "\(TerminalText.singleLine(name)): \(NumberFormat.counted(replies.unlabelled, "row")) left out, without a "
          + "human label.")
    }
  }

  private func say(skipped: [RowIssue], column: String, others: [String], name: String) {
    let name = TerminalText.singleLine(name)
    if let issue = skipped.first {
      console.note(
        "\(name): \(NumberFormat.counted(skipped.count, "row")) left out; the first: "
          + "\(TerminalText.singleLine("\(issue)")).")
    }
    if !others.isEmpty {
      console.note(
        TerminalText.singleLine(
          "\(name): the replies are taken from '\(column)', not from \(others.joined(separator: ", ")); "
            + "--column says otherwise."))
    }
  }

  /// Says which labels of a column are not known, and what becomes of them.
  private func say(
    _ labels: [ForeignReplies.UnknownLabel], column: String, label: Sample.Label?, name: String
  ) {
    let shown = labels.prefix(Self.shownValues).map { unknown in
      let isLong = unknown.value.count > Self.longestValue
      return "'\(unknown.value.prefix(Self.longestValue))\(isLong ? "…" : "")' (\(unknown.rows))"
    }
    let more = labels.count - shown.count
    let values = shown.joined(separator: ", ") + (more > 0 ? ", and \(more) more" : "")
    let rows = NumberFormat.counted(labels.reduce(0) { $0 + $1.rows }, "row has", "rows have")
    let known = labels.first?.known.joined(separator: ", ") ?? ""
    let consequence =
      label.map { "--label counts them as \($0.rawValue)." }
      ?? "They have counts and no rate: correct them, name another column with --label-column, or say with --label "
      + "what they are."
    console.note(
      TerminalText.singleLine(
        "\(name): \(rows) a label in the column '\(column)' that is not known: \(values). Known: \(known). "
          + consequence))
  }

  /// Replies without a label because theirs is not known.
  private static func unlabelled(_ replies: ForeignReplies, label: Sample.Label?) -> Int {
    label == nil ? replies.unknownLabels.reduce(0) { $0 + $1.rows } : 0
  }
}
