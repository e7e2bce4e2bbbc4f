import SelfCDData
import SelfCDSupport

/// A file of replies, a table or JSON records: the layout is that of data sets, the columns are its own. A log of
/// Inspect is such a file, with a record for each sample.
struct ReplyTable {
  struct Row {
    let position: Sample.Position
    /// The reply as it is, white space included, because judges look at beginnings.
    let text: String
    /// What it answers; empty where the file does not say.
    let prompt: String
    /// The conversation that it answers, where the file has one.
    let turns: [Sample.Turn]
    fileprivate let values: [String: JSONValue]

    /// A column's text, whatever case it is written in. What a record has no column for may stand in its `metadata`.
    subscript(column: String) -> String? { ReplyTable.value(column, of: values)?.text }

    var id: String { self["id"] ?? self["sample"] ?? String(position.number) }

    /// The file's own identifier.
    var ownID: String? { (self["id"] ?? self["sample"]).flatMap { $0.trimmingSpaces().isEmpty ? nil : $0 } }

    /// What has a single value, in `metadata` too, besides reply and prompt.
    func scalars(except columns: ReplyColumns.Found) -> [String: String] {
      var all = values
      if case .object(let inner)? = values[ReplyTable.metadata] { all.merge(inner) { own, _ in own } }
      let texts = Set([columns.reply, columns.prompt].compactMap { $0.map(DatasetFormat.key) })
      return all.compactMapValues { value -> String? in
        switch value {
        case .string, .integer, .number, .bool: value.text
        case .null, .array, .object: nil
        }
      }.filter { !texts.contains(DatasetFormat.key($0.key)) }
    }

    func fields(except known: Set<String>) -> [String: String] {
      values.filter { !known.contains(DatasetFormat.key($0.key)) }.mapValues(\.text)
    }
  }

  let rows: [Row]
  let columns: ReplyColumns.Found
  /// Rows that hold no reply.
  let issues: [RowIssue]

  private static let metadata = "metadata"

  /// Rows that hold no reply are listed in ``issues``.
  /// - Parameter needed: further columns that have to be there.
  /// - Throws: `DatasetError` for what is wrong with the file, `JudgeError` for its columns.
  init(
    of bytes: [UInt8], fileName: String, columns: ReplyColumns, needed: [String] = []
  ) throws {
    let source = try Self.source(of: bytes, fileName: fileName, columns: columns)
    // A file of which no line could be read has no columns either.
    if source.records.isEmpty, !source.issues.isEmpty {
      throw DatasetError.nothingUsable(file: fileName, issues: source.issues)
    }
    let found = try Self.columns(columns, needed: needed, in: source, file: fileName)
    var rows: [Row] = []
    var issues = source.issues
    for record in source.records {
      do throws(RowIssue.Reason) {
        rows.append(try Self.row(record, found))
      } catch {
        let run = Self.value(WithheldText.runColumn, of: Self.values(record))?.text
        issues.append(RowIssue(position: record.position, reason: error, run: run))
      }
    }
    issues.sort { $0.position.number < $1.position.number }
    // Where nothing is left, leaving bad rows out is no way out.
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
      let source = ForeignRecords.flattened(
        try DatasetReader(options: .init(format: format)).source(bytes: bytes, fileName: fileName))
      if source.columns.contains(where: { DatasetFormat.key($0) == DatasetFormat.key(name) }) {
        return source
      }
      first = first ?? source
    }
    return first ?? RecordSource()
  }

  private static func columns(
    _ columns: ReplyColumns, needed: [String], in source: RecordSource, file: String
  ) throws -> ReplyColumns.Found {
    let records = source.records.map(values)
    let metadata = Set(
      records.flatMap { record -> [String] in
        guard case .object(let values)? = record[Self.metadata] else { return [] }
        return Array(values.keys)
      }
    ).sorted()
    var found: ReplyColumns.Found
    do {
      found = try columns.find(in: source.columns, metadata: metadata, file: file)
    } catch {
      // An export without texts has no column for them, and says so.
      let issues = source.withheld()
      guard case .noReplyColumn = error, !issues.isEmpty else { throw error }
      throw DatasetError.nothingUsable(file: file, issues: issues)
    }
    let present = Set((source.columns + metadata).map(DatasetFormat.key))
    for name in needed where !present.contains(DatasetFormat.key(name)) {
      throw JudgeError.missingColumn(name, file: file, present: source.columns + metadata)
    }
    // Inspect's messages end with its output: they are the same reply.
    if records.contains(where: { ReplyValue.isOutput($0[found.reply]) }) {
      found.others.removeAll { DatasetFormat.key($0) == "messages" }
    }
    return found
  }

  private static func values(_ record: RecordSource.Record) -> [String: JSONValue] {
    guard case .named(let values) = record.value else { return [:] }
    return values
  }

  private static func value(_ column: String, of values: [String: JSONValue]) -> JSONValue? {
    let key = DatasetFormat.key(column)
    if let own = values.first(where: { DatasetFormat.key($0.key) == key }) { return own.value }
    guard case .object(let inner)? = values[metadata] else { return nil }
    return inner.first { DatasetFormat.key($0.key) == key }?.value
  }

  private static func row(
    _ record: RecordSource.Record, _ columns: ReplyColumns.Found
  ) throws(RowIssue.Reason) -> Row {
    guard case .named(let values) = record.value else {
      throw .wrongType(found: "a string", expected: "an object with '\(columns.reply)'")
    }
    let flag = value(WithheldText.column, of: values)?.text
    guard !WithheldText.explains(values[columns.reply], flag: flag) else { throw .withheld }
    let reply = try ReplyValue(values[columns.reply], column: columns.reply)
    guard !WithheldText.explains(.string(reply.text), flag: flag) else { throw .withheld }
    let asked = columns.prompt.flatMap { value($0, of: values) }
    guard let asked else {
      return Row(
        position: record.position, text: reply.text, prompt: reply.prompt ?? "", turns: reply.turns,
        values: values)
    }
    guard case .array(let turns) = asked else {
      return Row(
        position: record.position, text: reply.text, prompt: asked.text, turns: [], values: values)
    }
    return Row(
      position: record.position, text: reply.text,
      prompt: ReplyConversation.question(in: turns) ?? asked.text,
      turns: ReplyConversation.questions(in: turns), values: values)
  }
}
