import SelfCDSupport

/// A reply that cannot be imported, and why.
public struct ImportIssue: Equatable, Sendable, CustomStringConvertible {
  /// What is wrong with a reply.
  public enum Reason: Error, Equatable, Sendable, CustomStringConvertible {
    /// An earlier row has a reply to the same prompt under the same condition.
    case repeated(sample: String, condition: String)
    /// An earlier row of the file has the same identifier and another prompt.
    case otherPrompt(id: String)
    /// The same prompt has another label in an earlier row.
    case otherLabel(own: String, earlier: String)
    /// The column of conditions that was named is empty.
    case noCondition(column: String)
    /// Nothing says which prompt is answered, and there are replies under other conditions.
    case noPrompt

    /// The reason as a clause.
    public var description: String {
      switch self {
      case .repeated(let sample, let condition):
        "a second reply to prompt '\(sample)' under condition '\(condition)'; a column 'condition', 'repetition' or "
          + "'epoch' tells replies to one prompt apart"
      case .otherPrompt(let id): "its identifier '\(id)' is that of another prompt"
      case .otherLabel(let own, let earlier):
        "its prompt is labelled \(own), and \(earlier) in an earlier row"
      case .noCondition(let column): "has no value in '\(column)', the column of conditions"
      case .noPrompt:
        "has neither prompt nor identifier, so that it cannot be compared with replies under other conditions"
      }
    }
  }

  /// The file's name.
  public var file: String
  /// Where it stands there.
  public var place: String
  /// What is wrong with it.
  public var reason: Reason

  /// For example "a.csv, line 3: its identifier '7' is that of another prompt".
  public var description: String { "\(file), \(place): \(reason)" }
}

/// Why replies that were made elsewhere cannot become a run. Each case says what, why and what to try.
public enum ImportError: Error, Equatable, Sendable, CustomStringConvertible {
  /// Replies that cannot be used, all of them.
  case badRows([ImportIssue])
  /// No reply is left.
  case nothingUsable([ImportIssue])
  /// The condition to compare with is none of those there are.
  case unknownReference(String, known: [String])

  private static let shown = 10

  /// A text for people: what, why, what to try.
  public var description: String {
    switch self {
    case .badRows(let issues):
      "\(NumberFormat.counted(issues.count, "reply", "replies")) cannot be imported:\n\(Self.list(issues))\n"
        + "Correct them, or go on without them."
    case .nothingUsable(let issues): "No reply can be imported:\n\(Self.list(issues))"
    case .unknownReference(let name, let known):
      "There is no condition '\(name)' to compare with. The conditions are \(known.joined(separator: ", "))."
    }
  }

  private static func list(_ issues: [ImportIssue]) -> String {
    var lines = issues.prefix(shown).map { "  \($0)" }
    if issues.count > shown { lines.append("  and \(issues.count - shown) more") }
    return lines.joined(separator: "\n")
  }
}
