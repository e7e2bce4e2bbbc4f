import Foundation
import SelfCDSupport

/// Reads a document that may be anything, down to bytes that are no text.
enum JSONDocument {
  /// No request this server understands nests deeper; parsers recurse, and a stack is finite.
  static let deepestNesting = 32
  /// Nor holds more values: decoding one takes microseconds, and a body has room for half a million.
  static let mostValues = 20_000

  /// The object that `bytes` hold; JSON schemas of replies stay the text that they are.
  ///
  /// - Throws: ``FieldError`` that says what is wrong with the bytes.
  static func object(_ bytes: some Collection<UInt8>) throws(FieldError) -> [String: JSONValue] {
    guard !bytes.isEmpty else { throw FieldError("The body is empty; it must be a JSON object.") }
    guard String(validating: bytes, as: UTF8.self) != nil else {
      throw FieldError("The body is not UTF-8.")
    }
    let survey = JSONSurvey(Array(bytes), of: "the body", deepest: deepestNesting, most: mostValues)
    guard survey.depth <= deepestNesting else {
      throw FieldError("The body nests more than \(deepestNesting) levels deep.")
    }
    guard survey.values <= mostValues else {
      throw FieldError("The body holds more than \(mostValues) values.")
    }
    if let fault = survey.fault { throw FieldError(fault.message, field: fault.path) }
    let value: JSONValue
    do {
      value = try JSONDecoder().decode(JSONValue.self, from: Data(bytes))
    } catch {
      let why = JSONSyntax.fault(in: Array(bytes))?.message ?? JSONValue.detail(of: error)
      throw FieldError("The body is not JSON: \(why).")
    }
    guard case .object(let object) = value else { throw FieldError("The body must be a JSON object.") }
    if let fault = survey.duplicate { throw FieldError(fault.message, field: fault.path) }
    return ReplyFormat.schemaPaths.reduce(object) { object, path in
      guard let first = path.first, object[first] != nil,
        let text = JSONRawText.value(at: path, in: Array(bytes)), text.first == "{"
      else { return object }
      return replacing(path[...], of: object, by: .string(text))
    }
  }

  /// The same object with another value at a path of keys that it has.
  private static func replacing(
    _ path: ArraySlice<String>, of object: [String: JSONValue], by value: JSONValue
  ) -> [String: JSONValue] {
    guard let key = path.first else { return object }
    var object = object
    if path.count == 1 {
      object[key] = value
    } else if case .object(let inner)? = object[key] {
      object[key] = .object(replacing(path.dropFirst(), of: inner, by: value))
    }
    return object
  }
}
