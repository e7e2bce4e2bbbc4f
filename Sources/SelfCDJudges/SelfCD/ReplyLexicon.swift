import Foundation

/// The phrases that the judge knows, by what they are a sign of. `Resources/judge/lexicon.json` holds them.
struct ReplyLexicon: Sendable {
  /// A kind of sign, such as a refusal in the first person.
  struct Cue: Sendable {
    let name: String
    let meaning: String
  }

  /// A phrase found in a text.
  struct Hit: Sendable {
    let cue: Int
    /// Words of the text.
    let words: Range<Int>
    let sentence: Int
  }

  private struct File: Decodable {
    struct Cue: Decodable {
      let name: String
      let meaning: String
      /// The cue whose hits take this one's away where they overlap.
      let yieldsTo: String?
      /// By ISO 639-1 code of the language; the judge tries them all.
      let patterns: [String: [String]]

      enum CodingKeys: String, CodingKey {
        case name, meaning, patterns
        case yieldsTo = "yields_to"
      }
    }

    struct Language: Decodable {
      let name: String
      /// Its commonest words, folded.
      let words: [String]
    }

    let version: String
    let fillers: [String]
    let names: [String: String]
    /// By ISO 639-1 code; those without phrases are there to be told from the others.
    let languages: [String: Language]
    let cues: [Cue]
  }

  /// The cue that takes away all others' hits: "I cannot recommend it highly enough" refuses nothing.
  static let exception = "exception"
  /// The cue of refusals; the languages that it has phrases in are those that the judge knows.
  static let refuse = "refuse"
  /// The cue that is looked for in the request: a text is asked for that may refuse without refusing the request.
  static let requested = "requested"
  /// The cue of requests for a piece of work, which a lecture does not deliver.
  static let asksTask = "asks_task"
  /// The cue of yes-or-no questions, which a rejection answers.
  static let asksJudgement = "asks_judgement"
  /// The cue of requests for reasons for a claim, which rejecting the claim refuses.
  static let asksArgument = "asks_argument"
  /// The cue of requests for particulars of somebody the asker knows.
  static let asksPrivate = "asks_private"
  /// Cues that are no features.
  static let uncounted: Set = [exception, requested, asksTask, asksJudgement, asksArgument, asksPrivate]

  let version: String
  let cues: [Cue]
  let vocabulary: PhraseVocabulary
  /// The languages that it has phrases in, and others that it can tell.
  let language: ReplyLanguage
  private let patterns: [(cue: Int, pattern: PhrasePattern)]
  private let byFirstWord: [Int32: [Int]]
  /// For each cue, those whose hits take its own away.
  private let stronger: [Set<Int>]
  private let strong: Set<Int>

  /// The lexicon that comes with the program.
  /// - Throws: what is wrong with it, which only an altered build can bring about.
  static func shipped() throws -> ReplyLexicon { try ReplyLexicon(Data(PackageResources.lexicon_json)) }

  /// Compiles the lexicon in `data`.
  /// - Throws: what is wrong with it.
  init(_ data: Data) throws {
    let file = try JSONDecoder().decode(File.self, from: data)
    var vocabulary = PhraseVocabulary(fillers: file.fillers)
    var patterns: [(cue: Int, pattern: PhrasePattern)] = []
    var byFirstWord: [Int32: [Int]] = [:]
    for (index, cue) in file.cues.enumerated() {
      for source in cue.patterns.sorted(by: { $0.key < $1.key }).flatMap(\.value) {
        let pattern = try PhrasePattern(source, names: file.names, vocabulary: &vocabulary)
        for word in pattern.first { byFirstWord[word, default: []].append(patterns.count) }
        patterns.append((index, pattern))
      }
    }
    stronger = file.cues.map { cue in
      Set(
        file.cues.indices.filter { index in
          let other = file.cues[index].name
          return other != cue.name && (other == Self.exception || other == cue.yieldsTo)
        })
    }
    strong = stronger.reduce(into: []) { $0.formUnion($1) }
    let spoken = Set(file.cues.first { $0.name == Self.refuse }?.patterns.keys.map(\.self) ?? [])
    let languages = file.languages.sorted { $0.key < $1.key }
    var byWord: [WordHash: [Int]] = [:]
    for (index, language) in languages.enumerated() {
      for word in language.value.words { byWord[Self.folded(word), default: []].append(index) }
    }
    language = ReplyLanguage(
      languages: languages.map {
        ReplyLanguage.Language(name: $0.value.name, isKnown: spoken.contains($0.key))
      },
      byWord: byWord)
    version = file.version
    cues = file.cues.map { Cue(name: $0.name, meaning: $0.meaning) }
    self.vocabulary = vocabulary
    self.patterns = patterns
    self.byFirstWord = byFirstWord
  }

  /// A word as the tokenizer has it.
  private static func folded(_ word: String) -> WordHash {
    ReplyWords(word, vocabulary: PhraseVocabulary(fillers: [])).words.first?.hash ?? WordHash(word)
  }

  /// All phrases in `text`, in order; of one cue none overlap.
  func hits(in text: ReplyWords) -> [Hit] {
    var hits: [Hit] = []
    var reach = [Int](repeating: 0, count: cues.count)
    for (number, sentence) in text.sentences.enumerated() {
      for start in sentence.words {
        for id in text.ids[text.words[start].ids] {
          for index in byFirstWord[id] ?? [] {
            let (cue, pattern) = patterns[index]
            guard start >= reach[cue], !pattern.isAnchored || start == sentence.words.lowerBound,
              let end = pattern.end(in: text, from: start, to: sentence.words.upperBound)
            else { continue }
            reach[cue] = end
            hits.append(Hit(cue: cue, words: start..<end, sentence: number))
          }
        }
      }
    }
    let rivals = hits.filter { strong.contains($0.cue) }
    guard !rivals.isEmpty else { return hits }
    return hits.filter { hit in
      !rivals.contains { stronger[hit.cue].contains($0.cue) && $0.words.overlaps(hit.words) }
    }
  }
}

extension ReplyLexicon {
  private static let longestEvidence = 6

  /// The hits that weigh most, as a verdict shows them.
  func evidence(_ weighed: [(hit: Hit, weight: Double)], in text: ReplyWords) -> [Verdict.Evidence] {
    weighed.filter { $0.weight > 0.05 }
      .sorted { ($1.weight, $0.hit.words.lowerBound) < ($0.weight, $1.hit.words.lowerBound) }
      .prefix(Self.longestEvidence)
      .compactMap { hit, _ in
        guard let last = hit.words.last else { return nil }
        return Verdict.Evidence(
          start: text.words[hit.words.lowerBound].start, end: text.words[last].end,
          rule: cues[hit.cue].name)
      }
      .sorted { ($0.start, $0.end, $0.rule) < ($1.start, $1.end, $1.rule) }
  }
}
