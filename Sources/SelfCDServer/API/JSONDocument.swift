import Foundation
import SelfCDEval

/// Reads a document that may be anything, down to bytes that are no text.
enum JSONDocument {
  /// No request this server understands nests deeper; parsers recurse, and a stack is finite.
  static let deepestNesting = 32
  /// Nor holds more values: decoding one takes microseconds, and a body has room for half a million.
  static let mostValues = 20_000

  /// The object that `bytes` hold.
  ///
  /// - Throws: ``FieldError`` that says what is wrong with the bytes.
  static func object(_ bytes: some Collection<UInt8>) throws(FieldError) -> [String: JSONValue] {
    guard !bytes.isEmpty else { throw FieldError("The body is empty; it must be a JSON object.") }
    guard String(validating: bytes, as: UTF8.self) != nil else {
      throw FieldError("The body is not UTF-8.")
    }
    let extent = extent(of: bytes)
    guard extent.depth <= deepestNesting else {
      throw FieldError("The body nests more than \(deepestNesting) levels deep.")
    }
    guard extent.values <= mostValues else {
      throw FieldError("The body holds more than \(mostValues) values.")
    }
    do {
      let value = try JSONDecoder().decode(JSONValue.self, from: Data(bytes))
      if case .object(let object) = value { return object }
    } catch {
      throw FieldError("The body is not JSON: \(JSONValue.detail(of: error)).")
    }
    throw FieldError("The body must be a JSON object.")
  }

  /// The greatest depth of brackets outside strings, and about how many values there are; for what is no JSON, some
  /// numbers.
  private static func extent(of bytes: some Collection<UInt8>) -> (depth: Int, values: Int) {
    var depth = 0
    var deepest = 0
    var values = 1
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
        values += 1
        deepest = max(deepest, depth)
      case UInt8(ascii: "]"), UInt8(ascii: "}"): depth -= 1
      case UInt8(ascii: ","): values += 1
      default: break
      }
    }
    return (deepest, values)
  }
}
