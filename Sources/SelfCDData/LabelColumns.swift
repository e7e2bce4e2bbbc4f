import SelfCDSupport

/// What the columns of a file say of its prompts: whether they should be answered. Sets of prompts and files of replies are
/// read by the same columns and words, but for columns that say of a reply whether it is harmful where there are replies.
package struct LabelColumns: Sendable {
  /// What one row says.
  package enum Answer: Equatable, Sendable {
    case label(Sample.Label)
    case nothing
    /// Something that is no label known here.
    case unknown(column: String, value: String)
  }

  /// A column whose name is a label and whose value says yes or no.
  private static let switches: [(column: String, yes: Sample.Label, no: Sample.Label)] = [
    ("harmful", .harmful, .safe), ("is_harmful", .harmful, .safe), ("unsafe", .harmful, .safe),
    ("is_unsafe", .harmful, .safe), ("safe", .safe, .harmful), ("is_safe", .safe, .harmful),
    ("harmless", .safe, .harmful),
  ]
  /// In files of replies, such as BeaverTails', these say whether the reply is safe, and not the prompt. A harmful prompt that
  /// was refused would pass for a harmless one.
  private static let ofReplies: Set<String> = ["is_harmful", "unsafe", "is_unsafe", "is_safe"]
  /// Columns of label words.
  private static let columns = ["label", dataSet, "harmfulness"]
  /// Some call the data set so; it is a column of labels where it holds one.
  private static let dataSet = "set"
  /// XSTest's column of types.
  static let types = "type"
  /// Types of XSTest that begin so are harmful, the others are not.
  static let contrast = "contrast"

  private let named: String?
  private let hasReplies: Bool
  private let hasTypes: Bool
  /// Columns in which a value that is no label is a mistake.
  private let labelling: [String]

  /// Looks through a file's rows.
  /// - Parameters:
  ///   - named: the column to look in and nowhere else.
  ///   - rows: the rows.
  ///   - hasReplies: whether the file holds replies beside the prompts.
  ///   - cell: a row's text in a column, whatever case it is written in.
  package init<Row>(
    named: String?, rows: [Row], hasReplies: Bool = false, cell: (Row, String) -> String?
  ) {
    self.named = named
    self.hasReplies = hasReplies
    hasTypes =
      named == nil
      && rows.contains { cell($0, Self.types)?.lowercased().hasPrefix(Self.contrast) ?? false }
    let isLabelling = rows.contains { row in
      Self.word(Self.text(Self.dataSet) { cell(row, $0) }) != nil
    }
    let columns =
      Self.columns.filter { $0 != Self.dataSet || isLabelling } + Self.switchColumns(hasReplies: hasReplies)
    labelling = named.map { [$0] } ?? columns
  }

  /// Whether a file with these columns holds replies.
  /// - Parameter columns: The names of the columns.
  package static func holdReplies(_ columns: some Sequence<String>) -> Bool {
    columns.contains { DatasetFormatCatalogue.replyColumns.contains(DatasetFormat.key($0)) }
  }

  /// The columns with a yes or no that are taken for labels.
  private static func switchColumns(hasReplies: Bool) -> [String] {
    switches.map(\.column).filter { !hasReplies || !ofReplies.contains($0) }
  }

  /// The values that a column of labels may have.
  package static func known(in column: String) -> [String] {
    let isSwitch = switches.contains { $0.column == DatasetFormat.key(column) }
    return isSwitch
      ? DatasetFormatCatalogue.answerWords.keys.sorted() : DatasetFormatCatalogue.labelWords.keys.sorted()
  }

  /// What a row says.
  /// - Parameter cell: its text in a column.
  package func answer(_ cell: (String) -> String?) -> Answer {
    if let label = label(cell) { return .label(label) }
    for column in labelling {
      if let value = Self.text(column, cell)?.trimmingSpaces(), !value.isEmpty {
        return .unknown(column: column, value: value)
      }
    }
    return .nothing
  }

  /// A column with a yes or no that is not taken for a label, since it may be about the reply; nil for none, and where a
  /// column was named.
  /// - Parameter cell: a row's text in a column.
  package func columnOfReply(_ cell: (String) -> String?) -> String? {
    guard hasReplies, named == nil else { return nil }
    return Self.switches.map(\.column).first {
      Self.ofReplies.contains($0) && Self.answered(cell, only: $0) != nil
    }
  }

  /// The column that gives `row` its label, of those that are looked in by themselves.
  fileprivate func column(_ cell: (String) -> String?) -> String? {
    let columns = Self.columns + Self.switchColumns(hasReplies: hasReplies)
    if let column = columns.first(where: { column in
      if Self.columns.contains(column) { return Self.word(Self.text(column, cell)) != nil }
      return Self.answered(cell, only: column) != nil
    }) {
      return column
    }
    return label(cell) == nil ? nil : Self.types
  }

  private func label(_ cell: (String) -> String?) -> Sample.Label? {
    if let named { return Self.word(cell(named)) ?? Self.answered(cell, only: named) }
    for column in Self.columns {
      if let label = Self.word(Self.text(column, cell)) { return label }
    }
    if let label = Self.answered(cell, only: nil, except: hasReplies ? Self.ofReplies : []) { return label }
    guard hasTypes, let type = cell(Self.types)?.lowercased(), !type.isEmpty else { return nil }
    return type.hasPrefix(Self.contrast) ? .harmful : .safe
  }

  /// What a column says. An export has the data set's name in `dataset` and in `set`; that is no label, even where it reads
  /// like one.
  private static func text(_ column: String, _ cell: (String) -> String?) -> String? {
    let text = cell(column)
    return column == dataSet && text == cell("dataset") ? nil : text
  }

  private static func word(_ text: String?) -> Sample.Label? {
    text.flatMap { DatasetFormatCatalogue.labelWords[DatasetFormat.key($0)] }
  }

  private static func answered(
    _ cell: (String) -> String?, only column: String?, except left: Set<String> = []
  ) -> Sample.Label? {
    for (name, yes, no) in switches
    where column.map({ DatasetFormat.key($0) == name }) ?? !left.contains(name) {
      if let answer = cell(name).flatMap({ DatasetFormatCatalogue.answerWords[DatasetFormat.key($0)] }) {
        return answer ? yes : no
      }
    }
    return nil
  }
}

extension Dataset {
  /// A column that says which prompts are safe and which harmful, of a set whose format does not look there.
  package var ignoredLabelColumn: String? {
    guard let columns = unusedLabelColumns else { return nil }
    return samples.lazy.compactMap { sample in
      columns.column { sample.fields.value(ofColumn: $0) }
    }.first
  }

  /// A column with a yes or no that labels no prompt, since the file has replies that it may be about; nil where rows have
  /// labels of their own.
  package var columnOfReplies: String? {
    guard let columns = unusedLabelColumns else { return nil }
    return samples.lazy.compactMap { sample in
      columns.columnOfReply { sample.fields.value(ofColumn: $0) }
    }.first
  }

  /// Nil where rows have labels of their own.
  private var unusedLabelColumns: LabelColumns? {
    guard !samples.contains(where: { $0.labelOrigin == .row }) else { return nil }
    let hasReplies = samples.contains { LabelColumns.holdReplies($0.fields.keys) }
    return LabelColumns(named: nil, rows: samples, hasReplies: hasReplies) { $0.fields.value(ofColumn: $1) }
  }
}
