/// Reads comma-separated values as RFC 4180 has them: quoted fields with doubled quotes, delimiters and line
/// ends inside them; records end in CRLF, LF or CR. Empty lines between records are passed over.
///
/// It works on bytes and keeps line numbers, because a row that is wrong has to be found again by a person. A
/// malformed record does not end the reading: the parser reports it and goes on at the line after the one the
/// record began on, so that a quote that is never closed costs its own line and not the rest of the file.
struct CSVParser {
  /// One record or the reason why it is none.
  enum Row: Equatable {
    case record(fields: [String], line: Int)
    case malformed(reason: RowIssue.Reason, line: Int)
  }

  let bytes: [UInt8]
  let delimiter: UInt8
  /// The longest record, in bytes. It also bounds how far a quote that is never closed is followed.
  let recordLimit: Int
  private var position: Int
  private var line = 1

  init(_ bytes: [UInt8], delimiter: UInt8 = UInt8(ascii: ","), recordLimit: Int = 1 << 20) {
    self.bytes = bytes
    self.delimiter = delimiter
    self.recordLimit = recordLimit
    position = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
  }

  /// The next record, or nil at the end.
  mutating func next() -> Row? {
    skipEmptyLines()
    guard position < bytes.count else { return nil }
    let start = position
    let startLine = line
    do {
      return .record(fields: try record(from: start), line: startLine)
    } catch {
      position = start
      line = startLine
      skipLine()
      return .malformed(reason: error.reason, line: startLine)
    }
  }

  private struct Malformed: Error {
    var reason: RowIssue.Reason
  }

  private mutating func record(from start: Int) throws(Malformed) -> [String] {
    var fields: [String] = []
    while true {
      fields.append(try field(recordStart: start))
      guard position < bytes.count else { return fields }
      if bytes[position] == delimiter {
        position += 1
      } else {
        endLine()
        return fields
      }
    }
  }

  /// Reads one field and stops on the delimiter, the line end or the end of the bytes.
  private mutating func field(recordStart: Int) throws(Malformed) -> String {
    if position < bytes.count, bytes[position] == quote { return try quotedField(recordStart: recordStart) }
    let start = position
    while position < bytes.count {
      let byte = bytes[position]
      if byte == delimiter || byte == lineFeed || byte == carriageReturn { break }
      if byte == quote { throw Malformed(reason: .strayQuote) }
      if position - recordStart >= recordLimit { throw Malformed(reason: .tooLarge(limit: recordLimit)) }
      position += 1
    }
    return try text(bytes[start..<position])
  }

  private mutating func quotedField(recordStart: Int) throws(Malformed) -> String {
    position += 1
    var content: [UInt8] = []
    while true {
      guard position < bytes.count else { throw Malformed(reason: .unterminatedQuote) }
      if position - recordStart >= recordLimit { throw Malformed(reason: .tooLarge(limit: recordLimit)) }
      let byte = bytes[position]
      if byte == quote {
        position += 1
        guard position < bytes.count else { break }
        let following = bytes[position]
        if following == delimiter || following == lineFeed || following == carriageReturn { break }
        guard following == quote else { throw Malformed(reason: .textAfterQuote) }
        content.append(quote)
        position += 1
      } else if byte == lineFeed || byte == carriageReturn {
        let first = position
        endLine()
        content.append(contentsOf: bytes[first..<position])
      } else {
        content.append(byte)
        position += 1
      }
    }
    return try text(content[...])
  }

  private func text(_ slice: ArraySlice<UInt8>) throws(Malformed) -> String {
    if slice.contains(0) { throw Malformed(reason: .zeroByte) }
    guard let text = String(validating: slice, as: UTF8.self) else { throw Malformed(reason: .invalidUTF8) }
    return text
  }

  private mutating func skipEmptyLines() {
    while position < bytes.count, bytes[position] == lineFeed || bytes[position] == carriageReturn {
      endLine()
    }
  }

  private mutating func skipLine() {
    while position < bytes.count, bytes[position] != lineFeed, bytes[position] != carriageReturn {
      position += 1
    }
    if position < bytes.count { endLine() }
  }

  /// Steps over one line end; CRLF is one.
  private mutating func endLine() {
    let isCarriageReturn = bytes[position] == carriageReturn
    position += 1
    if isCarriageReturn, position < bytes.count, bytes[position] == lineFeed { position += 1 }
    line += 1
  }
}

private let quote = UInt8(ascii: "\"")
private let lineFeed = UInt8(ascii: "\n")
private let carriageReturn = UInt8(ascii: "\r")
