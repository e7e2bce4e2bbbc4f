import SelfCDSupport

/// How exports say that they left a text out, so that no reader takes it for an empty one.
package enum WithheldText {
  /// The column, or key, that is 1 or true where a record's texts are left out.
  package static let column = "withheld"
  /// What stands in a text's place where there has to be one.
  package static let marker = "(withheld)"

  /// The column, or key, that names the stored run that was exported.
  package static let runColumn = "run"

  /// The command that exports a run with its texts.
  /// - Parameter run: the run's name, where it is known.
  static func export(_ run: String?) -> String {
    let isPlain = run?.utf8.allSatisfy { byte in
      (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
        || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_") || byte == UInt8(ascii: ".")
    }
    // What a shell would read otherwise is not put into a command.
    let name = run.flatMap { isPlain == true && !$0.isEmpty ? $0 : nil } ?? "RUN"
    return "selfcd export \(name) --text all"
  }

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
