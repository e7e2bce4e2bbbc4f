import SelfCDData
import SelfCDJudges
import SelfCDSupport

/// What a reader wrote on a sheet: a class for each of its rows.
public struct AuditLabels: Sendable, Hashable {
  /// The class of each row, by the row's identifier.
  public let classes: [String: ReplyClass]
  /// Columns with texts that the file lacks, so that they could not be compared with those that the rows were written with:
  /// `prompt`, `reply`. A column of labels that was sorted by itself is then not noticed.
  public let missingTexts: [String]

  /// Takes labels as they are.
  public init(_ classes: [String: ReplyClass], missingTexts: [String] = []) {
    self.classes = classes
    self.missingTexts = missingTexts
  }

  /// Reads a sheet with its labels: a table with the columns `id` and `label`, or JSON records with those keys. The order
  /// of the rows makes no difference. Where the file has prompts and replies too, they have to be those that the rows were
  /// written with, as far as spreadsheet programs leave them alone: a column that was sorted by itself would else give
  /// labels to other replies. Further columns are passed over. Labels are those that ``ReplyClass`` reads.
  /// - Parameters:
  ///   - path: The file.
  ///   - key: The key that was written with the sheet.
  ///   - pairs: The run's pairs, as they were when the sheet was made.
  /// - Throws: `DatasetError` for what is wrong with the file; ``AuditError`` for a sheet of another audit, for pairs that
  ///   are not those of the key, for rows with another prompt or reply, and for rows without a label, with one that is
  ///   none, given twice or missing, all of them together.
  public static func read(path: String, key: AuditKey, pairs: [AuditPair]) throws -> AuditLabels {
    let limit = DatasetReader.Options().byteLimit
    return try read(bytes: try DatasetReader.load(path, limit: limit), fileName: path, key: key, pairs: pairs)
  }

  /// Reads a sheet with its labels from a file's bytes.
  /// - Throws: as ``read(path:key:pairs:)``.
  public static func read(
    bytes: [UInt8], fileName: String, key: AuditKey, pairs: [AuditPair]
  ) throws -> AuditLabels {
    let shown = try key.shown(of: pairs)
    let format = DatasetFormat(
      name: "audit", summary: "a labelled sheet", required: ["id", "label"], prompt: "id")
    let source = try DatasetReader(options: .init(format: format)).source(bytes: bytes, fileName: fileName)
    if !source.issues.isEmpty { throw DatasetError.malformedRows(file: fileName, issues: source.issues) }
    func found(_ name: String) -> String? {
      source.columns.first { DatasetFormat.key($0) == name }
    }
    func column(_ name: String) throws(AuditError) -> String {
      guard let own = found(name) else {
        throw .missingColumn(name, file: fileName, present: source.columns)
      }
      return own
    }
    let (idColumn, labelColumn) = (try column("id"), try column("label"))
    let (promptColumn, replyColumn) = (found("prompt"), found("reply"))
    var classes: [String: ReplyClass] = [:]
    var seen: Set<String> = []
    var problems: [AuditError.RowProblem] = []
    var moved: [AuditError.RowProblem] = []
    for record in source.records {
      guard case .named(let values) = record.value else { continue }
      func text(_ column: String) -> String {
        guard let value = values[column], value != .null else { return "" }
        return value.text.trimmingSpaces()
      }
      let (id, label) = (text(idColumn), text(labelColumn))
      let position = record.position
      guard !id.isEmpty else {
        // Spreadsheet programs write rows of empty cells behind the last one.
        if values.keys.contains(where: { !text($0).isEmpty }) {
          problems.append(.init(id: id, position: position, reason: .unidentified))
        }
        continue
      }
      guard let row = shown[id] else {
        throw AuditError.otherSheet(file: fileName, position: position, id: id, run: key.run)
      }
      func isKept(_ own: String, in column: String?) -> Bool {
        column.map { AuditCellText(own).isKept(in: AuditCellText(text($0))) } ?? true
      }
      if !isKept(row.prompt, in: promptColumn) {
        moved.append(.init(id: id, position: position, reason: .otherText(column: "prompt")))
      } else if !isKept(row.reply, in: replyColumn) {
        moved.append(.init(id: id, position: position, reason: .otherText(column: "reply")))
      }
      if !seen.insert(id).inserted {
        problems.append(.init(id: id, position: position, reason: .repeated))
      } else if label.isEmpty {
        problems.append(.init(id: id, position: position, reason: .unlabelled))
      } else if let replyClass = ReplyClass(label: label) {
        classes[id] = replyClass
      } else {
        problems.append(.init(id: id, position: position, reason: .unknownLabel(label)))
      }
    }
    for row in key.rows where !seen.contains(row.id) {
      problems.append(.init(id: row.id, position: nil, reason: .missing))
    }
    guard moved.isEmpty else {
      throw AuditError.otherTexts(file: fileName, rows: key.rows.count, problems: moved)
    }
    guard problems.isEmpty else {
      throw AuditError.badRows(file: fileName, rows: key.rows.count, problems: problems)
    }
    let missing = [("prompt", promptColumn), ("reply", replyColumn)].filter { $0.1 == nil }.map(\.0)
    return AuditLabels(classes, missingTexts: missing)
  }
}
