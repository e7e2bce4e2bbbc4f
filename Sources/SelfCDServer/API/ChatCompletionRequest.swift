import SelfCD
import SelfCDEval

/// The body of `POST /v1/chat/completions`.
struct ChatCompletionRequest: Sendable, Hashable {
  let chat: Chat
  let fields: GenerationFields
  let wantsLogProbabilities: Bool
  let topLogProbabilities: Int

  /// - Throws: ``FieldError`` for the first field that is wrong, unknown, or not built.
  init(_ object: [String: JSONValue]) throws(FieldError) {
    var reader = FieldReader(object)
    fields = try GenerationFields(&reader)
    chat = try MessageReader.chat(&reader)
    wantsLogProbabilities = try reader.bool("logprobs") ?? false
    let top = try reader.integer("top_logprobs", in: 0...20)
    if top != nil, !wantsLogProbabilities {
      throw FieldError("'top_logprobs' goes with 'logprobs': true.", field: "top_logprobs")
    }
    topLogProbabilities = top ?? 0
    try Self.refuseWhatIsNotBuilt(&reader)
    try reader.finish()
  }

  private static func refuseWhatIsNotBuilt(_ reader: inout FieldReader) throws(FieldError) {
    for name in ["tools", "functions"] {
      try reader.refuse(name, unless: \.isEmpty, because: "calling functions is not built.")
    }
    try reader.refuse(
      "tool_choice", unless: { [.string("none"), .string("auto")].contains($0) },
      because: "calling functions is not built.")
    try reader.refuse(
      "function_call", unless: { [.string("none"), .string("auto")].contains($0) },
      because: "calling functions is not built.")
    // Says how to call functions, of which there are none.
    reader.ignore(["parallel_tool_calls"])
    try reader.refuse(
      "response_format", unless: { $0 == .object(["type": .string("text")]) },
      because: "replies are free text; JSON and schemas are not enforced.")
    try reader.refuse(
      "modalities", unless: { $0 == .array([.string("text")]) }, because: "replies are text.")
    try reader.refuse("audio", because: "replies are text.")
    try reader.refuse("prediction", because: "predicted outputs are not built.")
    try reader.refuse(
      "reasoning_effort", because: "how much a model reasons is set by its template, on the server.")
    try reader.refuse("verbosity", because: "say in a message how long the answer should be.")
    try reader.refuse("web_search_options", because: "this server searches nothing.")
  }
}

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
      let message = try message(FieldReader(object, path: "messages[\(index)]"))
      if message.role == .system, messages.allSatisfy({ $0.role == .system }), let first = messages.first {
        // Templates take one system message; several at the start are one, in their order.
        messages = [.system(first.content + "\n\n" + message.content)]
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

  private static func message(_ reader: FieldReader) throws(FieldError) -> ChatMessage {
    var reader = reader
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
    let content = try content(&reader)
    try reader.refuse("name", because: "the models' templates have no names of speakers.")
    for field in ["tool_calls", "function_call", "audio"] {
      try reader.refuse(field, unless: \.isEmpty, because: "messages are text.")
    }
    if role == .assistant {
      // What a client got from this server and sends back. Templates leave earlier reasoning out.
      reader.ignore(["reasoning_content", "refusal", "annotations"])
    }
    try reader.finish()
    return ChatMessage(role: role, content: content)
  }

  /// A text, or a list of parts that are texts.
  private static func content(_ reader: inout FieldReader) throws(FieldError) -> String {
    let name = reader.name("content")
    switch reader.value("content") {
    case .string(let text): return text
    case .array(let parts):
      var text = ""
      for (index, part) in parts.enumerated() {
        guard case .object(let object) = part else {
          throw FieldError("'\(name)[\(index)]' must be an object.", field: "\(name)[\(index)]")
        }
        var part = FieldReader(object, path: "\(name)[\(index)]")
        let type = try part.string("type")
        guard type == "text" else {
          throw FieldError(
            "'\(name)[\(index)].type' is '\((type ?? "").prefix(40))'; only 'text' is supported.",
            field: "\(name)[\(index)].type", isUnsupported: true)
        }
        text += try part.string("text") ?? ""
        try part.finish()
      }
      return text
    case nil: throw FieldError("'\(name)' is missing.", field: name)
    case let value?:
      throw FieldError("'\(name)' is \(value.kind), but it must be a string or a list of texts.", field: name)
    }
  }
}
