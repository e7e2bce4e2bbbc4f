import SelfCDData
import SelfCDSupport

/// Which columns of a file of replies mean what. Names are compared without regard to case.
public struct ReplyColumns: Codable, Sendable, Hashable {
  /// The column with the replies; nil takes the first of ``knownReplies`` that the file has.
  public var reply: String?
  /// The column with the prompts; nil takes the first of ``knownPrompts`` that the file has, if any.
  public var prompt: String?
  /// The column that says whether a prompt is harmless; nil looks where published sets say it.
  public var label: String?
  /// The column with the class that people gave the reply; nil takes ``defaultHumanLabel``.
  public var humanLabel: String?

  /// Names columns.
  public init(
    reply: String? = nil, prompt: String? = nil, label: String? = nil, humanLabel: String? = nil
  ) {
    self.reply = reply
    self.prompt = prompt
    self.label = label
    self.humanLabel = humanLabel
  }

  /// Where replies are looked for, in this order; `messages` is a conversation that ends with one.
  public static let knownReplies = ["completion", "reply", "response", "answer", "output", "messages"]
  /// Where prompts are looked for, in this order. A conversation brings its own.
  public static let knownPrompts = [
    "prompt", "question", "request", "instruction", "query", "goal", "input",
  ]

  /// Where human labels are looked for.
  public static let defaultHumanLabel = "human_label"

  /// The file's columns that they come to.
  struct Found {
    let reply: String
    let prompt: String?
    /// Other columns that could hold replies.
    var others: [String]
  }

  /// - Parameter metadata: what the records' `metadata` hold, where labels may stand, too.
  /// - Throws: `JudgeError` for a named column that is not there, and for a file without replies.
  func find(
    in columns: [String], metadata: [String], file: String
  ) throws(JudgeError) -> Found {
    func own(_ name: String) -> String? { columns.first { DatasetFormat.key($0) == DatasetFormat.key(name) } }
    for name in [reply, prompt].compactMap(\.self) where own(name) == nil {
      throw .missingColumn(name, file: file, present: columns)
    }
    let labelled = columns + metadata
    if let label, !labelled.contains(where: { DatasetFormat.key($0) == DatasetFormat.key(label) }) {
      throw .missingColumn(label, file: file, present: labelled)
    }
    let known = Self.knownReplies.compactMap(own)
    guard let found = reply.flatMap(own) ?? known.first else {
      throw .noReplyColumn(file: file, present: columns, known: Self.knownReplies)
    }
    return Found(
      reply: found,
      prompt: prompt.flatMap(own) ?? Self.knownPrompts.compactMap(own).first { $0 != found },
      others: reply == nil ? known.filter { $0 != found } : [])
  }
}

/// Reads a column `messages`: the last reply of a conversation, and what it answers.
struct ReplyConversation {
  let reply: String
  let prompt: String

  /// - Throws: `RowIssue.Reason` for what is no conversation, or one without a reply.
  init(_ turns: [JSONValue]) throws(RowIssue.Reason) {
    var prompt = ""
    var found: (reply: String, prompt: String)?
    for (index, turn) in turns.enumerated() {
      guard case .object(let message) = turn, case .string(let role)? = message["role"],
        let content = Self.text(of: message["content"])
      else { throw .badConversation(detail: "message \(index + 1) needs 'role' and 'content'") }
      switch role {
      case "user", "human": prompt = content
      case "assistant", "model": found = (content, prompt)
      default: break
      }
    }
    guard let found else { throw .badConversation(detail: "it has no message of the assistant") }
    (reply, self.prompt) = found
  }

  /// The last question of a list of messages; nil where it has none.
  static func question(in turns: [JSONValue]) -> String? {
    turns.last { turn in
      guard case .object(let message) = turn else { return false }
      return message["role"] == .string("user")
    }.flatMap { turn in
      guard case .object(let message) = turn else { return nil }
      return text(of: message["content"])
    }
  }

  /// A text, or the texts among a list of parts.
  static func text(of content: JSONValue?) -> String? {
    switch content {
    case .string(let text)?: return text
    case .null?: return ""
    case .array(let parts)?:
      return parts.compactMap { part -> String? in
        guard case .object(let values) = part, case .string(let text)? = values["text"] else { return nil }
        return text
      }.joined()
    default: return nil
    }
  }
}
