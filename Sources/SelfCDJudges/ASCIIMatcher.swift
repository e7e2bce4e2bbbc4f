/// Finds ASCII phrases in text without regard to ASCII case, by bytes, so that offsets stay those of the text.
///
/// The reference judges are Python programs that compare `str.lower()` by code points. Bytes agree with that for
/// ASCII phrases, where Swift's own comparison does not: it works on characters, and a combining mark after a
/// phrase would hide it.
struct ASCIIMatcher {
  /// The text, with A to Z in lower case and every other byte as it was.
  let bytes: [UInt8]

  init(_ text: String) {
    bytes = text.utf8.map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }
  }

  func has(_ phrase: [UInt8], at start: Int) -> Bool {
    guard start + phrase.count <= bytes.count else { return false }
    for (offset, byte) in phrase.enumerated() where bytes[start + offset] != byte { return false }
    return true
  }

  /// The first place of `phrase`, nil if there is none or it is empty.
  func first(_ phrase: [UInt8]) -> Int? {
    guard let head = phrase.first, phrase.count <= bytes.count else { return nil }
    for start in 0...(bytes.count - phrase.count) where bytes[start] == head && has(phrase, at: start) {
      return start
    }
    return nil
  }
}
