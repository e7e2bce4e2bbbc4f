import Foundation

/// Finds a value's own text in a JSON document: what ``JSONValue`` makes of an object has no order, and of a schema the
/// order of properties matters.
package enum JSONRawText {
  /// The text of the value at a path of object keys; nil where there is none, or the document is not JSON.
  ///
  /// - Parameters:
  ///   - path: the keys from the outermost object on.
  ///   - bytes: the document, UTF-8.
  package static func value(at path: [String], in bytes: [UInt8]) -> String? {
    var scanner = Scanner(bytes: bytes)
    for key in path { guard scanner.enter(key) else { return nil } }
    guard let range = scanner.skipValue() else { return nil }
    return String(decoding: bytes[range], as: UTF8.self)
  }

  private struct Scanner {
    let bytes: [UInt8]
    var position = 0

    private var next: UInt8? {
      mutating get {
        while position < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[position]) { position += 1 }
        return position < bytes.count ? bytes[position] : nil
      }
    }

    /// Goes to the value of a key of the object that comes next.
    mutating func enter(_ key: String) -> Bool {
      guard next == UInt8(ascii: "{") else { return false }
      position += 1
      while next == UInt8(ascii: "\"") {
        guard let name = skipString(), next == UInt8(ascii: ":") else { return false }
        position += 1
        let text = try? JSONDecoder().decode(String.self, from: Data(bytes[name]))
        if text == key { return true }
        guard skipValue() != nil, next == UInt8(ascii: ",") else { return false }
        position += 1
      }
      return false
    }

    /// Passes over the value that comes next.
    mutating func skipValue() -> Range<Int>? {
      guard let first = next else { return nil }
      let start = position
      switch first {
      case UInt8(ascii: "\""): return skipString()
      case UInt8(ascii: "{"), UInt8(ascii: "["):
        var depth = 0
        while let byte = next {
          switch byte {
          case UInt8(ascii: "\""): guard skipString() != nil else { return nil }
          case UInt8(ascii: "{"), UInt8(ascii: "["):
            depth += 1
            position += 1
          case UInt8(ascii: "}"), UInt8(ascii: "]"):
            depth -= 1
            position += 1
            if depth == 0 { return start..<position }
          default: position += 1
          }
        }
        return nil
      default:
        while position < bytes.count, !Array(",}] \t\r\n".utf8).contains(bytes[position]) { position += 1 }
        return start..<position
      }
    }

    private mutating func skipString() -> Range<Int>? {
      let start = position
      position += 1
      while position < bytes.count {
        switch bytes[position] {
        case UInt8(ascii: "\\"): position += 2
        case UInt8(ascii: "\""):
          position += 1
          return start..<position
        default: position += 1
        }
      }
      return nil
    }
  }
}
