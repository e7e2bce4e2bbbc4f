/// Numbers for the words and word beginnings that a lexicon's phrases are made of.
struct PhraseVocabulary: Sendable {
  private(set) var words: [WordHash: Int32] = [:]
  private(set) var stems: [WordHash: Int32] = [:]
  /// Words that are read over wherever they stand: "I'm *really* sorry".
  private(set) var fillers: Set<WordHash> = []
  private var count: Int32 = 0

  init(fillers: [String]) {
    self.fillers = Set(fillers.map(WordHash.init))
  }

  /// The number of a word, or of a beginning if it ends in `*`.
  mutating func id(_ word: String) -> Int32 {
    let isStem = word.hasSuffix("*")
    let hash = WordHash(isStem ? String(word.dropLast()) : word)
    if let known = isStem ? stems[hash] : words[hash] { return known }
    count += 1
    if isStem { stems[hash] = count } else { words[hash] = count }
    return count
  }
}
