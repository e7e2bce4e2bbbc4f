import Foundation
import SelfCDEval

/// Reads a document that may be anything, down to bytes that are no text.
enum JSONDocument {
  /// No request this server understands nests deeper; parsers recurse, and a stack is finite.
  static let deepestNesting = 32

  /// The object that `bytes` hold.
  ///
  /// - Throws: ``FieldError`` that says what is wrong with the bytes.
  static func object(_ bytes: some Collection<UInt8>) throws(FieldError) -> [String: JSONValue] {
    guard !bytes.isEmpty else { throw FieldError("The body is empty; it must be a JSON object.") }
    guard String(validating: bytes, as: UTF8.self) != nil else {
      throw FieldError("The body is not UTF-8.")
    }
    guard nesting(of: bytes) <= deepestNesting else {
      throw FieldError("The body nests more than \(deepestNesting) levels deep.")
    }
    do {
      let value = try JSONDecoder().decode(JSONValue.self, from: Data(bytes))
      if case .object(let object) = value { return object }
    } catch {
      throw FieldError("The body is not JSON: \(JSONValue.detail(of: error)).")
    }
    throw FieldError("The body must be a JSON object.")
  }

  /// The greatest depth of brackets outside strings; for what is no JSON, some number.
  private static func nesting(of bytes: some Collection<UInt8>) -> Int {
    var depth = 0
    var deepest = 0
    var isInString = false
    var isEscaped = false
    for byte in bytes {
      if isInString {
        if isEscaped {
          isEscaped = false
        } else if byte == UInt8(ascii: "\\") {
          isEscaped = true
        } else if byte == UInt8(ascii: "\"") {
          isInString = false
        }
        continue
      }
      switch byte {
      case UInt8(ascii: "\""): isInString = true
      case UInt8(ascii: "["), UInt8(ascii: "{"):
        depth += 1
        deepest = max(deepest, depth)
      case UInt8(ascii: "]"), UInt8(ascii: "}"): depth -= 1
      default: break
      }
    }
    return deepest
  }
}
