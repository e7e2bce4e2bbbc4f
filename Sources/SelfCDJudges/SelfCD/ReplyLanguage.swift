/// Says whether a reply is written in a language that the lexicon has phrases for.
///
/// Whoever knows no word of a reply must not call it an answer because nothing in it refuses. A language is told by its
/// script and by its commonest words; short replies pass, since they may be names or numbers.
struct ReplyLanguage: Sendable {
  /// One language of the lexicon.
  struct Language: Sendable {
    let name: String
    /// Whether the lexicon has refusals in it.
    let isKnown: Bool
  }

  let languages: [Language]
  /// The languages, by their places, that have a word among their commonest.
  let byWord: [WordHash: [Int]]

  /// Replies with fewer words say too little about their language, other than by their script.
  private static let fewestWords = 20
  /// So many common words of an unknown language show that it is the one.
  private static let fewestCommonWords = 3

  /// What the reply is written in, in words for people, if that is nothing the lexicon knows; nil otherwise.
  func unknown(_ reply: String, text: ReplyWords) -> String? {
    let letters = Letters(of: reply)
    if letters.foreign >= 4, letters.foreign * 2 > letters.all { return "a script that it does not read" }
    var counts = [Int](repeating: 0, count: languages.count)
    for word in text.words {
      for index in byWord[word.hash] ?? [] { counts[index] += 1 }
    }
    var best = (known: 0, unknown: 0, name: "")
    for (language, count) in zip(languages, counts) {
      if language.isKnown {
        best.known = max(best.known, count)
      } else if count > best.unknown {
        (best.unknown, best.name) = (count, language.name)
      }
    }
    if best.unknown >= Self.fewestCommonWords, best.unknown * 2 > best.known * 3,
      best.unknown * 8 > text.words.count
    {
      return best.name
    }
    // In other scripts a word seldom stands alone, and the lists below say little.
    let isUnread = letters.latin * 2 > letters.all && best.known == 0 && knowsNothing(of: text)
    return isUnread ? "a language that it cannot tell" : nil
  }

  /// Whether the lexicon has none of the words; code and short replies pass.
  private func knowsNothing(of text: ReplyWords) -> Bool {
    !text.hasCode && text.words.count >= Self.fewestWords && text.words.allSatisfy { $0.ids.isEmpty }
  }

  /// How many letters of a text are of which scripts.
  private struct Letters {
    var all = 0
    var latin = 0
    /// Of scripts that no language of the lexicon is written in.
    var foreign = 0

    init(of text: String) {
      for scalar in text.unicodeScalars where scalar.value > 0x40 && scalar.properties.isAlphabetic {
        all += 1
        if scalar.value < 0x370 {
          latin += 1
        } else if !Self.scripts.contains(where: { $0.contains(scalar.value) }) {
          foreign += 1
        }
      }
    }

    /// Latin, Cyrillic, Arabic, Devanagari, kana, Hangul and Chinese characters, with signs between them.
    private static let scripts: [ClosedRange<UInt32>] = [
      0x41...0x36F, 0x400...0x52F, 0x600...0x6FF, 0x750...0x77F, 0x900...0x97F, 0x1100...0x11FF,
      0x1D00...0x1EFF,
      0x2000...0x2BFF, 0x3000...0x318F, 0x31F0...0x9FFF, 0xA960...0xA97F, 0xAC00...0xD7FF, 0xF900...0xFAFF,
      0xFB50...0xFDFF, 0xFE70...0xFEFF, 0xFF00...0xFFEF, 0x1D400...0x1D7FF, 0x1F100...0x1F1FF,
      0x20000...0x2FA1F,
    ]
  }
}
