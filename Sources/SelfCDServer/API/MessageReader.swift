import SelfCD

/// A chat as a request holds it.
struct AskedChat: Sendable, Hashable {
  let chat: Chat
  /// The field that asks for the assistant's last message to be continued: one that says so, or `messages`, whose last one
  /// is the assistant's. `nil` where a turn of its own is asked for.
  let continuation: String?

  var isContinued: Bool { continuation != nil }
}

/// Reads `messages`, and whether the last one is to be continued.
enum MessageReader {
  static func chat(_ reader: inout FieldReader) throws(FieldError) -> AskedChat {
    var mark: String?
    let chat = Chat(messages: try messages(&reader, mark: &mark))
    let continues = try reader.bool("continue_final_message")
    let opens = try reader.bool("add_generation_prompt")
    if continues == true, opens == true {
      throw FieldError(
        "'continue_final_message' goes on with the last message, and 'add_generation_prompt' begins another one. Leave "
          + "one of them out.", field: "add_generation_prompt")
    }
    let endsWithAssistant = chat.messages.last?.role == .assistant
    if continues == true, !endsWithAssistant {
      throw FieldError(
        "'continue_final_message' goes on with the assistant's last message, but the chat ends with another's.",
        field: "continue_final_message")
    }
    if opens == false, !endsWithAssistant {
      throw FieldError(
        "'add_generation_prompt' is not supported: a reply is a turn of its own, unless the chat ends with the "
          + "assistant's message.", field: "add_generation_prompt", isUnsupported: true)
    }
    let isContinued = endsWithAssistant && continues != false
    do {
      if isContinued { try chat.validateContinuation() } else { try chat.validate() }
    } catch {
      throw FieldError(error.description, field: "messages")
    }
    guard isContinued else { return AskedChat(chat: chat, continuation: nil) }
    let field =
      continues == true ? "continue_final_message" : opens == false ? "add_generation_prompt" : "messages"
    return AskedChat(chat: chat, continuation: mark ?? field)
  }

  /// - Parameter mark: becomes the field of the last message that asks for it to be continued.
  private static func messages(
    _ reader: inout FieldReader, mark: inout String?
  ) throws(FieldError) -> [ChatMessage] {
    guard let items = try reader.array("messages") else {
      throw FieldError("'messages' is missing.", field: "messages")
    }
    var messages: [ChatMessage] = []
    for (index, item) in items.enumerated() {
      guard case .object(let object) = item else {
        throw FieldError(
          "'messages[\(index)]' is \(item.kind), but it must be an object.", field: "messages[\(index)]")
      }
      var fields = FieldReader(object, path: "messages[\(index)]", isStrict: reader.isStrict)
      let message = try message(&fields, isLast: index == items.count - 1, mark: &mark)
      reader.adopt(fields)
      if message.role == .system, messages.first?.role == .system, messages.count == 1 {
        // Templates take one system message; several at the start are one, in their order.
        messages[0].content += "\n\n" + message.content
      } else {
        messages.append(message)
      }
    }
    return messages
  }

  private static func message(
    _ reader: inout FieldReader, isLast: Bool, mark: inout String?
  ) throws(FieldError) -> ChatMessage {
    guard let name = try reader.string("role") else {
      throw FieldError("'\(reader.name("role"))' is missing.", field: reader.name("role"))
    }
    let role: ChatRole
    switch name {
    case "system", "developer": role = .system
    case "user": role = .user
    case "assistant": role = .assistant
    case "tool", "function":
      throw FieldError(
        "'\(reader.name("role"))' is '\(name)': calling functions is not built.", field: reader.name("role"),
        isUnsupported: true)
    default:
      throw FieldError(
        "'\(reader.name("role"))' is '\(name.prefix(40))', but it must be system, developer, user or assistant.",
        field: reader.name("role"))
    }
    let content = try content(&reader, of: role)
    for field in ["tool_calls", "function_call", "audio", "images"] {
      try reader.refuse(field, unless: \.isNothing, because: "messages are text.")
    }
    // As DeepSeek, Mistral, Qwen and Kimi mark a message that is to be continued.
    for field in ["prefix", "partial"] {
      if isLast, role == .assistant, try reader.bool(field) == true { mark = reader.name(field) }
      try reader.refuse(
        field, unless: \.isNothing,
        because: "only the last message can be continued, if it is the assistant's.")
    }
    // The models' templates have no names of speakers.
    reader.ignore(["name"] + harmless)
    if role == .assistant {
      // What a client got from this server or another and sends back. Templates leave earlier reasoning out.
      reader.ignore(["reasoning_content", "reasoning", "reasoning_details", "refusal", "annotations"])
    }
    try reader.finish()
    return ChatMessage(role: role, content: content)
  }

  /// What is kept computed is the server's own decision.
  private static let harmless = ["cache_control"]

  /// A text, or a list of parts that are texts.
  private static func content(_ reader: inout FieldReader, of role: ChatRole) throws(FieldError) -> String {
    let name = reader.name("content")
    switch reader.value("content") {
    case .string(let text): return text
    case .array(let parts):
      var text = ""
      for (index, part) in parts.enumerated() {
        guard case .object(let object) = part else {
          throw FieldError("'\(name)[\(index)]' must be an object.", field: "\(name)[\(index)]")
        }
        var part = FieldReader(object, path: "\(name)[\(index)]", isStrict: reader.isStrict)
        let type = try part.string("type")
        guard type == "text" else {
          throw FieldError(
            "'\(name)[\(index)].type' is '\((type ?? "").prefix(40))'; only 'text' is supported.",
            field: "\(name)[\(index)].type", isUnsupported: true)
        }
        text += try part.string("text") ?? ""
        part.ignore(harmless)
        try part.finish()
        reader.adopt(part)
      }
      return text
    // A turn in which nothing was said.
    case nil where role == .assistant: return ""
    case nil: throw FieldError("'\(name)' is missing.", field: name)
    case let value?:
      throw FieldError("'\(name)' is \(value.kind), but it must be a string or a list of texts.", field: name)
    }
  }
}
