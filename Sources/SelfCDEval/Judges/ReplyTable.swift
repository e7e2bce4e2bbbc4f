/// Files of replies, tables or JSON records: the layout is that of data sets, the columns are their own.
enum ReplyTable {
  struct Row {
    let position: Sample.Position
    /// The reply as it is, white space included, because judges look at beginnings.
    let text: String
    fileprivate let values: [String: JSONValue]

    /// A column's text, whatever case it is written in.
    subscript(column: String) -> String? {
      values.first { DatasetFormat.key($0.key) == column }?.value.text
    }

    var id: String { self["id"] ?? self["sample"] ?? String(position.number) }

    func fields(except known: Set<String>) -> [String: String] {
      values.filter { !known.contains(DatasetFormat.key($0.key)) }.mapValues(\.text)
    }
  }

  /// - Parameters:
  ///   - text: names of the column with the reply; the first that the file has is taken.
  ///   - needed: further columns that have to be there.
  /// - Throws: `DatasetError` for what is wrong with the file, `JudgeError.missingColumn` for its columns.
  static func rows(
    of bytes: [UInt8], fileName: String, text: [String], needed: [String] = []
  ) throws -> [Row] {
    // Only for the delimiter and the container; a header with another of the names is tried before it is refused.
    var failure: (any Error)?
    for column in text {
      let format = DatasetFormat(
        name: "replies", summary: "replies", required: [column] + needed, prompt: column)
      do {
        let source = try DatasetReader(options: .init(format: format)).source(
          bytes: bytes, fileName: fileName)
        return try rows(of: source, fileName: fileName, column: column, needed: needed)
      } catch {
        failure = failure ?? error
      }
    }
    throw failure ?? JudgeError.noReplies
  }

  private static func rows(
    of source: RecordSource, fileName: String, column: String, needed: [String]
  ) throws -> [Row] {
    guard source.issues.isEmpty else {
      throw DatasetError.malformedRows(file: fileName, issues: source.issues)
    }
    let columns = Set(source.columns.map(DatasetFormat.key))
    for name in [column] + needed where !columns.contains(name) {
      throw JudgeError.missingColumn(name, present: source.columns)
    }
    return try source.records.map { record in
      guard case .named(let values) = record.value else {
        throw JudgeError.missingColumn(column, present: [])
      }
      let text = values.first { DatasetFormat.key($0.key) == column }?.value.text ?? ""
      return Row(position: record.position, text: text, values: values)
    }
  }
}

/// A reply from elsewhere that is to be judged.
public struct ForeignReply: Codable, Sendable, Hashable {
  /// The file's own identifier, else the position.
  public var id: String
  /// The prompt; empty where the file has none.
  public var prompt: String
  /// The reply.
  public var completion: String

  /// Reads replies: a table or JSON records with `completion` (or `reply`), and `prompt` and `id` where they exist.
  /// - Throws: `DatasetError` for what is wrong with the file, `JudgeError` for its columns.
  public static func read(path: String) throws -> [ForeignReply] {
    let options = DatasetReader.Options()
    return try read(bytes: try DatasetReader.load(path, limit: options.byteLimit), fileName: path)
  }

  /// Reads replies from a file's bytes.
  /// - Throws: as ``read(path:)``.
  public static func read(bytes: [UInt8], fileName: String) throws -> [ForeignReply] {
    try ReplyTable.rows(of: bytes, fileName: fileName, text: ["completion", "reply"]).map { row in
      ForeignReply(id: row.id, prompt: row["prompt"] ?? "", completion: row.text)
    }
  }
}
