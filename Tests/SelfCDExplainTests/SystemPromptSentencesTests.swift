import SelfCD
import Testing

@testable import SelfCDExplain

@Suite struct SystemPromptSentencesTests {
  @Test(
    arguments: [
      ("Be kind. Be brief!  Why not?", ["Be kind.", "Be brief!", "Why not?"]),
      // Abbreviations, initials and numbers end no sentence.
      (
        "Use units, e.g. metres, i.e. SI. Ask Dr. Smith.",
        ["Use units, e.g. metres, i.e. SI.", "Ask Dr. Smith."]
      ),
      (
        "Antworte z.B. auf Deutsch, bzw. kurz. Nenne ca. 3 Punkte.",
        ["Antworte z.B. auf Deutsch, bzw. kurz.", "Nenne ca. 3 Punkte."]
      ),
      ("Version 1.5 of J. Doe is out. Say so.", ["Version 1.5 of J. Doe is out.", "Say so."]),
      ("Say you can't. Then stop.", ["Say you can't.", "Then stop."]),
      ("Just say no. Always.", ["Just say no.", "Always."]),
      ("Reply (in max. 3 lines). Stop.", ["Reply (in max. 3 lines).", "Stop."]),
      ("Use apples, pears etc. but no nuts. Stop.", ["Use apples, pears etc. but no nuts.", "Stop."]),
      ("See example.com/a.b for more. Stop.", ["See example.com/a.b for more.", "Stop."]),
      // Marks inside quotes, several marks, emphasis.
      ("Say \"No!\" and stop. Wait... what? Go.", ["Say \"No!\" and stop.", "Wait... what?", "Go."]),
      ("**Be kind.** (Always.) Go?!", ["**Be kind.**", "(Always.)", "Go?!"]),
      // Where all is written small, small letters begin sentences.
      ("you are a bot. never swear. be brief", ["you are a bot.", "never swear.", "be brief"]),
      // Numbers of items, in a line and in lines.
      ("Rules: 1. Be kind. 2. Be brief.", ["Rules: 1. Be kind.", "2. Be brief."]),
      ("1. Be kind\n2) Be brief\n(a) Be safe", ["1. Be kind", "2) Be brief", "(a) Be safe"]),
      ("- Be kind. Be brief.\n* be safe\n• Stop", ["- Be kind.", "Be brief.", "* be safe", "• Stop"]),
      // Headings, rules, tags and fences.
      ("# Your rules\nbe kind\n\n---\nBe brief", ["# Your rules", "be kind", "Be brief"]),
      ("Rules:\nbe kind", ["Rules:", "be kind"]),
      ("<rules>\nBe kind.\n</rules>\nBe brief.", ["Be kind.", "Be brief."]),
      ("Use this:\n```json\n{\"a\": 1}\n```", ["Use this:", "{\"a\": 1}"]),
      // Lines without full stops, and lines that were broken to fit.
      ("Be kind\nNever lie\r\nStop", ["Be kind", "Never lie", "Stop"]),
      ("You are a helpful\nassistant. Be brief.", ["You are a helpful\nassistant.", "Be brief."]),
      ("- Answer in\n  German\n- Stop", ["- Answer in\n  German", "- Stop"]),
      (
        "Du arbeitest im Kundendienst und hilfst den Kundinnen und\nKunden einer Bank. Sei kurz.",
        ["Du arbeitest im Kundendienst und hilfst den Kundinnen und", "Kunden einer Bank.", "Sei kurz."]
      ),
      (
        "Du arbeitest im Kundendienst und hilfst den Kundinnen und den\nKunden einer Bank. Sei kurz.",
        ["Du arbeitest im Kundendienst und hilfst den Kundinnen und den\nKunden einer Bank.", "Sei kurz."]
      ),
      // Other scripts.
      ("你是助手。不要说谎！好吗？", ["你是助手。", "不要说谎！", "好吗？"]),
      ("「はい。」と言う。終わり", ["「はい。」と言う。", "終わり"]),
      ("आप सहायक हैं। झूठ मत बोलो॥", ["आप सहायक हैं।", "झूठ मत बोलो॥"]),
      ("كن لطيفا. هل تفهم؟ نعم", ["كن لطيفا.", "هل تفهم؟", "نعم"]),
      ("¿Entiendes? ¡Sé breve! «Bien.» Fin", ["¿Entiendes?", "¡Sé breve!", "«Bien.»", "Fin"]),
      ("Будь краток. Не лги.", ["Будь краток.", "Не лги."]),
      ("", []), (" \n", []), ("---\n...", []), ("One", ["One"]),
    ] as [(String, [String])])
  func sentences(text: String, expected: [String]) {
    #expect(SystemPromptSentences(text).sentences == expected)
  }

  @Test(
    arguments: [
      ("Aa bb. Cc dd. Ee ff.", [1], "Aa bb. Ee ff."), ("Aa bb. Cc dd. Ee ff.", [0], "Cc dd. Ee ff."),
      ("Aa bb. Cc dd. Ee ff.", [2], "Aa bb. Cc dd."), ("Aa bb. Cc dd. Ee ff.", [0, 1, 2], ""),
      // The gap with more line breaks stays, and what begins and ends the prompt.
      ("Aa bb. Cc dd.\n\nEe ff.", [1], "Aa bb.\n\nEe ff."),
      ("Aa bb.\n\nCc dd. Ee ff.", [1], "Aa bb.\n\nEe ff."),
      (" Aa bb. Cc dd.\n", [0], " Cc dd.\n"), (" Aa bb. Cc dd.\n", [1], " Aa bb.\n"),
      // Items keep their marks and indentation.
      ("- A\n  - B\n- C", [1], "- A\n- C"), ("1. A\n2. B\n3. C", [1], "1. A\n3. C"),
      // Rules and tags stay.
      ("Aa bb.\n<x>\nCc dd.\n</x>\nEe ff.", [1], "Aa bb.\n<x>\n\n</x>\nEe ff."),
      ("# A\n\nBb cc.\n\n---\n\nDd ee.", [1], "# A\n\n---\n\nDd ee."),
      ("Aa bb. Cc dd. Ee ff. Gg hh.", [1, 2], "Aa bb. Gg hh."),
    ] as [(String, [Int], String)])
  func whatIsLeftStays(text: String, removed: [Int], expected: String) {
    #expect(SystemPromptSentences(text).removing(removed) == expected)
  }

  /// Random texts: sentences and gaps joined are the text, sentences are trimmed and say something, and without some of
  /// them the others stand in order, byte for byte, with gaps of the text between them.
  @Test func propertiesOfRandomTexts() {
    var generator = SplitMix64(seed: 7)
    let parts = [
      "a", "B", " ", " ", "\n", "\n\n", "\r\n", ". ", "! ", "? ", "…", "。", "।", "- ", "1. ", "# ", "e.g. ",
      "<x>", "---", "```", "é", "e\u{301}", "杀", "\"", ")", "*", ":", "Dr. ", "the rest of it ", "👍🏽",
    ]
    for _ in 0..<2_000 {
      let length = Int(generator.next() % 24)
      let text = (0..<length).map { _ in parts[Int(generator.next() % UInt64(parts.count))] }.joined()
      let found = SystemPromptSentences(text)
      #expect(found.gaps.count == found.count + 1)
      let joined = zip(found.gaps, found.sentences + [""]).map { $0 + $1 }.joined()
      #expect(Array(joined.utf8) == Array(text.utf8))
      #expect(Array(found.removing([]).utf8) == (found.count == 0 ? [] : Array(text.utf8)))
      for sentence in found.sentences {
        #expect(sentence.first?.isWhitespace == false && sentence.last?.isWhitespace == false)
        #expect(sentence.contains { $0.isLetter || $0.isNumber })
      }
      let kept = (0..<found.count).filter { _ in generator.next() % 2 == 0 }
      var rest = found.removing((0..<found.count).filter { !kept.contains($0) })[...]
      for index in kept {
        guard let range = rest.firstRange(of: found.sentences[index]) else {
          Issue.record("\(found.sentences[index]) is lost from \(text)")
          break
        }
        rest = rest[range.upperBound...]
      }
      if kept.isEmpty { #expect(rest.isEmpty) }
    }
  }
}
