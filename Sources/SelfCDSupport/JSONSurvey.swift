/// What can be told of a JSON document before it is decoded: how large it is, what Foundation's parser takes for JSON that
/// is none, or refuses without saying why, and keys that are given twice, of which it keeps the first one in silence.
package struct JSONSurvey {
  /// Something that is wrong.
  package struct Fault: Error, Sendable, Equatable {
    /// What is wrong, and what to do.
    package let message: String
    /// Where, as one writes it: `messages[0].content`; `nil` for the whole document.
    package let path: String?
  }

  /// The greatest depth of brackets outside strings; the survey ends where it is over the limit.
  package private(set) var depth = 0
  /// About how many values there are; the survey ends where they are over the limit.
  package private(set) var values = 1
  /// Why it is no JSON, and where; for what is no JSON otherwise, too, perhaps nothing.
  package private(set) var fault: Fault?
  /// The first key that its object has already; of no meaning in what is no JSON. Most programs take the last value of such a key, others the first one:
  /// whoever checks a document must not see another one than whoever uses it.
  package private(set) var duplicate: Fault?

  /// Where in an array or object the survey is.
  private enum Place {
    case element(Int)
    /// The bytes of the key; `nil` before it has ended.
    case key(Range<Int>?)
  }

  private let bytes: [UInt8]
  private let document: String
  private var places: [Place] = []
  /// The keys of every array and object that is open; an array has none.
  private var keys: [Set<String>] = []

  /// Looks through a document once.
  /// - Parameters:
  ///   - bytes: The document.
  ///   - document: What messages call it, as in "the body".
  ///   - deepest: The depth that is not exceeded.
  ///   - most: The number of values that is not exceeded.
  package init(_ bytes: [UInt8], of document: String, deepest: Int, most: Int = .max) {
    self.bytes = bytes
    self.document = document
    var position = 0
    var string = 0..<0
    var last: UInt8 = 0
    while position < bytes.count, depth <= deepest, values <= most {
      let byte = bytes[position]
      switch byte {
      case UInt8(ascii: "\""):
        let end = endOfString(from: position + 1)
        string = (position + 1)..<end
        position = end
      case UInt8(ascii: "["), UInt8(ascii: "{"):
        values += 1
        places.append(byte == UInt8(ascii: "[") ? .element(0) : .key(nil))
        keys.append([])
        depth = max(depth, places.count)
      case UInt8(ascii: "]"), UInt8(ascii: "}"):
        if last == UInt8(ascii: ",") { noteTrailingComma(before: position) }
        _ = places.popLast()
        _ = keys.popLast()
      case UInt8(ascii: ":"):
        if case .key(let known)? = places.popLast() {
          places.append(.key(string))
          if known == nil { noteKey(string) }
        }
      case UInt8(ascii: ","):
        values += 1
        if let place = places.popLast() { places.append(Self.next(place)) }
      default: break
      }
      if !Self.isWhitespace(byte) { last = byte }
      position += 1
    }
  }

  private static func next(_ place: Place) -> Place {
    if case .element(let index) = place { .element(index + 1) } else { .key(nil) }
  }

  private static func isWhitespace(_ byte: UInt8) -> Bool {
    byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D
  }

  /// - Returns: where its closing quote is.
  private mutating func endOfString(from start: Int) -> Int {
    var position = start
    // In UTF-16, as the languages count that cut characters in two.
    var index = 0
    while position < bytes.count, bytes[position] != UInt8(ascii: "\"") {
      let byte = bytes[position]
      guard byte == UInt8(ascii: "\\") else {
        index += byte >= 0xF0 ? 2 : byte & 0xC0 == 0x80 ? 0 : 1
        position += 1
        continue
      }
      guard let unit = escapedUnit(at: position) else {
        index += 1
        position += 2
        continue
      }
      position += 6
      if UTF16.isLeadSurrogate(unit), let second = escapedUnit(at: position), UTF16.isTrailSurrogate(second) {
        index += 2
        position += 6
        continue
      }
      if UTF16.isSurrogate(unit) { noteSurrogate(unit, index: index) }
      index += 1
    }
    return position
  }

  /// The code unit of `\uXXXX`, if that is there.
  private func escapedUnit(at position: Int) -> UInt16? {
    guard position + 6 <= bytes.count, bytes[position] == UInt8(ascii: "\\"),
      bytes[position + 1] == UInt8(ascii: "u")
    else { return nil }
    let digits = bytes[(position + 2)..<(position + 6)]
    guard digits.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }) else { return nil }
    return UInt16(String(decoding: digits, as: UTF8.self), radix: 16)
  }

  // MARK: - Faults

  private mutating func noteKey(_ range: Range<Int>) {
    guard duplicate == nil, let last = keys.indices.last else { return }
    let key = text(of: range)
    guard !keys[last].insert(key).inserted else { return }
    let path = Self.path(places[...], bytes)
    duplicate = Fault(
      message:
        "'\(path ?? "")' is in \(document) twice. Give it once: programs differ in which of the two values they take.",
      path: path)
  }

  /// The text that a string stands for: one key can be written in several ways.
  private func text(of range: Range<Int>) -> String {
    guard bytes[range].contains(UInt8(ascii: "\\")) else {
      return String(decoding: bytes[range], as: UTF8.self)
    }
    var units: [UInt16] = []
    var position = range.lowerBound
    while position < range.upperBound {
      let rest = bytes[position..<range.upperBound]
      let plain = rest.prefix { $0 != UInt8(ascii: "\\") }
      units += String(decoding: plain, as: UTF8.self).utf16
      position = plain.endIndex
      guard position < range.upperBound else { break }
      if let unit = escapedUnit(at: position) {
        units.append(unit)
        position += 6
      } else {
        let letter = position + 1 < range.upperBound ? bytes[position + 1] : 0
        units.append(UInt16(Self.controls[letter] ?? letter))
        position += 2
      }
    }
    return String(decoding: units, as: UTF16.self)
  }

  /// What stands behind the letter of an escape.
  private static let controls: [UInt8: UInt8] = [
    UInt8(ascii: "b"): 0x08, UInt8(ascii: "f"): 0x0C, UInt8(ascii: "n"): 0x0A, UInt8(ascii: "r"): 0x0D,
    UInt8(ascii: "t"): 0x09,
  ]

  private mutating func noteSurrogate(_ unit: UInt16, index: Int) {
    guard fault == nil else { return }
    var isKey = false
    if case .key(nil)? = places.last { isKey = true }
    let path = Self.path(isKey ? places.dropLast() : places[...], bytes)
    let place = isKey ? "a key of \(path ?? document)" : "'\(path ?? document)'"
    fault = Fault(
      message:
        "\(place) holds the lone surrogate \\u\(String(unit, radix: 16)) at index \(index), counted in UTF-16: half of "
        + "a character. The text was probably cut inside an emoji; leave the half out.", path: path)
  }

  private mutating func noteTrailingComma(before position: Int) {
    guard fault == nil else { return }
    let path = Self.path(places.dropLast(), bytes)
    let (line, column) = JSONSyntax.place(of: position, in: bytes)
    fault = Fault(
      message:
        "\(document.prefix(1).uppercased() + document.dropFirst()) is not JSON: there is a comma behind the last value"
        + "\(path.map { " of '\($0)'" } ?? ""), before line \(line), column \(column).",
      path: path)
  }

  /// As one writes it, `messages[0].content`; `nil` for the whole document.
  private static func path(_ places: ArraySlice<Place>, _ bytes: [UInt8]) -> String? {
    var path = ""
    for place in places {
      switch place {
      case .element(let index): path += "[\(index)]"
      case .key(let range?):
        path += (path.isEmpty ? "" : ".") + String(decoding: bytes[range].prefix(40), as: UTF8.self)
      case .key(nil): break
      }
    }
    return path.isEmpty ? nil : path
  }
}
