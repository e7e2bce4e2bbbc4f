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
  /// The column that says how a reply was made; nil takes ``defaultCondition``.
  public var condition: String?

  /// Names columns.
  public init(
    reply: String? = nil, prompt: String? = nil, label: String? = nil, humanLabel: String? = nil,
    condition: String? = nil
  ) {
    self.condition = condition
    self.reply = reply
    self.prompt = prompt
    self.label = label
    self.humanLabel = humanLabel
  }

  /// Where replies are looked for, in this order; `messages` is a conversation that ends with one.
  public static let knownReplies = DatasetFormatCatalogue.replyColumns + ["messages"]
  /// Where prompts are looked for, in this order. A conversation brings its own.
  public static let knownPrompts = DatasetFormatCatalogue.promptColumns

  /// Where human labels are looked for.
  public static let defaultHumanLabel = "human_label"

  /// Where it is looked for how a reply was made.
  public static let defaultCondition = "condition"

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
    if let reply, own(reply) == nil { throw .missingColumn(reply, file: file, present: columns) }
    let all = columns + metadata
    for name in [prompt, label, condition].compactMap(\.self)
    where !all.contains(where: { DatasetFormat.key($0) == DatasetFormat.key(name) }) {
      throw .missingColumn(name, file: file, present: all)
    }
    let known = Self.knownReplies.compactMap(own)
    guard let found = reply.flatMap(own) ?? known.first else {
      throw .noReplyColumn(file: file, present: columns, known: Self.knownReplies)
    }
    return Found(
      reply: found,
      // One that was named may stand in `metadata`.
      prompt: prompt ?? Self.knownPrompts.compactMap(own).first { $0 != found },
      others: reply == nil ? known.filter { $0 != found } : [])
  }
}

/// Reads a column `messages`: the last reply of a conversation, and what it answers.
struct ReplyConversation {
  let reply: String
  let prompt: String
  /// What stands before the reply, without system messages.
  let turns: [Sample.Turn]

  /// - Throws: `RowIssue.Reason` for what is no conversation, or one without a reply.
  init(_ turns: [JSONValue]) throws(RowIssue.Reason) {
    var prompt = ""
    var asked: [Sample.Turn] = []
    var found: (reply: String, prompt: String, turns: [Sample.Turn])?
    for (index, turn) in turns.enumerated() {
      guard case .object(let message) = turn, case .string(let role)? = message["role"],
        let content = Self.text(of: message["content"])
      else { throw .badConversation(detail: "message \(index + 1) needs 'role' and 'content'") }
      switch role {
      case "user", "human":
        prompt = content
        asked.append(.init(role: .user, content: content))
      case "assistant", "model":
        found = (content, prompt, asked)
        asked.append(.init(role: .assistant, content: content))
      default: break
      }
    }
    guard let found else { throw .badConversation(detail: "it has no message of the assistant") }
    (reply, self.prompt, self.turns) = found
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

  /// What a list of messages asks, without system messages: it ends with the question.
  static func questions(in turns: [JSONValue]) -> [Sample.Turn] {
    let known = turns.compactMap { turn -> Sample.Turn? in
      guard case .object(let message) = turn, let content = text(of: message["content"]) else { return nil }
      switch message["role"] {
      case .string("user")?: return .init(role: .user, content: content)
      case .string("assistant")?: return .init(role: .assistant, content: content)
      default: return nil
      }
    }
    return Array(known.prefix((known.lastIndex { $0.role == .user } ?? -1) + 1))
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
