import Foundation
import SelfCDSupport

/// Why a data set could not be read. Each case says what, why and what to try.
public enum DatasetError: Error, Equatable, Codable, Sendable {
  /// The file is missing, is a directory or may not be read.
  case unreadable(file: String, detail: String)
  /// The file has no content.
  case empty(file: String)
  /// A table with a header and nothing below it.
  case headerOnly(file: String, columns: [String])
  /// The file, or what it unpacks to, is larger than the limit in bytes.
  case tooLarge(file: String, limit: Int)
  /// A gzip file that is damaged or cut short.
  case corruptGzip(file: String, detail: String)
  /// A kind of file that is recognised but not read.
  case unsupported(file: String, kind: String, advice: String)
  /// The header fits the catalogue only with another delimiter.
  case wrongDelimiter(file: String, found: String, likely: String)
  /// The header names a column twice.
  case repeatedColumn(file: String, column: String)
  /// The header itself is malformed.
  case badHeader(file: String, reason: RowIssue.Reason)
  /// No format of the catalogue has these columns; `known` are those that are known to hold prompts.
  case unknownColumns(file: String, columns: [String], known: [String])
  /// The format asked for needs columns that the file lacks.
  case missingColumns(file: String, format: String, missing: [String], present: [String])
  /// No format of the catalogue has the name asked for.
  case unknownFormat(name: String, known: [String])
  /// JSON whose outer shape is not a list of samples.
  case wrongShape(file: String, found: String, expected: String)
  /// Rows that could not be used, all of them, in file order.
  case malformedRows(file: String, issues: [RowIssue])
  /// Every row was skipped.
  case nothingUsable(file: String, issues: [RowIssue])
}

extension DatasetError: LocalizedError, CustomStringConvertible {
  /// A text for people: what, why, what to try.
  public var description: String {
    switch self {
    case .unreadable(let file, let detail):
      "Cannot read \(file): \(detail). Check the path and its permissions."
    case .empty(let file):
      "\(file) is empty. A data set needs at least one prompt; was the download cut short?"
    case .headerOnly(let file, let columns):
      "\(file) has a header (\(columns.joined(separator: ", "))) and no rows. Was the download cut short?"
    case .tooLarge(let file, let limit):
      "\(file) is larger than the limit of \(limit) bytes. Split it, or raise the limit if it is meant to be."
    case .corruptGzip(let file, let detail):
      "\(file) begins like gzip but cannot be unpacked (\(detail)). Fetch it again; `gzip -t` tells more."
    case .unsupported(let file, let kind, let advice):
      "\(file) is \(kind), which is not read. \(advice)"
    case .wrongDelimiter(let file, let found, let likely):
      "\(file) is not separated by \(found) but looks separated by \(likely). Give that "
        + "delimiter, or none to have it found."
    case .repeatedColumn(let file, let column):
      "\(file) has two columns named '\(column)', so it is unclear which is meant. Rename one."
    case .badHeader(let file, let reason):
      "The header of \(file) is malformed: \(reason)."
    case .unknownColumns(let file, let columns, let known):
      "\(file) has no column that is known to hold prompts (\(known.joined(separator: ", "))); it has "
        + "\(columns.joined(separator: ", ")). Rename the one that does to 'prompt'."
    case .missingColumns(let file, let format, let missing, let present):
      "\(file) was read as '\(format)', which needs \(missing.joined(separator: ", ")), but it has "
        + "\(present.joined(separator: ", ")). "
        + (DatasetFormatCatalogue.detect(columns: present).map {
          "Leave the format out: the file is read as '\($0.name)'."
        } ?? "Rename the column with the prompts to 'prompt' and leave the format out.")
    case .unknownFormat(let name, let known):
      "There is no data format '\(name)'. Known: \(known.joined(separator: ", "))."
    case .wrongShape(let file, let found, let expected):
      "\(file) holds \(found) where \(expected) is needed."
    case .malformedRows(let file, let issues):
      "\(file) has \(NumberFormat.counted(issues.count, "row")) that cannot be used:\n\(issues.listed())\n"
        + "Correct them, or go on without them."
    case .nothingUsable(let file, let issues):
      if !issues.isEmpty, issues.allSatisfy({ $0.reason == .withheld }) {
        "All texts of \(file) were left out of the export. Write it again with them: "
          + "\(WithheldText.export(issues[0].run))."
      } else {
        "No row of \(file) can be used:\n\(issues.listed())\nIs it the right file and format?"
      }
    }
  }

  /// The same text as `description`, for code that shows `localizedDescription`.
  public var errorDescription: String? { description }
}
