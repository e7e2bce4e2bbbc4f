/// Finds where the sentences of a system prompt begin and end.
///
/// A sentence ends at a full stop, question or exclamation mark with blank space behind it, and at the full stops of
/// scripts that need no space there (Chinese, Japanese, Devanagari, Burmese, Khmer). Abbreviations, initials and numbers of
/// lists do not end one, and neither does a mark before a small letter, unless the text begins with a small letter too.
///
/// A line break ends one as well, unless the line was broken to fit: the next line begins with a small letter, is indented
/// below an item of a list, or stands behind a line of ``wrappedLine`` characters or more. Headings and items are always
/// sentences of their own.
struct SentenceSplitter {
  /// A line at least as long that ends no sentence is taken to go on in the next one.
  static let wrappedLine = 60

  private let characters: [Character]
  /// Whether small letters begin sentences.
  private let isWrittenSmall: Bool

  init(_ characters: [Character]) {
    self.characters = characters
    isWrittenSmall = characters.first(where: \.isLetter)?.isLowercase ?? false
  }

  /// The places of the sentences in order, without blank space around them. Each has a letter or a number.
  var sentences: [Range<Int>] { blocks.flatMap(split) }

  // MARK: Lines

  private enum Kind {
    /// Blank, a rule, a tag or the fence of a block of code: stands between sentences.
    case structure
    case heading
    /// An item of a list.
    case item
    case prose
  }

  /// The lines without their breaks.
  private var lines: [Range<Int>] {
    var lines: [Range<Int>] = []
    var start = 0
    for place in characters.indices where characters[place].isNewline {
      lines.append(start..<place)
      start = place + 1
    }
    return lines + [start..<characters.count]
  }

  /// Lines that belong together: a paragraph, an item, a heading.
  private var blocks: [Range<Int>] {
    var blocks: [Range<Int>] = []
    var last: (line: Range<Int>, kind: Kind, first: Kind)?
    for line in lines {
      let kind = kind(of: line)
      if kind == .structure {
        last = nil
      } else if let before = last, kind == .prose, before.kind != .heading,
        goesOn(before.line, isItem: before.first == .item, to: line), let block = blocks.popLast()
      {
        blocks.append(block.lowerBound..<line.upperBound)
        last = (line, kind, before.first)
      } else {
        blocks.append(line)
        last = (line, kind, kind)
      }
    }
    return blocks
  }

  /// Whether a line was broken to fit.
  private func goesOn(_ line: Range<Int>, isItem: Bool, to next: Range<Int>) -> Bool {
    guard characters[trimmed(line)].last != ":" else { return false }
    let text = characters[trimmed(next)]
    if text.first(where: \.isLetter)?.isLowercase == true, !isWrittenSmall { return true }
    return (isItem && characters[next].first?.isWhitespace == true) || line.count >= Self.wrappedLine
  }

  private func kind(of line: Range<Int>) -> Kind {
    let text = characters[trimmed(line)]
    guard text.contains(where: Self.isWordCharacter), !text.starts(with: "```"), !Self.isTag(text) else {
      return .structure
    }
    let hashes = text.prefix { $0 == "#" }.count
    if (1...6).contains(hashes), text.dropFirst(hashes).first?.isWhitespace == true { return .heading }
    return Self.isItem(text) ? .item : .prose
  }

  /// `<rules>`, `</rules>`.
  private static func isTag(_ text: ArraySlice<Character>) -> Bool {
    guard text.count > 2, text.first == "<", text.last == ">" else { return false }
    let name = text.dropFirst().dropLast()
    return !name.contains("<") && !name.contains(">")
      && name.first.map { $0.isLetter || $0 == "/" } == true
  }

  /// `- one`, `1. one`, `2) one`, `(a) one`.
  private static func isItem(_ text: ArraySlice<Character>) -> Bool {
    guard let first = text.first else { return false }
    if bullets.contains(first) { return text.dropFirst().first?.isWhitespace == true }
    let name = first == "(" ? text.dropFirst() : text
    let digits = name.prefix(while: \.isNumber).count
    let length = digits > 0 ? digits : name.first?.isLetter == true ? 1 : 0
    guard (1...3).contains(length), let end = name.dropFirst(length).first else { return false }
    return (end == ")" || (end == "." && digits > 0 && first != "("))
      && name.dropFirst(length + 1).first?.isWhitespace == true
  }

  private static let bullets: Set<Character> = [
    "-", "*", "+", "•", "‣", "◦", "▪", "●", "○", "·", "–", "—",
  ]

  // MARK: Sentences of a block

  private func split(_ block: Range<Int>) -> [Range<Int>] {
    let block = trimmed(block)
    var found: [Range<Int>] = []
    var start = block.lowerBound
    var place = start
    while place < block.upperBound {
      guard Self.isMark(characters[place]) else {
        place += 1
        continue
      }
      // Several marks are one, and quotes and brackets that close belong to the sentence.
      let after =
        characters[place..<block.upperBound].firstIndex { !Self.isMark($0) && !Self.closers.contains($0) }
        ?? block.upperBound
      if ends(place..<after, of: start..<block.upperBound) {
        found.append(start..<after)
        start = characters[after..<block.upperBound].firstIndex { !$0.isWhitespace } ?? block.upperBound
        place = start
      } else {
        place = after
      }
    }
    if start < block.upperBound { found.append(start..<block.upperBound) }
    return found.filter { characters[$0].contains(where: Self.isWordCharacter) }
  }

  /// Whether marks end the sentence that begins `text`.
  private func ends(_ marks: Range<Int>, of text: Range<Int>) -> Bool {
    let behind = marks.upperBound..<text.upperBound
    // Behind a quote that closes, a sentence in such a script may go on.
    if behind.isEmpty || Self.wideMarks.contains(characters[marks.upperBound - 1]) { return true }
    guard characters[behind.lowerBound].isWhitespace else { return false }
    let mark = marks.lowerBound
    if characters[mark] == ".", isPartOfWord(mark, from: text.lowerBound) { return false }
    let blank = characters[behind].prefix(while: \.isWhitespace)
    // A line that breaks behind a mark breaks between sentences.
    if isWrittenSmall || blank.contains(where: \.isNewline) { return true }
    let next = characters[behind].first { Self.isWordCharacter($0) || Self.isMark($0) }
    return next?.isLowercase != true
  }

  /// Whether a full stop belongs to an abbreviation, an initial or the number of an item.
  private func isPartOfWord(_ stop: Int, from start: Int) -> Bool {
    let before = characters[start..<stop]
    // "can't" is no initial.
    let first =
      before.lastIndex { !Self.isWordCharacter($0) && !".-'’".contains($0) }.map { $0 + 1 } ?? start
    let word = characters[first..<stop]
    if word.isEmpty { return false }
    if word.allSatisfy(\.isNumber) {
      let earlier = characters[start..<first].last { !$0.isWhitespace }
      return word.count <= 3 && (earlier == nil || earlier == ":")
    }
    // An initial, "e.g", "z.B".
    let parts = word.split { $0 == "." }
    if parts.allSatisfy({ $0.count == 1 && $0.first?.isLetter == true }) { return true }
    return Self.abbreviations.contains(String(word).lowercased())
  }

  // MARK: Characters

  private func trimmed(_ range: Range<Int>) -> Range<Int> {
    guard let first = characters[range].firstIndex(where: { !$0.isWhitespace }),
      let last = characters[range].lastIndex(where: { !$0.isWhitespace })
    else { return range.lowerBound..<range.lowerBound }
    return first..<(last + 1)
  }

  private static func isWordCharacter(_ character: Character) -> Bool {
    character.isLetter || character.isNumber
  }

  private static func isMark(_ character: Character) -> Bool {
    narrowMarks.contains(character) || wideMarks.contains(character)
  }

  /// Full stops that need a space behind them: of Latin, Greek and Cyrillic scripts, Arabic, Urdu, Armenian, Ethiopic.
  private static let narrowMarks: Set<Character> = [
    ".", "!", "?", "…", "‼", "⁇", "⁈", "⁉", "؟", "۔", "։", "።",
  ]
  /// Full stops that need none: Chinese and Japanese, Devanagari, Burmese, Khmer.
  private static let wideMarks: Set<Character> = ["。", "！", "？", "｡", "।", "॥", "။", "។"]

  private static let closers: Set<Character> = [
    "\"", "'", "”", "’", "»", "›", ")", "]", "}", "*", "_", "`", "」", "』", "）", "】", "》", "〉",
  ]

  /// Abbreviations that hardly ever end a sentence, in small letters. Of several words, each is one.
  private static let abbreviations: Set<String> = [
    // English
    "mr", "mrs", "ms", "dr", "prof", "st", "rev", "jr", "vs", "cf", "approx", "incl", "excl", "esp", "resp",
    "fig", "vol", "min", "max",
    // German
    "bzw", "ca", "evtl", "ggf", "inkl", "vgl", "zzgl", "nr", "str", "sog", "usf",
    // French, Spanish, Portuguese, Italian
    "env", "sra", "srta", "ud", "uds", "núm", "pág", "aprox", "exma", "sig", "dott",
  ]
}
