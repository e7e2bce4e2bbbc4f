import SelfCD

/// Which tokens of a rendered prompt write which words of a question.
///
/// The bytes of all tokens, one after the other, hold the question as the template put it there; a token belongs to
/// the word it shares most bytes with. White space before a word and punctuation belong to none.
public struct PromptAlignment: Sendable, Hashable {
  /// A word's index for each token; `nil` for the template, the system prompt and what stands between words.
  public let words: [Int?]
  /// What each token writes, for people: control tokens are empty.
  public let texts: [String]

  /// - Parameters:
  ///   - tokens: the bytes each token of the prompt stands for; control tokens stand for none.
  ///   - question: the question that is somewhere in the prompt; its last occurrence counts.
  ///   - ranges: the words, in bytes of the question's UTF-8, ascending and apart from each other.
  /// - Returns: `nil` where the prompt does not hold the question word for word, as templates that rewrite their
  ///   messages make it.
  public init?(tokens: [[UInt8]], question: String, words ranges: [Range<Int>]) {
    let prompt = tokens.flatMap { $0 }
    let bytes = Array(question.utf8)
    // Templates trim messages.
    let lead = bytes.prefix { Self.isSpace($0) }.count
    let trail = bytes.reversed().prefix { Self.isSpace($0) }.count
    guard lead < bytes.count else { return nil }
    let core = bytes[lead..<(bytes.count - trail)]
    guard let start = Self.lastOccurrence(of: core, in: prompt) else { return nil }
    let shift = start - lead
    var words: [Int?] = []
    var position = 0
    for token in tokens {
      let span = (position - shift)..<(position - shift + token.count)
      position += token.count
      var best: (word: Int, shared: Int)?
      for (index, range) in ranges.enumerated() {
        let shared = span.clamped(to: range).count
        if shared > (best?.shared ?? 0) { best = (index, shared) }
      }
      words.append(best?.word)
    }
    self.words = words
    texts = tokens.map { String(decoding: $0, as: UTF8.self) }
  }

  private static func isSpace(_ byte: UInt8) -> Bool { byte == 32 || (9...13).contains(byte) }

  private static func lastOccurrence(of pattern: ArraySlice<UInt8>, in bytes: [UInt8]) -> Int? {
    guard pattern.count <= bytes.count else { return nil }
    return (0...(bytes.count - pattern.count)).last {
      bytes[$0] == pattern.first && bytes[$0..<($0 + pattern.count)].elementsEqual(pattern)
    }
  }
}
