import SelfCDData
import SelfCDSupport

/// The replies of one file that people have labelled, with how it was read.
public struct LabelledReplies: Codable, Sendable, Hashable {
  /// The labelled replies in file order.
  public var replies: [LabelledReply]
  /// The column they were in.
  public var column: String
  /// Other columns that might have held them.
  public var otherColumns: [String]
  /// Replies that were left out because nobody has labelled them.
  public var unlabelled: Int
  /// Rows that hold no reply, or a label that is none, and were left out.
  public var skipped: [RowIssue]

  /// Reads a file: a table with a column of human labels and one of replies, or JSON records with those keys, plain or
  /// packed. Prompts and `id` are taken where they exist. A reply is kept as it is, white space included, because judges
  /// look at beginnings. One with a blank label is left out and counted.
  /// - Throws: `DatasetError` for what is wrong with the file and its labels, all of them together, `JudgeError` for what is
  ///   wrong with its columns, and where no reply has a label.
  public init(path: String, columns: ReplyColumns = ReplyColumns(), skipsBadRows: Bool = false) throws {
    try self.init(
      bytes: try DatasetReader.load(path, limit: DatasetReader.Options().byteLimit), fileName: path,
      columns: columns, skipsBadRows: skipsBadRows)
  }

  /// Reads a file's bytes.
  /// - Throws: as ``init(path:columns:skipsBadRows:)``.
  public init(
    bytes: [UInt8], fileName: String, columns: ReplyColumns = ReplyColumns(), skipsBadRows: Bool = false
  ) throws {
    let human = columns.humanLabel ?? ReplyColumns.defaultHumanLabel
    let table = try ReplyTable(of: bytes, fileName: fileName, columns: columns, needed: [human])
    let used = Set(
      ["id", human, table.columns.reply, table.columns.prompt].compactMap { $0.map(DatasetFormat.key) })
    var labelled: [LabelledReply] = []
    var wrong: [RowIssue] = []
    for row in table.rows {
      let label = row[human]?.trimmingSpaces() ?? ""
      guard !label.isEmpty else { continue }
      guard let humanLabel = ReplyClass(label: label) else {
        let known = ReplyClass.allCases.map(\.rawValue)
        wrong.append(
          RowIssue(position: row.position, reason: .notALabel(label, column: human, known: known)))
        continue
      }
      labelled.append(
        LabelledReply(
          id: row.id, prompt: row.prompt, completion: row.text, humanLabel: humanLabel,
          fields: row.fields(except: used)))
    }
    replies = labelled
    column = table.columns.reply
    otherColumns = table.columns.others
    unlabelled = table.rows.count - labelled.count - wrong.count
    skipped = (table.issues + wrong).sorted { $0.position.number < $1.position.number }
    if labelled.isEmpty, !wrong.isEmpty {
      throw DatasetError.nothingUsable(file: fileName, issues: skipped)
    }
    if !skipped.isEmpty, !skipsBadRows {
      throw DatasetError.malformedRows(file: fileName, issues: skipped)
    }
    if labelled.isEmpty { throw JudgeError.noReplies }
  }
}
