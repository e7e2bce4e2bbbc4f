import SelfCD

/// The words of a prompt and what stands between them, so that some of them can be taken out or replaced.
///
/// A word is a longest run of letters and digits, with apostrophes, hyphens and dots inside it ("don't", "1.5"); in
/// scripts written without spaces each character is one. Where words are taken out, one of the gaps around them stays, the
/// one with most punctuation, and so does what begins and what ends the prompt.
public struct PromptWords: Codable, Sendable, Hashable {
  /// One word.
  public struct Word: Codable, Sendable, Hashable {
    /// As it stands in the prompt.
    public let text: String
    /// Where it begins, in bytes of the prompt's UTF-8.
    public let start: Int
    /// Where it ends, in bytes of the prompt's UTF-8; exclusive.
    public let end: Int
  }

  /// The prompt.
  public let text: String
  /// Its words in order.
  public let words: [Word]
  /// What stands before each word, and last what stands behind all of them.
  private let gaps: [String]

  /// Finds the words of `text`.
  public init(_ text: String) {
    self.text = text
    var words: [Word] = []
    var gaps: [String] = []
    var gap = ""
    var current = ""
    var start = 0
    var position = 0
    func isJoiner(_ character: Character) -> Bool { "'’-.".contains(character) }
    let characters = Array(text)
    func close() {
      guard !current.isEmpty else { return }
      words.append(Word(text: current, start: start, end: start + current.utf8.count))
      gaps.append(gap)
      gap = ""
      current = ""
    }
    for (index, character) in characters.enumerated() {
      let isInside =
        isJoiner(character) && !current.isEmpty && index + 1 < characters.count
        && Self.isWordCharacter(characters[index + 1])
      if Self.isWordCharacter(character) || isInside {
        if Self.standsAlone(character) || current.last.map(Self.standsAlone) == true { close() }
        if current.isEmpty { start = position }
        current.append(character)
      } else {
        close()
        gap.append(character)
      }
      position += character.utf8.count
    }
    close()
    self.words = words
    self.gaps = gaps + [gap]
  }

  /// How many words there are.
  public var count: Int { words.count }

  /// The prompt with only the words at `kept`, in their order.
  public func keeping(_ kept: some Collection<Int>) -> String {
    let kept = Set(kept)
    return rebuilt { kept.contains($0) ? words[$0].text : nil }
  }

  /// The prompt without the words at `removed`.
  public func removing(_ removed: some Collection<Int>) -> String {
    let removed = Set(removed)
    return rebuilt { removed.contains($0) ? nil : words[$0].text }
  }

  /// The prompt with other words at the places of some.
  public func replacing(_ replacements: [Int: String]) -> String {
    rebuilt { replacements[$0] ?? words[$0].text }
  }

  private func rebuilt(_ word: (Int) -> String?) -> String {
    var result = ""
    var last: Int?
    for index in words.indices {
      guard let text = word(index) else { continue }
      if let last {
        result += gap(between: last, and: index) + text
      } else {
        result += gaps[0] + text
      }
      last = index
    }
    return String((result + gaps[words.count]).drop(while: \.isWhitespace))
  }

  /// What stands between two words that have become neighbours: of all that stood there, the part with most punctuation.
  private func gap(between first: Int, and second: Int) -> String {
    func punctuation(_ gap: String) -> Int { gap.count { !$0.isWhitespace } }
    return gaps[(first + 1)...second].reduce(gaps[first + 1]) {
      punctuation($1) > punctuation($0) ? $1 : $0
    }
  }

  private static func isWordCharacter(_ character: Character) -> Bool {
    character.isLetter || character.isNumber
  }

  /// Scripts that put no spaces between words: kana, Han, Thai, Lao, Khmer, Myanmar.
  private static func standsAlone(_ character: Character) -> Bool {
    guard let value = character.unicodeScalars.first?.value else { return false }
    return switch value {
    case 0x0E00...0x0EFF, 0x1000...0x109F, 0x1780...0x17FF, 0x3040...0x30FF, 0x3400...0x4DBF, 0x4E00...0x9FFF,
      0x20000...0x3FFFD:
      true
    default: false
    }
  }
}

extension Chat {
  /// What the user said last: the words that an explanation is about.
  public var lastQuestion: String { messages.last { $0.role == .user }?.content ?? "" }

  /// The same chat with another last question.
  public func asking(_ question: String) -> Chat {
    var chat = self
    guard let index = chat.messages.lastIndex(where: { $0.role == .user }) else { return chat }
    chat.messages[index].content = question
    return chat
  }
}
