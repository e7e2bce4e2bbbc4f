import Foundation
import SelfCDSupport

/// What a reply has to look like.
public enum ReplyFormat: Sendable, Hashable {
  /// Any text.
  case text
  /// A JSON object.
  case jsonObject
  /// JSON that fits a schema, given as JSON text.
  case schema(String)
  /// A text of a grammar, in GBNF.
  case grammar(String)

  /// Whether a client brings words of its own for the reply: those of a schema or a grammar.
  var isClientsOwn: Bool {
    switch self {
    case .text, .jsonObject: false
    case .schema, .grammar: true
    }
  }
}

extension ReplyFormat {
  /// Where schemas stand in a body; their own text is kept, since the order of properties matters.
  static let schemaPaths = [
    ["response_format", "json_schema", "schema"], ["response_format", "schema"], ["json_schema"],
  ]

  /// Takes what asks for a format: OpenAI's `response_format`, llama.cpp's `json_schema` and `grammar`.
  ///
  /// - Returns: the format, and the field that asks for it.
  /// - Throws: ``FieldError``.
  static func taken(
    from reader: inout FieldReader
  ) throws(FieldError) -> (format: ReplyFormat, field: String) {
    var found: [(ReplyFormat, String)] = []
    if reader.peek("response_format")?.isNothing == true { reader.ignore(["response_format"]) }
    if var format = try reader.object("response_format") {
      if let asked = try openAI(&format) { found.append((asked, "response_format")) }
      try format.finish()
      reader.adopt(format)
    }
    for field in ["json_schema", "grammar"] { reader.ignore(field) { $0.isNothing } }
    if let schema = reader.value("json_schema") { found.append((.schema(text(schema)), "json_schema")) }
    if let grammar = try reader.string("grammar") { found.append((.grammar(grammar), "grammar")) }
    guard found.count < 2 else {
      throw FieldError(
        "'\(found[0].1)' and '\(found[1].1)' both say what the reply looks like. Give one of them.",
        field: found[1].1)
    }
    return found.first ?? (.text, "response_format")
  }

  private static func openAI(_ reader: inout FieldReader) throws(FieldError) -> ReplyFormat? {
    let type = try reader.string("type")
    switch type {
    case "text", nil: return nil
    case "json_object":
      // llama.cpp takes a schema here, too.
      return reader.value("schema").map { .schema(text($0)) } ?? .jsonObject
    case "json_schema":
      guard var schema = try reader.object("json_schema") else {
        throw FieldError("'response_format.json_schema' is missing.", field: "response_format.json_schema")
      }
      // A name for the schema, and whether it is kept to, which it always is.
      for field in ["name", "strict", "description"] { _ = schema.value(field) }
      guard let value = schema.value("schema") else {
        throw FieldError(
          "'response_format.json_schema.schema' is missing.", field: "response_format.json_schema.schema")
      }
      try schema.finish()
      return .schema(text(value))
    case let type?:
      throw FieldError(
        "'response_format.type' is '\(type.prefix(40))'; known are text, json_object and json_schema.",
        field: "response_format.type")
    }
  }

  /// A schema's text; where only its value is left, with its keys sorted.
  private static func text(_ value: JSONValue) -> String {
    if case .string(let text) = value { return text }
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    return (try? encoder.encode(value)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
  }
}
