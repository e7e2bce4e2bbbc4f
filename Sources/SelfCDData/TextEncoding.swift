/// What a file's bytes are as text. Everything here reads UTF-8; spreadsheets and PowerShell also write UTF-16.
package enum TextEncoding {
  /// Why bytes are no text.
  package enum Failure: Error, Equatable {
    case utf32
    /// UTF-16 whose pairs are broken, at that byte.
    case brokenUTF16(offset: Int)
  }

  /// The bytes in UTF-8 without byte order mark. UTF-16 is told by its mark, in both byte orders, and without a mark by
  /// the zero byte beside its first character, which no UTF-8 text has; other bytes come back as they are.
  package static func utf8(_ bytes: [UInt8]) throws(Failure) -> [UInt8] {
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { return Array(bytes.dropFirst(3)) }
    if bytes.starts(with: [0xFF, 0xFE, 0, 0]) || bytes.starts(with: [0, 0, 0xFE, 0xFF]) { throw .utf32 }
    if bytes.starts(with: [0xFF, 0xFE]) { return try utf8(utf16: bytes, lowByteFirst: true, from: 2) }
    if bytes.starts(with: [0xFE, 0xFF]) { return try utf8(utf16: bytes, lowByteFirst: false, from: 2) }
    if bytes.count >= 4, bytes[1] == 0, bytes[3] == 0, bytes[0] != 0, bytes[2] != 0 {
      return try utf8(utf16: bytes, lowByteFirst: true, from: 0)
    }
    if bytes.count >= 4, bytes[0] == 0, bytes[2] == 0, bytes[1] != 0, bytes[3] != 0 {
      return try utf8(utf16: bytes, lowByteFirst: false, from: 0)
    }
    return bytes
  }

  private static func utf8(
    utf16 bytes: [UInt8], lowByteFirst: Bool, from start: Int
  ) throws(Failure) -> [UInt8] {
    guard bytes.count % 2 == 0 else { throw .brokenUTF16(offset: bytes.count - 1) }
    func unit(_ offset: Int) -> UInt16 {
      let (first, second) = (UInt16(bytes[offset]), UInt16(bytes[offset + 1]))
      return lowByteFirst ? second << 8 | first : first << 8 | second
    }
    var result: [UInt8] = []
    result.reserveCapacity(bytes.count)
    var offset = start
    while offset < bytes.count {
      let lead = unit(offset)
      var value = UInt32(lead)
      var length = 2
      if (0xD800...0xDBFF).contains(lead), offset + 3 < bytes.count,
        (0xDC00...0xDFFF).contains(unit(offset + 2))
      {
        value = 0x10000 + (UInt32(lead) - 0xD800) << 10 + (UInt32(unit(offset + 2)) - 0xDC00)
        length = 4
      }
      // Half of a pair is no scalar.
      guard let scalar = Unicode.Scalar(value) else { throw .brokenUTF16(offset: offset) }
      result.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
      offset += length
    }
    return result
  }
}

extension TextEncoding.Failure: CustomStringConvertible {
  /// What it is, as a noun, for error messages.
  package var description: String {
    switch self {
    case .utf32: "UTF-32 text"
    case .brokenUTF16(let offset): "UTF-16 text that breaks off inside a character (at byte \(offset))"
    }
  }
}
