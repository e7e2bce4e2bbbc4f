/// What can be told of a document before it is decoded: how large it is, and what Foundation's parser takes for JSON that
/// is none, or refuses without saying why.
struct JSONSurvey {
  /// The greatest depth of brackets outside strings; the survey ends where it is over the limit.
  private(set) var depth = 0
  /// About how many values there are.
  private(set) var values = 1
  /// What is wrong, and where; for what is no JSON otherwise, too, perhaps nothing.
  private(set) var fault: FieldError?

  /// Where in an array or object the survey is.
  private enum Place {
    case element(Int)
    /// The bytes of the key; `nil` before it has ended.
    case key(Range<Int>?)
  }

  private let bytes: [UInt8]
  private var places: [Place] = []

  /// - Parameter deepest: the depth that is not exceeded.
  init(_ bytes: [UInt8], deepest: Int) {
    self.bytes = bytes
    var position = 0
    var string = 0..<0
    var last: UInt8 = 0
    while position < bytes.count, depth <= deepest {
      let byte = bytes[position]
      switch byte {
      case UInt8(ascii: "\""):
        let end = endOfString(from: position + 1)
        string = (position + 1)..<end
        position = end
      case UInt8(ascii: "["), UInt8(ascii: "{"):
        values += 1
        places.append(byte == UInt8(ascii: "[") ? .element(0) : .key(nil))
        depth = max(depth, places.count)
      case UInt8(ascii: "]"), UInt8(ascii: "}"):
        if last == UInt8(ascii: ",") { noteTrailingComma() }
        _ = places.popLast()
      case UInt8(ascii: ":"):
        if case .key? = places.popLast() { places.append(.key(string)) }
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

  private mutating func noteSurrogate(_ unit: UInt16, index: Int) {
    guard fault == nil else { return }
    var isKey = false
    if case .key(nil)? = places.last { isKey = true }
    let path = Self.path(isKey ? places.dropLast() : places[...], bytes)
    let place = isKey ? "a key of \(path ?? "the body")" : "'\(path ?? "the body")'"
    fault = FieldError(
      "\(place) holds the lone surrogate \\u\(String(unit, radix: 16)) at index \(index), counted in UTF-16: half of "
        + "a character. The text was probably cut inside an emoji; leave the half out.", field: path)
  }

  private mutating func noteTrailingComma() {
    guard fault == nil else { return }
    let path = Self.path(places.dropLast(), bytes)
    fault = FieldError(
      "The body is not JSON: there is a comma behind the last value of \(path.map { "'\($0)'" } ?? "the body").",
      field: path)
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
