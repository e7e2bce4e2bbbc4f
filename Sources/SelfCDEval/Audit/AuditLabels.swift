import SelfCDData
import SelfCDJudges
import SelfCDSupport

/// What a reader wrote on a sheet: a class for each of its rows.
public struct AuditLabels: Sendable, Hashable {
  /// The class of each row, by the row's identifier.
  public let classes: [String: ReplyClass]

  /// Takes labels as they are.
  public init(_ classes: [String: ReplyClass]) { self.classes = classes }

  /// Reads a sheet with its labels: a table with the columns `id` and `label`, or JSON records with those keys. Other
  /// columns are passed over, and so is the order of the rows. Labels are those that ``ReplyClass`` reads.
  /// - Parameters:
  ///   - path: The file.
  ///   - key: The key that was written with the sheet.
  /// - Throws: `DatasetError` for what is wrong with the file; ``AuditError`` for a sheet of another audit, and for
  ///   rows without a label, with one that is none, given twice or missing, all of them together.
  public static func read(path: String, key: AuditKey) throws -> AuditLabels {
    let limit = DatasetReader.Options().byteLimit
    return try read(bytes: try DatasetReader.load(path, limit: limit), fileName: path, key: key)
  }

  /// Reads a sheet with its labels from a file's bytes.
  /// - Throws: as ``read(path:key:)``.
  public static func read(bytes: [UInt8], fileName: String, key: AuditKey) throws -> AuditLabels {
    let format = DatasetFormat(
      name: "audit", summary: "a labelled sheet", required: ["id", "label"], prompt: "id")
    let source = try DatasetReader(options: .init(format: format)).source(bytes: bytes, fileName: fileName)
    if !source.issues.isEmpty { throw DatasetError.malformedRows(file: fileName, issues: source.issues) }
    func column(_ name: String) throws(AuditError) -> String {
      guard let own = source.columns.first(where: { DatasetFormat.key($0) == name }) else {
        throw .missingColumn(name, file: fileName, present: source.columns)
      }
      return own
    }
    let (idColumn, labelColumn) = (try column("id"), try column("label"))
    let known = Set(key.rows.map(\.id))
    var classes: [String: ReplyClass] = [:]
    var seen: Set<String> = []
    var problems: [AuditError.RowProblem] = []
    for record in source.records {
      guard case .named(let values) = record.value else { continue }
      func text(_ column: String) -> String {
        guard let value = values[column], value != .null else { return "" }
        return value.text.trimmingSpaces()
      }
      let (id, label) = (text(idColumn), text(labelColumn))
      guard known.contains(id) else {
        throw AuditError.otherSheet(file: fileName, position: record.position, id: id, run: key.run)
      }
      let position = record.position
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
    guard problems.isEmpty else {
      throw AuditError.badRows(file: fileName, rows: key.rows.count, problems: problems)
    }
    return AuditLabels(classes)
  }
}
