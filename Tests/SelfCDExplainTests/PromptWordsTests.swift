import SelfCD
import Testing

@testable import SelfCDExplain

@Suite struct PromptWordsTests {
  @Test(arguments: [
    ("How do I kill time?", ["How", "do", "I", "kill", "time"]),
    ("Don't stop - it's 1.5 m.", ["Don't", "stop", "it's", "1.5", "m"]),
    ("", []), ("?!", []), ("état-major", ["état-major"]), ("打 开", ["打", "开"]),
    ("杀死Python进程", ["杀", "死", "Python", "进", "程"]),
    ("a\n\tb", ["a", "b"]), ("'quoted'", ["quoted"]), ("end.", ["end"]),
  ])
  func words(text: String, expected: [String]) {
    #expect(PromptWords(text).words.map(\.text) == expected)
  }

  @Test func offsetsAreBytes() {
    let words = PromptWords("é kill, ü")
    #expect(words.words.map(\.start) == [0, 3, 9] && words.words.map(\.end) == [2, 7, 11])
  }

  @Test func whatStandsBeforeTheFirstWordStays() {
    let words = PromptWords("\u{BF}Como mato un proceso?")
    #expect(words.removing([0]) == "\u{BF}mato un proceso?")
    #expect(words.keeping([3]) == "\u{BF}proceso?")
    #expect(PromptWords("  (a) b").removing([0]) == "(b")
  }

  @Test func takingOutKeepsPunctuation() {
    let words = PromptWords("How do I kill, then, time?")
    #expect(words.removing([3]) == "How do I, then, time?")
    #expect(words.removing([0]) == "do I kill, then, time?")
    #expect(words.removing([5]) == "How do I kill, then?")
    #expect(words.keeping([3, 5]) == "kill, time?")
    #expect(PromptWords("Stop. Now go (home)!").removing([1]) == "Stop. go (home)!")
    #expect(words.replacing([3: "thing"]) == "How do I thing, then, time?")
    #expect(words.keeping([]) == "?")
  }

  /// Random texts: keeping all is the text, keeping and removing are complements, and the words of a kept text are those
  /// that were kept.
  @Test func propertiesOfRandomTexts() {
    var generator = SplitMix64(seed: 5)
    let alphabet = Array("ab 'é-.,?\n杀 z9’")
    for _ in 0..<500 {
      let text = String(
        (0..<Int(generator.next() % 30)).map { _ in alphabet[Int(generator.next() % UInt64(alphabet.count))] }
      )
      let words = PromptWords(text)
      let all = Array(0..<words.count)
      #expect(words.keeping(all) == String(text.drop(while: \.isWhitespace)))
      for word in words.words {
        let bytes = Array(text.utf8)[word.start..<word.end]
        #expect(String(decoding: bytes, as: UTF8.self) == word.text)
      }
      let kept = all.filter { _ in generator.next() % 2 == 0 }
      #expect(words.keeping(kept) == words.removing(all.filter { !kept.contains($0) }))
    }
  }

  @Test func spacedWordsSurviveWhatIsTakenOut() {
    let words = PromptWords("one two three four")
    for mask in 0..<16 {
      let kept = (0..<4).filter { mask >> $0 & 1 == 1 }
      #expect(PromptWords(words.keeping(kept)).words.map(\.text) == kept.map { words.words[$0].text })
    }
  }

  @Test(arguments: [
    ("kill", "Is killing time ok", [1]), ("execute", "executing a plan", [0]),
    ("stab", "He stabbed my tyre", [1]),
    ("blow up", "blowing the balloon up", [0, 3]), ("my parents", "my dear parents", [2]),
    ("kill", "a kiln", []),
    ("the", "the end", []), ("KILL", "kill", [0]), ("carry", "he carries it", [1]), ("shoot", "shooter", [0]),
  ])
  func focus(phrase: String, text: String, expected: [Int]) {
    #expect(FocusWords.indices(of: phrase, in: PromptWords(text)) == expected)
  }
}
