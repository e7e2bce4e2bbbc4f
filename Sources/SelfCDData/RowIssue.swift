import SelfCDSupport

/// A row that could not be used, and why.
public struct RowIssue: Codable, Sendable, Hashable {
  /// What is wrong with a row.
  public enum Reason: Codable, Sendable, Hashable {
    /// More or fewer fields than the header has columns.
    case fieldCount(found: Int, expected: Int)
    /// A quoted field that never ends.
    case unterminatedQuote
    /// Text between a closing quote and the next delimiter.
    case textAfterQuote
    /// A quote inside a field that does not begin with one (RFC 4180, rule 5).
    case strayQuote
    /// Bytes that are not UTF-8.
    case invalidUTF8
    /// A zero byte.
    case zeroByte
    /// A record larger than the limit, in bytes.
    case tooLarge(limit: Int)
    /// A line that is not JSON.
    case invalidJSON(detail: String)
    /// A JSON value of the wrong kind.
    case wrongType(found: String, expected: String)
    /// A record without the key or column that holds the prompt.
    case missingField(String)
    /// A prompt that is empty or only white space.
    case emptyPrompt
    /// A text that the export which wrote the file left out.
    case withheld
    /// A label that is none of those the format knows.
    case unknownLabel(String)
    /// A conversation that cannot be put to a model.
    case badConversation(detail: String)
    /// An identifier that an earlier row has too.
    case repeatedID(String)
  }

  /// Where the row begins.
  public var position: Sample.Position
  /// What is wrong with it.
  public var reason: Reason

  /// Makes an issue.
  public init(position: Sample.Position, reason: Reason) {
    self.position = position
    self.reason = reason
  }
}

extension RowIssue: CustomStringConvertible {
  /// For example "line 7: 3 fields where the header has 2".
  public var description: String { "\(position): \(reason)" }
}

extension RowIssue.Reason: Error, CustomStringConvertible {
  /// The reason as a clause, without position.
  public var description: String {
    switch self {
    case .fieldCount(let found, let expected):
      "\(NumberFormat.counted(found, "field")) where the header has \(expected)"
    case .unterminatedQuote: "a quoted field is never closed"
    case .textAfterQuote: "text follows a closing quote; a quote inside a field is written twice"
    case .strayQuote:
      "a quote inside an unquoted field; quote the whole field and write the inner quote twice"
    case .invalidUTF8: "not valid UTF-8"
    case .zeroByte: "contains a zero byte"
    case .tooLarge(let limit): "longer than \(limit) bytes, which usually means a quote that is never closed"
    case .invalidJSON(let detail): "not JSON (\(detail))"
    case .wrongType(let found, let expected): "is \(found) where \(expected) is needed"
    case .missingField(let name): "has no '\(name)'"
    case .emptyPrompt: "the prompt is empty"
    case .withheld: "its text was left out of the export; selfcd export --text all includes it"
    case .unknownLabel(let label):
      "unknown label '\(label)'; a format without labels, such as 'prompts', ignores that column"
    case .badConversation(let detail): "not a conversation: \(detail)"
    case .repeatedID(let id): "repeats the identifier '\(id)'"
    }
  }
}
