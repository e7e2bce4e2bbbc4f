import SelfCDSupport

/// The records of a file before any format gives them a meaning.
package struct RecordSource {
  /// One record: named values, or a bare string of a list.
  package enum Value {
    case named([String: JSONValue])
    case bare(String)
  }

  package struct Record {
    package var position: Sample.Position
    package var value: Value
  }

  package var records: [Record] = []
  package var issues: [RowIssue] = []
  /// A table's header; for JSON, every name that some record has, sorted.
  package var columns: [String] = []
  /// What an enclosing JSON object says about itself.
  var name: String?
  var version: String?

  package init() {}

  mutating func reject(_ position: Sample.Position, _ reason: RowIssue.Reason) {
    issues.append(RowIssue(position: position, reason: reason))
  }

  /// All rows as rows whose text an export left out; none where one of them does not say so.
  package func withheld() -> [RowIssue] {
    var found: [RowIssue] = []
    for record in records {
      guard case .named(let values) = record.value else { return [] }
      func text(_ column: String) -> String? {
        values.first { DatasetFormat.key($0.key) == column }?.value.text
      }
      guard WithheldText.explains(nil, flag: text(WithheldText.column)) else { return [] }
      found.append(
        RowIssue(position: record.position, reason: .withheld, run: text(WithheldText.runColumn)))
    }
    return found
  }

  /// JSON records: the columns are known only after all of them were read.
  mutating func collectColumns() {
    var names: Set<String> = []
    for case .named(let values) in records.map(\.value) { names.formUnion(values.keys) }
    columns = names.sorted()
  }
}
