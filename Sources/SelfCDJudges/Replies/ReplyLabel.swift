import SelfCDData
import SelfCDSupport

/// What a file of replies says of its prompts: whether they should be answered.
struct ReplyLabel {
  /// What one row says.
  enum Answer: Equatable {
    case label(Sample.Label)
    case nothing
    /// Something that is no label known here.
    case unknown(column: String, value: String)
  }

  /// A column whose name is a label and whose value says yes or no.
  private static let switches: [(column: String, yes: Sample.Label, no: Sample.Label)] = [
    ("harmful", .harmful, .safe), ("is_harmful", .harmful, .safe), ("unsafe", .harmful, .safe),
    ("safe", .safe, .harmful), ("is_safe", .safe, .harmful), ("harmless", .safe, .harmful),
  ]
  /// Columns of label words.
  private static let columns = ["label", dataSet, "harmfulness"]
  /// Some call the data set so; it is a column of labels where it holds one.
  private static let dataSet = "set"
  /// XSTest's column: types that begin so are harmful, the others are not.
  private static let contrast = "contrast"

  private let named: String?
  private let hasTypes: Bool
  /// Columns in which a value that is no label is a mistake.
  private let labelling: [String]

  /// - Parameter named: the column to look in and nowhere else.
  init(named: String?, rows: [ReplyTable.Row]) {
    self.named = named
    hasTypes = named == nil && rows.contains { $0["type"]?.lowercased().hasPrefix(Self.contrast) ?? false }
    let isLabelling = rows.contains { Self.word($0[Self.dataSet]) != nil }
    let columns = Self.columns.filter { $0 != Self.dataSet || isLabelling } + Self.switches.map(\.column)
    labelling = named.map { [$0] } ?? columns
  }

  /// The values that a column of labels may have.
  static func known(in column: String) -> [String] {
    let isSwitch = switches.contains { $0.column == DatasetFormat.key(column) }
    return isSwitch
      ? DatasetFormatCatalogue.answerWords.keys.sorted() : DatasetFormatCatalogue.labelWords.keys.sorted()
  }

  /// What the row says.
  func of(_ row: ReplyTable.Row) -> Answer {
    if let label = label(of: row) { return .label(label) }
    for column in labelling {
      if let value = row[column]?.trimmingSpaces(), !value.isEmpty {
        return .unknown(column: column, value: value)
      }
    }
    return .nothing
  }

  private func label(of row: ReplyTable.Row) -> Sample.Label? {
    if let named { return Self.word(row[named]) ?? answer(row, only: named) }
    if let label = Self.columns.lazy.compactMap({ Self.word(row[$0]) }).first { return label }
    if let label = answer(row, only: nil) { return label }
    guard hasTypes, let type = row["type"]?.lowercased(), !type.isEmpty else { return nil }
    return type.hasPrefix(Self.contrast) ? .harmful : .safe
  }

  private static func word(_ text: String?) -> Sample.Label? {
    text.flatMap { DatasetFormatCatalogue.labelWords[DatasetFormat.key($0)] }
  }

  private func answer(_ row: ReplyTable.Row, only column: String?) -> Sample.Label? {
    for (name, yes, no) in Self.switches where column.map({ DatasetFormat.key($0) == name }) ?? true {
      if let answer = row[name].flatMap({ DatasetFormatCatalogue.answerWords[DatasetFormat.key($0)] }) {
        return answer ? yes : no
      }
    }
    return nil
  }
}
