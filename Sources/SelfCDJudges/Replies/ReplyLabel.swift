import SelfCDData

/// What a file of replies says of its prompts: whether they should be answered.
struct ReplyLabel {
  /// A column whose name is a label and whose value says yes or no.
  private static let switches: [(column: String, yes: Sample.Label, no: Sample.Label)] = [
    ("harmful", .harmful, .safe), ("is_harmful", .harmful, .safe), ("unsafe", .harmful, .safe),
    ("safe", .safe, .harmful), ("is_safe", .safe, .harmful), ("harmless", .safe, .harmful),
  ]
  private static let isTrue: [String: Bool] = [
    "true": true, "1": true, "yes": true, "false": false, "0": false, "no": false,
  ]
  /// Columns of label words.
  private static let columns = ["label", "set", "harmfulness"]
  /// XSTest's column: types that begin so are harmful, the others are not.
  private static let contrast = "contrast"

  private let named: String?
  private let hasTypes: Bool

  /// - Parameter named: the column to look in and nowhere else.
  init(named: String?, rows: [ReplyTable.Row]) {
    self.named = named
    hasTypes = named == nil && rows.contains { $0["type"]?.lowercased().hasPrefix(Self.contrast) ?? false }
  }

  /// The label; nil where the row says none that is known.
  func of(_ row: ReplyTable.Row) -> Sample.Label? {
    if let named { return word(row[named]) ?? yesOrNo(row, only: named) }
    if let label = Self.columns.lazy.compactMap({ word(row[$0]) }).first { return label }
    if let label = yesOrNo(row, only: nil) { return label }
    guard hasTypes, let type = row["type"]?.lowercased(), !type.isEmpty else { return nil }
    return type.hasPrefix(Self.contrast) ? .harmful : .safe
  }

  private func word(_ text: String?) -> Sample.Label? {
    text.flatMap { DatasetFormatCatalogue.labelWords[DatasetFormat.key($0)] }
  }

  private func yesOrNo(_ row: ReplyTable.Row, only column: String?) -> Sample.Label? {
    for (name, yes, no) in Self.switches where column.map({ DatasetFormat.key($0) == name }) ?? true {
      if let answer = row[name].flatMap({ Self.isTrue[DatasetFormat.key($0)] }) { return answer ? yes : no }
    }
    return nil
  }
}
