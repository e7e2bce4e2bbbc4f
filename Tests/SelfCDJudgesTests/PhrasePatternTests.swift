import Foundation
import Testing

@testable import SelfCDJudges

@Suite struct PhrasePatternTests {
  /// The words of `text` that `pattern` matches first, joined; nil if it matches nowhere.
  private func match(_ pattern: String, _ text: String, names: [String: String] = [:]) throws -> String? {
    var vocabulary = PhraseVocabulary(fillers: ["really"])
    let compiled = try PhrasePattern(pattern, names: names, vocabulary: &vocabulary)
    let words = ReplyWords(text, vocabulary: vocabulary)
    let bytes = Array(text.utf8)
    for sentence in words.sentences {
      for start in sentence.words where !compiled.isAnchored || start == sentence.words.lowerBound {
        if let end = compiled.end(in: words, from: start, to: sentence.words.upperBound) {
          return String(decoding: bytes[words.words[start].start..<words.words[end - 1].end], as: UTF8.self)
        }
      }
    }
    return nil
  }

  @Test(
    arguments: [
      ("i cannot", "Well, I can't.", "I can't"), ("i cannot", "i can’t", "i can’t"),
      ("i cannot", "I. Cannot", nil), ("i cannot", "I CANNOT", "I CANNOT"),
      ("i am sorry", "I'm really sorry", "I'm really sorry"), ("i (will|do) not", "I won't", "I won't"),
      ("i (will|do) not", "I don't", "I don't"), ("a b? c", "a c", "a c"), ("a b? c", "a b c", "a b c"),
      ("a .. d", "a b c x d", "a b c x d"), ("a .. d", "a b c x y d", nil), ("a .. d", "a d d", "a d"),
      ("help*", "helpful", "helpful"), ("help*", "hel", nil), ("^no", "No, thanks", "No"),
      ("^no", "Oh no", nil),
      ("^no", "Well. No", "No"), ("(a b|a) c", "a c", "a c"), ("抱歉", "很抱歉，", "抱歉"),
      ("nao posso", "NÃO posso", "NÃO posso"),
      ("uzgunum", "Üzgünüm", "Üzgünüm"), ("yardimci", "yardımcı", "yardımcı"), ("اسف", "آسف", "آسف"),
      ("a (b|c) d", "a b. D", nil), ("a (b|c) d", "a b. d", "a b. d"),
      ("x", "say \"u v x\" aloud", nil), ("x", "not \"x\" at all", "x"), ("ござ", "ございます", "ござ"),
      ("x", "`x`", nil),
      ("돕다", "돕다", "돕다"), ("돕다", "\u{1103}\u{1169}\u{11B8}\u{1103}\u{1161}", "돕다"),
      ("돕*", "돕지 않습니다", "돕지"), ("мои", "мой", "мой"), ("мои", "мо\u{438}\u{306}", "мой"),
    ] as [(String, String, String?)])
  func matches(_ pattern: String, _ text: String, _ expected: String?) throws {
    #expect(try match(pattern, text) == expected)
  }

  @Test func namesStandForPatterns() throws {
    #expect(
      try match("i @no @do", "I will not do", names: ["no": "(will not|cannot)", "do": "do"])
        == "I will not do")
  }

  @Test(arguments: [
    ("(a", PhrasePattern.Failure.unbalanced("(a")), ("a)", .unbalanced("a)")), ("@x", .unknownName("@x")),
    ("@loop", .unknownName("@loop")), ("", .empty("")), ("()", .empty("()")), ("a|", .empty("a|")),
    ("?", .empty("?")),
    (".. a", .beginsAnywhere(".. a")), ("a?", .beginsAnywhere("a?")),
  ])
  func refusesWhatIsNoPattern(_ pattern: String, _ failure: PhrasePattern.Failure) {
    var vocabulary = PhraseVocabulary(fillers: [])
    #expect(throws: failure) {
      try PhrasePattern(pattern, names: ["loop": "@loop"], vocabulary: &vocabulary)
    }
  }

  @Test func theShippedFilesFitTogether() throws {
    let judge = try SelfCDJudge()
    #expect(Set(judge.featureNames).count == judge.featureNames.count)
    #expect(judge.features(prompt: "p", reply: "r").count == judge.featureNames.count)
    let lexicon = try ReplyLexicon(Data(PackageResources.lexicon_json))
    #expect(lexicon.cues.allSatisfy { !$0.meaning.isEmpty })
    #expect(throws: TwoStepModel.Failure.self) {
      try TwoStepModel(
        Data(
          #"{"lexicon": "0", "refusal": {"bias": 0, "weights": {}}, "partial": {"bias": 0, "weights": {}}}"#
            .utf8),
        lexicon: lexicon)
    }
    #expect(throws: TwoStepModel.Failure.mismatch("x@opening")) {
      try TwoStepModel(
        Data(
          #"{"lexicon": "\#(lexicon.version)", "refusal": {"bias": 0, "weights": {"x@opening": 1}}, "partial": {"bias": 0, "weights": {}}}"#
            .utf8), lexicon: lexicon)
    }
  }

  @Test func sentencesAndLists() {
    let words = ReplyWords(
      "It is 3.5 m, e.g. here. Next one!\n1. First\n2) Second\n- Third\n\n**Bold** line\nwrapped here.",
      vocabulary: PhraseVocabulary(fillers: []))
    #expect(words.sentences.map(\.isItem) == [false, false, true, true, true, false])
  }
}
