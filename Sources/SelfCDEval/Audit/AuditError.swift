import Foundation
import SelfCDData
import SelfCDJudges

/// Why an audit cannot be made or read. Each case says what, why and what to try.
public enum AuditError: Error, Equatable, Codable, Sendable {
  /// A row of a labelled sheet that cannot be used.
  public struct RowProblem: Codable, Sendable, Hashable {
    /// What is wrong with a row.
    public enum Reason: Codable, Sendable, Hashable {
      /// The label is empty.
      case unlabelled
      /// The label is no class.
      case unknownLabel(String)
      /// An earlier row has the same identifier.
      case repeated
      /// The row is not there.
      case missing
      /// The row has no identifier.
      case unidentified
      /// A cell has another text than the row was written with; the column's name.
      case otherText(column: String)
    }

    /// The row's identifier.
    public var id: String
    /// Where it stands; nil for a row that is not there.
    public var position: Sample.Position?
    /// What is wrong with it.
    public var reason: Reason

    /// Makes a problem.
    public init(id: String, position: Sample.Position?, reason: Reason) {
      self.id = id
      self.position = position
      self.reason = reason
    }
  }

  /// The run has no condition of that name.
  case unknownCondition(String, run: String, known: [String])
  /// Several conditions of the run go by that name.
  case ambiguousCondition(String, run: String, matches: [String])
  /// It is not said which condition is compared, and there are several.
  case noCandidate(run: String, known: [String])
  /// A condition is to be compared with itself.
  case sameCondition(String)
  /// No prompt has a reply under both conditions.
  case noPairs(run: String, reference: String, candidate: String)
  /// The run has no verdict by that judge.
  case notJudged(run: String, judge: String, known: [String])
  /// The key cannot be read.
  case unreadableKey(file: String, detail: String)
  /// The key was written by a later version of this program.
  case laterKey(file: String, version: Int)
  /// The key belongs to another run.
  case otherRun(asked: String, own: String)
  /// The run's prompts, replies or verdicts are not those that the sheet was made of.
  case changedRun(run: String)
  /// A file of labels without a column that is needed.
  case missingColumn(String, file: String, present: [String])
  /// A row that is not on the key's sheet.
  case otherSheet(file: String, position: Sample.Position, id: String, run: String)
  /// Rows whose prompt or reply is not the one that they were written with, all of them.
  case otherTexts(file: String, rows: Int, problems: [RowProblem])
  /// Rows that cannot be used, all of them.
  case badRows(file: String, rows: Int, problems: [RowProblem])
}

extension AuditError: LocalizedError, CustomStringConvertible {
  /// A text for people: what, why, what to try.
  public var description: String {
    switch self {
    case .unknownCondition(let name, let run, let known):
      "The run '\(run)' has no condition '\(name)'. It has \(known.joined(separator: ", "))."
    case .ambiguousCondition(let name, let run, let matches):
      "The run '\(run)' has several conditions that '\(name)' may mean: \(matches.joined(separator: ", ")). Name one of "
        + "them in full."
    case .noCandidate(let run, let known):
      "The run '\(run)' has several conditions to compare. Say which with --candidate: "
        + "\(known.joined(separator: ", "))."
    case .sameCondition(let name):
      "'\(name)' cannot be compared with itself. Name another condition as reference or as candidate."
    case .noPairs(let run, let reference, let candidate):
      "No harmless or harmful prompt of the run '\(run)' has a reply under both \(reference) and \(candidate), so there is "
        + "nothing to read. Let the run finish, or name other conditions."
    case .notJudged(let run, let judge, let known):
      "The run '\(run)' has no verdict by '\(judge)', so there is nothing to audit. "
        + (known.isEmpty
          ? "Judge it first: selfcd judge \(run)." : "Judges there are: \(known.joined(separator: ", ")).")
    case .unreadableKey(let file, let detail):
      "The key \(file) cannot be read: \(detail). It was written beside the sheet; without it nobody knows which reply a "
        + "row is. Name it with --key."
    case .laterKey(let file, let version):
      "The key \(file) has format \(version), which this version of the program does not know. Update it."
    case .otherRun(let asked, let own):
      "The key belongs to the run '\(own)', not to '\(asked)'. Name that run, or the key of this one."
    case .changedRun(let run):
      "The run '\(run)' is not what the sheet was made of: replies came or went, or were judged again. Give the store with "
        + "the run as it was, or write a new sheet; labels of the old one do not fit."
    case .missingColumn(let column, let file, let present):
      "\(file) has no column '\(column)'; it has \(present.joined(separator: ", ")). A sheet has the columns "
        + "\(AuditSheet.columns.joined(separator: ", "))."
    case .otherSheet(let file, let position, let id, let run):
      "\(file), \(position): row '\(id)' is not on the sheet of run '\(run)' that the key belongs to. Give the sheet and the "
        + "key that were written together."
    case .otherTexts(let file, let rows, let problems):
      "\(problems.count) of \(rows) rows of \(file) have another prompt or reply than they were written with:\n"
        + "\(Self.list(problems))\n"
        + "A column was sorted or pasted by itself, or a text was edited, so nobody knows which reply a label belongs to. "
        + "Undo that in the spreadsheet, or copy the labels to the sheet as it was written. Whole rows may stand in any "
        + "order; save the sheet as CSV in UTF-8."
    case .badRows(let file, let rows, let problems):
      "\(problems.count) of \(rows) rows of \(file) cannot be used:\n\(Self.list(problems))\n"
        + "A label is one of \(ReplyClass.allCases.map(\.rawValue).joined(separator: ", ")), or the number or the words of "
        + "one. Nothing was changed: complete the file and give it again."
    }
  }

  /// The same text as `description`, for code that shows `localizedDescription`.
  public var errorDescription: String? { description }

  private static func list(_ problems: [RowProblem], limit: Int = 10) -> String {
    var lines = problems.prefix(limit).map { "  \($0)" }
    if problems.count > limit { lines.append("  and \(problems.count - limit) more") }
    return lines.joined(separator: "\n")
  }
}

extension AuditError.RowProblem: CustomStringConvertible {
  /// For example "row a1b2c3-017 (line 18) has no label".
  public var description: String {
    (id.isEmpty ? "a row" : "row \(id)") + (position.map { " (\($0))" } ?? "")
      + {
        switch reason {
        case .unlabelled: " has no label"
        case .unknownLabel(let label): " has the label '\(label)', which is none"
        case .repeated: " is there twice"
        case .missing: " is missing"
        case .unidentified: " has no id"
        case .otherText(let column): " has another \(column)"
        }
      }()
  }
}
