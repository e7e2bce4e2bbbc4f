import SelfCDData
import SelfCDSupport

/// A reply in the forms that files have it in: a text, a message, a conversation that ends with one, or a model's
/// output as Inspect's logs and OpenAI-compatible servers write it.
struct ReplyValue {
  let text: String
  /// What it answers, where the value says so.
  let prompt: String?
  /// The conversation before it, where the value says so.
  let turns: [Sample.Turn]

  /// - Parameter column: where the value stands.
  /// - Throws: `RowIssue.Reason` for a value that holds no reply.
  init(_ value: JSONValue?, column: String) throws(RowIssue.Reason) {
    let conversation: ReplyConversation
    switch value {
    case nil, .null?: throw .missingField(column)
    case .array(let replies)?
    where DatasetFormat.key(column) != "messages" && ForeignRecords.text(value) != nil:
      // Several replies to one prompt, as lm-eval keeps them: the first one counts.
      text = ForeignRecords.text(.array(replies)) ?? ""
      prompt = nil
      turns = []
      return
    case .array(let turns)?: conversation = try ReplyConversation(turns)
    case .string(let text)? where DatasetFormat.key(column) == "messages":
      guard let parsed = try? JSONValue.parse(text.utf8), case .array(let turns) = parsed else {
        throw .badConversation(detail: "the cell is not a JSON list of messages")
      }
      conversation = try ReplyConversation(turns)
    case .object(let object)?:
      text = try Self.text(of: object, column: column)
      prompt = nil
      turns = []
      return
    case let value?:
      text = value.text
      prompt = nil
      turns = []
      return
    }
    text = conversation.reply
    prompt = conversation.prompt
    turns = conversation.turns
  }

  /// Whether `value` is a model's output, of which the first choice is the reply.
  static func isOutput(_ value: JSONValue?) -> Bool {
    guard case .object(let object)? = value, case .array? = object["choices"] else { return false }
    return true
  }

  private static func text(
    of object: [String: JSONValue], column: String
  ) throws(RowIssue.Reason) -> String {
    if case .array(let choices)? = object["choices"] {
      guard case .object(let choice)? = choices.first, case .object(let message)? = choice["message"],
        let text = ReplyConversation.text(of: message["content"])
      else { throw .missingField("\(column).choices[0].message.content") }
      return text
    }
    if case .string(let output)? = object["output"] { return output }
    guard let content = object["content"], content != .null, let text = ReplyConversation.text(of: content)
    else { throw .wrongType(found: "an object", expected: "a text, or a message with 'content'") }
    return text
  }
}
