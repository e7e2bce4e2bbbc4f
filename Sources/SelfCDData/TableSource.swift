import SelfCDSupport

extension RecordSource {
  /// Reads a table with a header. Rows whose number of fields differs from the header's are issues.
  /// - Throws: `DatasetError` for a header that is malformed or repeats a column, and for a table without rows.
  static func table(
    _ bytes: [UInt8], delimiter: UInt8, recordLimit: Int, file: String
  ) throws(DatasetError) -> RecordSource {
    var parser = CSVParser(bytes, delimiter: delimiter, recordLimit: recordLimit)
    var source = RecordSource()
    switch parser.next() {
    case nil: throw .empty(file: file)
    case .malformed(let reason, _): throw .badHeader(file: file, reason: reason)
    case .record(let fields, _): source.columns = fields.map { $0.trimmingSpaces() }
    }
    // Exported index columns have no name; several of them are no ambiguity, since nothing asks for them.
    var seen: Set<String> = []
    for column in source.columns where !column.isEmpty && !seen.insert(DatasetFormat.key(column)).inserted {
      throw .repeatedColumn(file: file, column: column)
    }
    while let row = parser.next() {
      switch row {
      case .malformed(let reason, let line): source.reject(.line(line), reason)
      case .record(let fields, let line):
        guard fields.count == source.columns.count else {
          source.reject(.line(line), .fieldCount(found: fields.count, expected: source.columns.count))
          continue
        }
        let named = Dictionary(
          zip(source.columns, fields.map(JSONValue.string)), uniquingKeysWith: { first, _ in first })
        source.records.append(Record(position: .line(line), value: .named(named)))
      }
    }
    if source.records.isEmpty && source.issues.isEmpty {
      throw .headerOnly(file: file, columns: source.columns)
    }
    return source
  }
}
