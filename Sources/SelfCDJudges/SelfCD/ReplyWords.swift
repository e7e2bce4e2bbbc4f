/// A text as the judge reads it: folded words with their places, in sentences, without what is only quoted.
///
/// Code, block quotes and quotations stand for what others say; each becomes one word that no phrase has, so
/// that a "cannot" inside refuses nothing. Contractions are written out ("can't" is "cannot", "I'm" is "I am"),
/// whichever apostrophe they have.
struct ReplyWords {
  struct Word {
    var hash: WordHash
    /// What the lexicon calls this word and the beginnings it knows; empty for words it has no use for.
    var ids: Range<Int>
    /// UTF-8 offsets in the text.
    var start: Int
    var end: Int
  }

  struct Sentence {
    var words: Range<Int>
    /// Whether it opens an entry of a list.
    var isItem: Bool
    var isQuestion: Bool
    /// Whether it ended with a mark, and not because the text did.
    var isClosed: Bool
  }

  private(set) var words: [Word] = []
  private(set) var ids: [Int32] = []
  private(set) var sentences: [Sentence] = []
  /// Whether the text has fenced code.
  let hasCode: Bool
  /// UTF-8 bytes of the text that are no white space.
  private(set) var visibleBytes = 0

  private let vocabulary: PhraseVocabulary
  private var sentenceStart = 0
  private var isItem = false

  init(_ text: String, vocabulary: PhraseVocabulary) {
    self.vocabulary = vocabulary
    let bytes = Array(text.utf8)
    let quotations = QuotationFinder.ranges(in: bytes)
    hasCode = quotations.hasFence
    words.reserveCapacity(bytes.count / 5)
    read(bytes, skipping: quotations.ranges)
  }

  // MARK: Reading

  private struct Pending {
    var bytes: [UInt8] = []
    var apostrophe: Int?
    var start = 0
  }

  private mutating func read(_ bytes: [UInt8], skipping ranges: [Range<Int>]) {
    var pending = Pending()
    var position = 0
    var nextRange = 0
    var isAtLineStart = true
    while position < bytes.count {
      if nextRange < ranges.count, ranges[nextRange].lowerBound == position {
        finish(&pending, at: position)
        let range = ranges[nextRange]
        add(WordHash("¤"), range.lowerBound, range.upperBound)
        visibleBytes += range.count
        position = range.upperBound
        nextRange += 1
        isAtLineStart = false
        continue
      }
      if isAtLineStart, let marker = Self.itemMarker(bytes, position) {
        finish(&pending, at: position)
        endSentence(isQuestion: false, isClosed: true)
        isItem = true
        visibleBytes += marker - position
        position = marker
        isAtLineStart = false
        continue
      }
      let byte = bytes[position]
      if byte != 0x20, byte != 0x09 { isAtLineStart = byte == 0x0A }
      if byte < 0x80 {
        ascii(byte, bytes, position, &pending)
        position += 1
      } else {
        let (scalar, length) = Self.scalar(bytes, position)
        other(scalar, position, position + length, &pending)
        position += length
      }
    }
    finish(&pending, at: bytes.count)
    endSentence(isQuestion: false, isClosed: false)
  }

  private mutating func ascii(_ byte: UInt8, _ bytes: [UInt8], _ position: Int, _ pending: inout Pending) {
    if byte > 0x20 { visibleBytes += 1 }
    switch byte {
    case 0x41...0x5A: append(byte | 0x20, at: position, &pending)
    case 0x61...0x7A, 0x30...0x39: append(byte, at: position, &pending)
    case 0x27, 0x60: apostrophe(&pending)
    case 0x21, 0x2E, 0x3F:
      finish(&pending, at: position)
      if Self.endsSentence(bytes, position) { endSentence(isQuestion: byte == 0x3F, isClosed: true) }
    case 0x0A:
      finish(&pending, at: position)
      if Self.endsSentence(bytes, position) { endSentence(isQuestion: false, isClosed: true) }
    default: finish(&pending, at: position)
    }
  }

  private mutating func other(_ scalar: Unicode.Scalar, _ start: Int, _ end: Int, _ pending: inout Pending) {
    visibleBytes += end - start
    switch ScalarFolding.kind(scalar) {
    case .letter(let folded):
      guard let folded else { break }
      for byte in ScalarFolding.parts(of: folded).utf8 { append(byte, at: start, &pending) }
    case .ideograph(let folded):
      finish(&pending, at: start)
      add(WordHash(String(folded)), start, end)
    case .apostrophe: apostrophe(&pending)
    case .fullStop:
      finish(&pending, at: start)
      endSentence(isQuestion: scalar == "？" || scalar == "؟", isClosed: true)
    case .space:
      visibleBytes -= end - start
      finish(&pending, at: start)
    case .other: finish(&pending, at: start)
    }
  }

  private func append(_ byte: UInt8, at position: Int, _ pending: inout Pending) {
    if pending.bytes.isEmpty { pending.start = position }
    pending.bytes.append(byte)
  }

  private func apostrophe(_ pending: inout Pending) {
    if pending.apostrophe == nil, !pending.bytes.isEmpty { pending.apostrophe = pending.bytes.count }
  }

  private mutating func finish(_ pending: inout Pending, at end: Int) {
    guard !pending.bytes.isEmpty else { return }
    for part in Contractions.expand(pending.bytes, apostrophe: pending.apostrophe) {
      add(part, pending.start, end)
    }
    pending = Pending()
  }

  private mutating func add(_ word: ArraySlice<UInt8>, _ start: Int, _ end: Int) {
    var hash = WordHash()
    let first = ids.count
    for byte in word {
      hash.add(byte)
      if let id = vocabulary.stems[hash] { ids.append(id) }
    }
    add(hash, start, end, idsFrom: first)
  }

  private mutating func add(_ hash: WordHash, _ start: Int, _ end: Int, idsFrom first: Int? = nil) {
    let first = first ?? ids.count
    if vocabulary.fillers.contains(hash) {
      ids.removeLast(ids.count - first)
      return
    }
    if let id = vocabulary.words[hash] { ids.append(id) }
    words.append(Word(hash: hash, ids: first..<ids.count, start: start, end: end))
  }

  private mutating func endSentence(isQuestion: Bool, isClosed: Bool) {
    if sentenceStart < words.count {
      sentences.append(
        Sentence(
          words: sentenceStart..<words.count, isItem: isItem, isQuestion: isQuestion, isClosed: isClosed))
    }
    sentenceStart = words.count
    isItem = false
  }

  // MARK: Bytes

  /// A stop, or a line's end, ends a sentence unless the text goes on in lower case or without a space.
  private static func endsSentence(_ bytes: [UInt8], _ position: Int) -> Bool {
    var next = position + 1
    while next < bytes.count, [0x22, 0x27, 0x29, 0x2A, 0x5F].contains(bytes[next]) { next += 1 }
    guard next < bytes.count else { return true }
    guard bytes[position] == 0x0A || bytes[next] <= 0x20 || bytes[next] >= 0x80 else { return false }
    while next < bytes.count, bytes[next] <= 0x20 { next += 1 }
    return next == bytes.count || !(0x61...0x7A).contains(bytes[next])
  }

  /// The end of a list's bullet or number that begins at `position`, with the space behind it.
  private static func itemMarker(_ bytes: [UInt8], _ position: Int) -> Int? {
    var end = position
    if [0x2A, 0x2B, 0x2D].contains(bytes[position]) {
      end += 1
    } else if bytes[position...].starts(with: "•".utf8) || bytes[position...].starts(with: "–".utf8) {
      end += 3
    } else {
      while end < bytes.count, (0x30...0x39).contains(bytes[end]) { end += 1 }
      guard end > position, end - position < 4, end < bytes.count, bytes[end] == 0x2E || bytes[end] == 0x29
      else { return nil }
      end += 1
    }
    return end < bytes.count && bytes[end] == 0x20 ? end + 1 : nil
  }

  private static func scalar(_ bytes: [UInt8], _ position: Int) -> (Unicode.Scalar, Int) {
    let lead = bytes[position]
    let length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2
    var value = UInt32(lead) & (length == 4 ? 0x07 : length == 3 ? 0x0F : 0x1F)
    for offset in 1..<length where position + offset < bytes.count {
      value = value << 6 | UInt32(bytes[position + offset] & 0x3F)
    }
    return (Unicode.Scalar(value) ?? "\u{FFFD}", length)
  }
}
