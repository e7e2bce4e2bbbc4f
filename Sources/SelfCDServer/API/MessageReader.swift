import SelfCD

/// Reads `messages`.
enum MessageReader {
  static func chat(_ reader: inout FieldReader) throws(FieldError) -> Chat {
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
      let message = try message(&fields)
      reader.adopt(fields)
      if message.role == .system, messages.first?.role == .system, messages.count == 1 {
        // Templates take one system message; several at the start are one, in their order.
        messages[0].content += "\n\n" + message.content
      } else {
        messages.append(message)
      }
    }
    let chat = Chat(messages: messages)
    do {
      try chat.validate()
    } catch {
      throw FieldError(error.description, field: "messages")
    }
    return chat
  }

  private static func message(_ reader: inout FieldReader) throws(FieldError) -> ChatMessage {
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
    for field in ["prefix", "partial"] {
      try reader.refuse(
        field, unless: \.isNothing, because: "continuing the assistant's own turn is not built.")
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
