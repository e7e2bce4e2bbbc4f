import SelfCDData
import SelfCDEval
import SelfCDSupport

/// What is said of a sheet that was written.
struct WrittenAudit: Encodable {
  let run: String
  let audit: String
  let reference: String
  let candidate: String
  let judge: AuditKey.Judge
  let rows: Int
  let strata: [AuditKey.Stratum]
  /// Prompts that lack one of the two replies.
  let incomplete: Int
  /// The column of whose groups one prompt each is audited.
  let group: String?
  /// Prompts that are left out since another one of their group was drawn.
  let notDrawn: Int
  let sheet: String
  let key: String
  let page: String?

  init(_ made: AuditKey, sheet: String, key: String, page: String?, incomplete: Int, notDrawn: Int) {
    (run, audit, reference, candidate) = (made.run, made.audit, made.reference, made.candidate)
    (judge, rows, strata) = (made.judge, made.rows.count, made.strata)
    (self.sheet, self.key, self.page, self.incomplete) = (sheet, key, page, incomplete)
    (group, self.notDrawn) = (made.group, notDrawn)
  }

  /// - Parameter next: the command that reads the labels.
  func text(next: String, console: Console) -> String {
    let kinds: [(AuditPair.Kind, String)] = [
      (.changed, "another verdict"), (.unchanged, "other text, same verdict"), (.identical, "same text"),
    ]
    let lines = kinds.map { kind, title in
      [title]
        + [Sample.Label.safe, .harmful].map { set in
          strata.first { $0.set == set && $0.kind == kind }.map { "\($0.read) of \($0.pairs)" } ?? "–"
        }
    }
    var remarks = [
      "\(NumberFormat.counted(rows, "reply", "replies")) to label, of \(reference) and \(candidate), judged by \(judge.name). Keep \(key) from whoever "
        + "labels. Then: \(next)"
    ]
    if incomplete > 0 {
      remarks.append(
        "\(NumberFormat.counted(incomplete, "prompt lacks", "prompts lack")) one of the two replies and "
          + "\(incomplete == 1 ? "is" : "are") left out.")
    }
    if let group {
      let rest = NumberFormat.counted(notDrawn, "other prompt is left out", "other prompts are left out")
      remarks.append(
        "One prompt of each group of column '\(group)' is audited, drawn at random, and \(rest): prompts of a group are no "
          + "independent evidence.")
    }
    return EvaluationTable.table([["prompts to read", "harmless", "harmful"]] + lines, console: console)
      + "\n"
      + remarks.flatMap { TextLayout.wrap(TerminalText.singleLine($0), width: console.width) }
      .map { $0 + "\n" }.joined()
  }
}
