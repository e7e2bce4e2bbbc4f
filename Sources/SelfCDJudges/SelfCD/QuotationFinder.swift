/// Finds what a text shows rather than says: fenced and inline code, block quotes, quotations.
enum QuotationFinder {
  struct Found {
    /// In order, not overlapping, as UTF-8 offsets.
    var ranges: [Range<Int>] = []
    var hasFence = false
  }

  /// The longest quotation, in bytes: a mark that is never closed must not hide the rest of the text.
  private static let longest = 600

  static func ranges(in bytes: [UInt8]) -> Found {
    var found = Found()
    var quoted = 0
    var position = 0
    var isAtLineStart = true
    while position < bytes.count {
      let byte = bytes[position]
      if isAtLineStart, let end = fence(bytes, position) {
        found.hasFence = true
        found.ranges.append(position..<end)
        position = end
        continue
      }
      if isAtLineStart, byte == 0x3E, position + 1 < bytes.count, bytes[position + 1] == 0x20 {
        let end = bytes[position...].firstIndex(of: 0x0A) ?? bytes.count
        found.ranges.append(position..<end)
        quoted += end - position
        position = end
        continue
      }
      if let end = close(bytes, position) {
        // One or two words in quotation marks are the writer's own: He was not "right".
        if byte == 0x60 || bytes[position..<end].count(where: { $0 == 0x20 }) >= 2 {
          found.ranges.append(position..<end)
          if byte != 0x60 { quoted += end - position }
        }
        position = end
        isAtLineStart = false
        continue
      }
      if byte != 0x20, byte != 0x09 { isAtLineStart = byte == 0x0A }
      position += 1
    }
    // A reply in quotation marks is still the reply.
    if quoted * 10 > bytes.count * 6 { found.ranges.removeAll { bytes[$0.lowerBound] != 0x60 } }
    return found
  }

  private static func fence(_ bytes: [UInt8], _ position: Int) -> Int? {
    for mark in ["```", "~~~"] where bytes[position...].starts(with: mark.utf8) {
      var next = position + 3
      while let line = bytes[next...].firstIndex(of: 0x0A) {
        next = line + 1
        while next < bytes.count, bytes[next] == 0x20 || bytes[next] == 0x09 { next += 1 }
        if bytes[next...].starts(with: mark.utf8) { return next + 3 }
      }
      return bytes.count
    }
    return nil
  }

  /// The end of the quotation that opens at `position`; it does not reach over a line.
  private static func close(_ bytes: [UInt8], _ position: Int) -> Int? {
    let byte = bytes[position]
    guard byte == 0x22 || byte == 0x60 || byte >= 0xC2 else { return nil }
    if byte == 0x22 || byte == 0x60 {
      return end(bytes, from: position + 1, mark: [byte])
    }
    for (open, close) in pairs where bytes[position...].starts(with: open) {
      return end(bytes, from: position + open.count, mark: close)
    }
    return nil
  }

  private static func end(_ bytes: [UInt8], from start: Int, mark: [UInt8]) -> Int? {
    var position = start
    let limit = min(bytes.count, start + longest)
    while position < limit, bytes[position] != 0x0A {
      if bytes[position] == mark[0], bytes[position...].starts(with: mark) { return position + mark.count }
      position += 1
    }
    return nil
  }

  private static let pairs: [([UInt8], [UInt8])] = [
    ("“", "”"), ("„", "“"), ("„", "”"), ("«", "»"), ("「", "」"), ("『", "』"), ("＂", "＂"),
  ].map { (Array($0.0.utf8), Array($0.1.utf8)) }
}
