import ArgumentParser
import Foundation
import SelfCDData
import SelfCDJudges
import SelfCDSupport

/// How files of replies are read.
struct ReplyFileOptions: ParsableArguments {
  @Option(
    help: .init(
      "The column with the replies; if not given, the first of \(ReplyColumns.knownReplies.joined(separator: ", ")).",
      valueName: "name"))
  var column: String?

  @Option(
    help: .init(
      "The column with the prompts; if not given, the first of \(ReplyColumns.knownPrompts.joined(separator: ", ")).",
      valueName: "name"))
  var promptColumn: String?

  @Option(
    help: .init(
      "The column that says safe or harmful; if not given, label, set, harmful, safe and the like, and XSTest's types.",
      valueName: "name"))
  var labelColumn: String?

  @Option(
    help: .init(
      "What the prompts are, of rows that do not say it in words known here: safe, harmful or neutral.",
      valueName: "label"))
  var label: Sample.Label?

  @Option(
    help: .init(
      """
      The column with the human labels, for --agreement and --features; if not given, \
      \(ReplyColumns.defaultHumanLabel).
      """, valueName: "name"))
  var humanColumn: String?

  @Flag(help: "Leave out rows that hold no reply, and say how many.")
  var skipBad = false

  /// The options given.
  var given: [String] {
    [
      ("--column", column != nil), ("--prompt-column", promptColumn != nil),
      ("--label-column", labelColumn != nil), ("--label", label != nil),
      ("--human-column", humanColumn != nil), ("--skip-bad", skipBad),
    ].filter(\.1).map(\.0)
  }

  var columns: ReplyColumns {
    ReplyColumns(reply: column, prompt: promptColumn, label: labelColumn, humanLabel: humanColumn)
  }

  /// Reads a file of replies, or standard input for `-`.
  /// - Parameter condition: The column that says how a reply was made.
  /// - Throws: `CommandError`, which says what is wrong with the file and which option helps; `DatasetError`.
  func read(_ file: String, condition: String? = nil) throws -> ForeignReplies {
    var columns = columns
    columns.condition = condition
    let options = ForeignReplies.Options(columns: columns, label: label, skipsBadRows: skipBad)
    return try Self.explaining {
      guard file == "-" else {
        return try ForeignReplies(path: UserFolders.current.expand(file), options: options)
      }
      return try ForeignReplies(
        bytes: try InputText.standardInput(), fileName: ReplyFileOptions.standardInput, options: options)
    }
  }

  /// Reads a file of replies that people have labelled.
  /// - Throws: as ``read(_:)``.
  func readLabelled(_ file: String) throws -> LabelledReplies {
    try Self.explaining {
      guard file == "-" else {
        return try LabelledReplies(
          path: UserFolders.current.expand(file), columns: columns, skipsBadRows: skipBad)
      }
      return try LabelledReplies(
        bytes: try InputText.standardInput(), fileName: ReplyFileOptions.standardInput, columns: columns,
        skipsBadRows: skipBad)
    }
  }

  /// The files that an argument names: of a folder, such as that of 'selfcd export --format inspect', the logs in it.
  /// - Throws: `CommandError` for a folder without logs.
  static func files(_ argument: String) throws -> [String] {
    let folder = UserFolders.current.expand(argument)
    var isFolder: ObjCBool = false
    guard argument != "-", FileManager.default.fileExists(atPath: folder, isDirectory: &isFolder),
      isFolder.boolValue
    else { return [argument] }
    let names: [String]
    do {
      names = try FileManager.default.contentsOfDirectory(atPath: folder)
    } catch {
      throw CommandError.unreadableFile(path: argument, reason: (error as NSError).localizedDescription)
    }
    let logs = names.filter {
      $0.lowercased().hasSuffix(".json") && !$0.hasPrefix(".") && !indexes.contains($0)
    }
    if logs.isEmpty {
      let hasPacked = names.contains { $0.lowercased().hasSuffix(".eval") }
      throw CommandError.invalid(
        "\(argument) is a folder without logs of Inspect in JSON (*.json). "
          + (hasPacked
            ? "Inspect prints its own as JSON: inspect log dump LOG > log.json"
            : "Name the files of replies in it."))
    }
    let base = argument.hasSuffix("/") ? argument : argument + "/"
    return logs.sorted().map { base + $0 }
  }

  /// Files that Inspect keeps beside its logs.
  private static let indexes: Set = ["logs.json", "listing.json", "eval-set.json"]

  /// What standard input is called where files have names.
  static let standardInput = "standard input"

  /// The library says what is wrong; which option helps, only the command knows.
  private static func explaining<Result>(_ read: () throws -> Result) throws -> Result {
    do {
      return try read()
    } catch let error as JudgeError {
      switch error {
      case .noReplyColumn(_, let present, _) where !present.isEmpty:
        throw CommandError.invalid("\(error) --column NAME says which.")
      case .missingColumn(ReplyColumns.defaultHumanLabel, _, _):
        throw CommandError.invalid("\(error) --human-column NAME says which.")
      default: throw error
      }
    } catch let error as DatasetError {
      if case .malformedRows = error {
        throw CommandError.invalid("\(error) --skip-bad leaves such rows out.")
      }
      throw error
    }
  }
}
