/// Where a text stops being JSON. Foundation's parser says that for some faults and not for others, in words of its own.
package struct JSONSyntax {
  /// The first fault.
  package struct Fault: Error, Sendable, Equatable {
    /// Counted from 1.
    package let line: Int
    /// Counted from 1, in bytes.
    package let column: Int
    /// What is wrong there, to be read behind "is not JSON:".
    package let message: String
  }

  private let bytes: [UInt8]
  private var position = 0

  private init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// The first fault of a text; `nil` where there is none.
  ///
  /// - Precondition: the text does not nest deeply (``JSONSurvey``): every level takes stack.
  package static func fault(in bytes: [UInt8]) -> Fault? {
    var syntax = JSONSyntax(bytes)
    do throws(Fault) {
      try syntax.value()
      syntax.skipSpace()
      if syntax.position < bytes.count { throw syntax.fault("the end") }
      return nil
    } catch {
      return error
    }
  }

  /// The line and the column of a byte, both counted from 1.
  package static func place(of position: Int, in bytes: [UInt8]) -> (line: Int, column: Int) {
    let before = bytes[..<min(position, bytes.count)]
    let line = before.count { $0 == UInt8(ascii: "\n") } + 1
    let start = before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
    return (line: line, column: before.count - start + 1)
  }

  private func fault(_ expected: String) -> Fault {
    let (line, column) = Self.place(of: position, in: bytes)
    guard position < bytes.count else {
      return Fault(
        line: line, column: column,
        message: "it ends at line \(line), column \(column), where \(expected) should be")
    }
    let character = String(decoding: bytes[position...].prefix(4), as: UTF8.self).first.map(String.init) ?? ""
    return Fault(
      line: line, column: column,
      message:
        "there is \(UntrustedText.singleLine("'\(character)'")) at line \(line), column \(column), where \(expected) should be"
    )
  }

  private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

  private mutating func skipSpace() {
    while let byte = next, byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D { position += 1 }
  }

  private mutating func value() throws(Fault) {
    skipSpace()
    guard let byte = next else { throw fault("a value") }
    switch byte {
    case UInt8(ascii: "{"): try list(closing: UInt8(ascii: "}"), hasKeys: true)
    case UInt8(ascii: "["): try list(closing: UInt8(ascii: "]"), hasKeys: false)
    case UInt8(ascii: "\""): try string()
    case UInt8(ascii: "t"): try word("true")
    case UInt8(ascii: "f"): try word("false")
    case UInt8(ascii: "n"): try word("null")
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): try number()
    default: throw fault("a value")
    }
  }

  /// An object, or an array.
  private mutating func list(closing: UInt8, hasKeys: Bool) throws(Fault) {
    position += 1
    skipSpace()
    if next == closing {
      position += 1
      return
    }
    while true {
      if hasKeys {
        skipSpace()
        guard next == UInt8(ascii: "\"") else { throw fault("a key in double quotes") }
        try string()
        skipSpace()
        guard next == UInt8(ascii: ":") else { throw fault("':'") }
        position += 1
      }
      try value()
      skipSpace()
      let byte = next
      guard byte == UInt8(ascii: ",") || byte == closing else {
        throw fault("',' or '\(hasKeys ? "}" : "]")'")
      }
      position += 1
      if byte == closing { return }
    }
  }

  /// What may stand behind a backslash, besides u.
  private static let escapes = Array(#""\/bfnrt"#.utf8)

  private mutating func string() throws(Fault) {
    position += 1
    while let byte = next, byte != UInt8(ascii: "\"") {
      guard byte >= 0x20 else { throw fault("a character that is no control character") }
      position += 1
      guard byte == UInt8(ascii: "\\") else { continue }
      let letter = next ?? 0
      switch letter {
      case UInt8(ascii: "u"):
        position += 1
        for _ in 0..<4 {
          guard let digit = next, Character(Unicode.Scalar(digit)).isHexDigit else {
            throw fault("a hexadecimal digit")
          }
          position += 1
        }
      case _ where Self.escapes.contains(letter): position += 1
      default: throw fault("one of \"\\/bfnrtu")
      }
    }
    guard next != nil else { throw fault("a closing quote") }
    position += 1
  }

  private mutating func word(_ word: String) throws(Fault) {
    for byte in word.utf8 {
      guard next == byte else { throw fault("'\(word)'") }
      position += 1
    }
  }

  private mutating func number() throws(Fault) {
    if next == UInt8(ascii: "-") { position += 1 }
    if next == UInt8(ascii: "0") {
      position += 1
    } else {
      try digits()
    }
    if next == UInt8(ascii: ".") {
      position += 1
      try digits()
    }
    guard next == UInt8(ascii: "e") || next == UInt8(ascii: "E") else { return }
    position += 1
    if next == UInt8(ascii: "+") || next == UInt8(ascii: "-") { position += 1 }
    try digits()
  }

  private mutating func digits() throws(Fault) {
    let start = position
    while let byte = next, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { position += 1 }
    if position == start { throw fault("a digit") }
  }
}
