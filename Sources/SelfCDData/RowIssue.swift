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
    /// A label that is none of those the format knows, as runs of earlier versions have it.
    case unknownLabel(String)
    /// A value in a column of labels that is none of those known there.
    case notALabel(String, column: String, known: [String])
    /// A conversation that cannot be put to a model.
    case badConversation(detail: String)
    /// An identifier that an earlier row has too.
    case repeatedID(String)
  }

  /// Where the row begins.
  public var position: Sample.Position
  /// What is wrong with it.
  public var reason: Reason
  /// The stored run whose export left the row's text out, where the row names it.
  public var run: String?

  /// Makes an issue.
  public init(position: Sample.Position, reason: Reason, run: String? = nil) {
    self.position = position
    self.reason = reason
    self.run = reason == .withheld ? run : nil
  }
}

extension RowIssue: CustomStringConvertible {
  /// For example "line 7: 3 fields where the header has 2".
  public var description: String { "\(position): \(clause)" }

  /// The reason, with what is known of it besides.
  fileprivate var clause: String {
    guard reason == .withheld else { return reason.description }
    return "its text was left out of the export; \(WithheldText.export(run)) includes it"
  }
}

extension [RowIssue] {
  private static let shownPlaces = 5

  /// A line for each reason, with the rows that it concerns.
  func listed(limit: Int = 10) -> String {
    var order: [String] = []
    var places: [String: [Sample.Position]] = [:]
    for issue in self {
      if places[issue.clause] == nil { order.append(issue.clause) }
      places[issue.clause, default: []].append(issue.position)
    }
    var lines = order.prefix(limit).map { "  \(Self.text(places[$0] ?? [])): \($0)" }
    let left = order.dropFirst(limit).reduce(0) { $0 + (places[$1]?.count ?? 0) }
    if left > 0 { lines.append("  and \(left) more") }
    return lines.joined(separator: "\n")
  }

  /// "line 7", or "lines 7, 9 and 12"; of many the first ones.
  private static func text(_ places: [Sample.Position]) -> String {
    guard let first = places.first, places.count > 1 else { return places.first?.description ?? "" }
    let noun =
      switch first {
      case .line: "lines"
      case .element: "elements"
      }
    let isLong = places.count > shownPlaces + 1
    let shown = places.prefix(isLong ? shownPlaces : places.count - 1).map { "\($0.number)" }
    let last = isLong ? "\(places.count - shownPlaces) more" : "\(places[places.count - 1].number)"
    return "\(noun) \(shown.joined(separator: ", ")) and \(last)"
  }
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
    case .withheld: "its text was left out of the export; \(WithheldText.export(nil)) includes it"
    case .unknownLabel(let label): "unknown label '\(label)'"
    case .notALabel(let value, let column, let known):
      "'\(value)' in the column '\(column)' is no label; known there: \(known.joined(separator: ", "))"
    case .badConversation(let detail): "not a conversation: \(detail)"
    case .repeatedID(let id): "repeats the identifier '\(id)'"
    }
  }
}
