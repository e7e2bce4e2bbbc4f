import SelfCDData
import SelfCDSupport

/// A file of replies, a table or JSON records: the layout is that of data sets, the columns are its own.
struct ReplyTable {
  struct Row {
    let position: Sample.Position
    /// The reply as it is, white space included, because judges look at beginnings.
    let text: String
    /// What it answers; empty where the file does not say.
    let prompt: String
    fileprivate let values: [String: JSONValue]

    /// A column's text, whatever case it is written in.
    subscript(column: String) -> String? {
      let key = DatasetFormat.key(column)
      return values.first { DatasetFormat.key($0.key) == key }?.value.text
    }

    var id: String { self["id"] ?? self["sample"] ?? String(position.number) }

    func fields(except known: Set<String>) -> [String: String] {
      values.filter { !known.contains(DatasetFormat.key($0.key)) }.mapValues(\.text)
    }
  }

  let rows: [Row]
  let columns: ReplyColumns.Found
  /// Rows that hold no reply.
  let issues: [RowIssue]

  /// - Parameters:
  ///   - needed: further columns that have to be there.
  ///   - skipsBadRows: whether rows that hold no reply are only listed.
  /// - Throws: `DatasetError` for what is wrong with the file, `JudgeError` for its columns.
  init(
    of bytes: [UInt8], fileName: String, columns: ReplyColumns, needed: [String] = [],
    skipsBadRows: Bool = false
  ) throws {
    let source = try Self.source(of: bytes, fileName: fileName, columns: columns)
    // A file of which no line could be read has no columns either.
    if source.records.isEmpty, !source.issues.isEmpty {
      throw DatasetError.nothingUsable(file: fileName, issues: source.issues)
    }
    let found = try columns.find(in: source.columns, file: fileName)
    let present = Set(source.columns.map(DatasetFormat.key))
    for name in needed where !present.contains(name) {
      throw JudgeError.missingColumn(name, file: fileName, present: source.columns)
    }
    var rows: [Row] = []
    var issues = source.issues
    for record in source.records {
      do throws(RowIssue.Reason) {
        rows.append(try Self.row(record, found))
      } catch {
        issues.append(RowIssue(position: record.position, reason: error))
      }
    }
    issues.sort { $0.position.number < $1.position.number }
    if !issues.isEmpty, !skipsBadRows { throw DatasetError.malformedRows(file: fileName, issues: issues) }
    if rows.isEmpty { throw DatasetError.nothingUsable(file: fileName, issues: issues) }
    (self.rows, self.columns, self.issues) = (rows, found, issues)
  }

  /// A header is what tells tables from lists and commas from semicolons, so each name is tried.
  private static func source(
    of bytes: [UInt8], fileName: String, columns: ReplyColumns
  ) throws(DatasetError) -> RecordSource {
    var first: RecordSource?
    for name in columns.reply.map({ [$0] }) ?? ReplyColumns.knownReplies {
      let format = DatasetFormat(name: "replies", summary: "replies", required: [name], prompt: name)
      let source = try DatasetReader(options: .init(format: format)).source(bytes: bytes, fileName: fileName)
      if source.columns.contains(where: { DatasetFormat.key($0) == DatasetFormat.key(name) }) {
        return source
      }
      first = first ?? source
    }
    return first ?? RecordSource()
  }

  private static func row(
    _ record: RecordSource.Record, _ columns: ReplyColumns.Found
  ) throws(RowIssue.Reason) -> Row {
    guard case .named(let values) = record.value else {
      throw .wrongType(found: "a string", expected: "an object with '\(columns.reply)'")
    }
    let asked = columns.prompt.flatMap { values[$0] }.map { value -> String in
      guard case .array(let turns) = value else { return value.text }
      return ReplyConversation.question(in: turns) ?? value.text
    }
    func row(_ text: String, prompt: String? = nil) -> Row {
      Row(position: record.position, text: text, prompt: asked ?? prompt ?? "", values: values)
    }
    switch values[columns.reply] {
    case nil, .null?: throw .missingField(columns.reply)
    case .array(let turns)?:
      let conversation = try ReplyConversation(turns)
      return row(conversation.reply, prompt: conversation.prompt)
    case .object(let message)?:
      guard case .string(let text)? = message["content"] else {
        throw .wrongType(found: "an object", expected: "a text, or a message with 'content'")
      }
      return row(text)
    case .string(let text)? where DatasetFormat.key(columns.reply) == "messages":
      guard let parsed = try? JSONValue.parse(text.utf8), case .array(let turns) = parsed else {
        throw .badConversation(detail: "the cell is not a JSON list of messages")
      }
      let conversation = try ReplyConversation(turns)
      return row(conversation.reply, prompt: conversation.prompt)
    case let value?: return row(value.text)
    }
  }
}
