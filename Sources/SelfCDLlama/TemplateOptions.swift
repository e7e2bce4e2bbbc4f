import Foundation

/// A JSON value given to a chat template as an argument.
public enum TemplateValue: Codable, Sendable, Hashable {
  /// `null`, which templates see as `none`.
  case null
  /// A truth value.
  case bool(Bool)
  /// A number; templates are given whole numbers as integers.
  case number(Double)
  /// A text, which counts as input: nothing in it becomes a special token.
  case string(String)
  /// A list, in order.
  case array([TemplateValue])
  /// Keys with their values.
  case object([String: TemplateValue])

  /// Reads JSON; what is not JSON is a text.
  public init(parsing text: String) {
    self = (try? JSONDecoder().decode(TemplateValue.self, from: Data(text.utf8))) ?? .string(text)
  }

  /// Reads any JSON value; numbers are kept in double precision.
  ///
  /// - Throws: `DecodingError` for what is no JSON value.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if container.decodeNil() {
      self = .null
    } else if let value = try? container.decode(Bool.self) {
      self = .bool(value)
    } else if let value = try? container.decode(Double.self) {
      self = .number(value)
    } else if let value = try? container.decode(String.self) {
      self = .string(value)
    } else if let value = try? container.decode([TemplateValue].self) {
      self = .array(value)
    } else {
      self = .object(try container.decode([String: TemplateValue].self))
    }
  }

  /// Writes the JSON value; whole numbers without a fraction, since templates tell integers from floats.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .null: try container.encodeNil()
    case .bool(let value): try container.encode(value)
    case .number(let value):
      // Templates tell integers from floats: 3 must not become 3.0.
      if let integer = Int(exactly: value) {
        try container.encode(integer)
      } else {
        try container.encode(value)
      }
    case .string(let value): try container.encode(value)
    case .array(let value): try container.encode(value)
    case .object(let value): try container.encode(value)
    }
  }
}

/// How a model's chat template is used.
public struct TemplateOptions: Codable, Sendable, Hashable {
  /// A template to use instead of the model's own.
  public var source: String?
  /// Arguments such as `enable_thinking`.
  public var arguments: [String: TemplateValue]

  /// Uses the model's own template without arguments, unless another is given.
  public init(source: String? = nil, arguments: [String: TemplateValue] = [:]) {
    self.source = source
    self.arguments = arguments
  }
}
