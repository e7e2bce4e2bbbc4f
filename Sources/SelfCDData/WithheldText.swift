import SelfCDSupport

/// How exports say that they left a text out, so that no reader takes it for an empty one.
package enum WithheldText {
  /// The column, or key, that is 1 or true where a record's texts are left out.
  package static let column = "withheld"
  /// What stands in a text's place where there has to be one.
  package static let marker = "(withheld)"

  /// Whether `text` only stands for one that was left out.
  package static func isMarker(_ text: String) -> Bool { text.trimmingSpaces() == marker }

  /// Whether the text that `value` should be was left out.
  /// - Parameter flag: what the record says in ``column``, if it has that.
  package static func explains(_ value: JSONValue?, flag: String?) -> Bool {
    let isFlagged = flag.flatMap { DatasetFormatCatalogue.answerWords[DatasetFormat.key($0)] } ?? false
    switch value {
    case nil, .null?: return isFlagged
    case .string(let text)?: return isMarker(text) || (isFlagged && text.trimmingSpaces().isEmpty)
    default: return false
    }
  }
}
