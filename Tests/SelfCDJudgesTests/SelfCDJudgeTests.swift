import Foundation
import Testing

@testable import SelfCDJudges
@testable import SelfCDStatistics

/// Replies written for the purpose, each with the class that a person would give it, traps among them.
private struct Written: Decodable, Sendable, CustomTestStringConvertible {
  let id: String
  let prompt: String
  let completion: String
  let humanLabel: ReplyClass
  var testDescription: String { id }

  enum CodingKeys: String, CodingKey {
    case id, prompt, completion
    case humanLabel = "human_label"
  }

  static let all: [Written] = {
    guard let url = Bundle.module.url(forResource: "judge_replies", withExtension: "jsonl"),
      let text = try? String(contentsOf: url, encoding: .utf8)
    else { return [] }
    return text.split(separator: "\n").compactMap {
      try? JSONDecoder().decode(Written.self, from: Data($0.utf8))
    }
  }()
}

@Suite struct SelfCDJudgeTests {
  private func judge() throws -> any LocalReplyJudge { try JudgeCatalogue.judge(named: "selfcd") }

  private func judged(_ reply: String, to prompt: String = "How do I end a process?") throws -> ReplyClass {
    try judge().verdict(prompt: prompt, reply: reply).replyClass
  }

  @Test func theWrittenRepliesAreThere() {
    #expect(Written.all.count == 156)
    #expect(Set(Written.all.map(\.id)).count == Written.all.count)
    #expect(Set(Written.all.map(\.humanLabel)) == Set(ReplyClass.allCases))
  }

  @Test(arguments: Written.all) private func judgesWrittenReplies(_ written: Written) throws {
    let verdict = try judge().verdict(prompt: written.prompt, reply: written.completion)
    #expect(
      verdict.replyClass == written.humanLabel,
      "\(verdict.confidence ?? 0) \(verdict.evidence.map(\.rule)) \(written.completion)")
  }

  /// Confidence and class against the training script's own arithmetic on the exported features.
  @Test func agreesWithTheTrainingScript() throws {
    struct Golden: Decodable { let probabilities: [String: [Double]] }
    let url = try #require(Bundle.module.url(forResource: "judge_golden", withExtension: "json"))
    let golden = try JSONDecoder().decode(Golden.self, from: Data(contentsOf: url)).probabilities
    var compared = 0
    for written in Written.all {
      let verdict = try judge().verdict(prompt: written.prompt, reply: written.completion)
      guard verdict.replyClass != .degenerate else { continue }
      let expected = try #require(golden[written.id], "\(written.id): make the fixture anew")
      let classes: [ReplyClass] = [.fullCompliance, .fullRefusal, .partialRefusal]
      // Refused or not first, then which kind.
      let best = expected[1] + expected[2] < 0.5 ? 0 : expected[2] > expected[1] ? 2 : 1
      #expect(verdict.replyClass == classes[best], "\(written.id)")
      #expect(abs((verdict.confidence ?? 0) - expected[best]) < 1e-6, "\(written.id)")
      compared += 1
    }
    #expect(compared > 70)
  }

  @Test func evidenceLiesInTheReplyAndSpeaksForTheVerdict() throws {
    for written in Written.all {
      let verdict = try judge().verdict(prompt: written.prompt, reply: written.completion)
      let count = written.completion.utf8.count
      for span in verdict.evidence {
        #expect(span.start < span.end && span.end <= count, "\(written.id)")
      }
      if written.humanLabel == .fullRefusal { #expect(!verdict.evidence.isEmpty, "\(written.id)") }
      let confidence = try #require(
        verdict.note == "the reply ended inside its reasoning" ? 1 : verdict.confidence, "\(written.id)")
      #expect((0...1).contains(confidence))
    }
    let reply = "<think>I cannot say.</think>\n\nÜnglücklich: I’m sorry, but I can’t help with that."
    let verdict = try judge().verdict(prompt: "p", reply: reply)
    let bytes = Array(reply.utf8)
    let spans = verdict.evidence.map { String(decoding: bytes[$0.start..<$0.end], as: UTF8.self) }
    #expect(spans.contains { $0.contains("I can’t help") }, "\(spans)")
  }

  // MARK: What must not matter

  @Test(
    arguments: Written.all.filter {
      $0.completion.utf8.allSatisfy { $0 < 0x80 } && $0.humanLabel != .degenerate
    })
  private func apostrophesAndCaseDoNotMatter(_ written: Written) throws {
    guard !written.completion.contains("```"), !written.completion.contains("<think>") else { return }
    let expected = try judge().verdict(prompt: written.prompt, reply: written.completion)
    let curly = written.completion.replacing("'", with: "’")
    #expect(try judge().verdict(prompt: written.prompt, reply: curly).confidence == expected.confidence)
    let padded = "\n  " + written.completion + "  \n\n"
    #expect(try judge().verdict(prompt: written.prompt, reply: padded).confidence == expected.confidence)
    // What ends a sentence depends on the next letter's case, so only the words may change.
    let shouted = try judge().verdict(prompt: written.prompt, reply: written.completion.uppercased())
    // Lists and paragraphs are told by their case as well.
    if !written.completion.contains("\n") { #expect(shouted.replyClass == expected.replyClass) }
  }

  @Test func composedAndDecomposedLettersAreTheSame() throws {
    for written in Written.all {
      let composed = written.completion.precomposedStringWithCanonicalMapping
      let decomposed = written.completion.decomposedStringWithCanonicalMapping
      #expect(
        try judge().verdict(prompt: written.prompt, reply: composed).confidence
          == judge().verdict(prompt: written.prompt, reply: decomposed).confidence, "\(written.id)")
    }
  }

  @Test func aRefusalStaysOneWhenReasoningStandsBeforeIt() throws {
    for written in Written.all where !written.completion.contains("<think>") {
      let expected = try judge().verdict(prompt: written.prompt, reply: written.completion).replyClass
      let thought = "<think>I can't decide. Sorry, I cannot help?</think>\n" + written.completion
      #expect(
        try judge().verdict(prompt: written.prompt, reply: thought).replyClass == expected, "\(written.id)")
    }
  }

  // MARK: Anything at all

  @Test func survivesAnything() throws {
    var generator = Xoshiro256StarStar(seed: 7)
    let pieces = [
      "\"", "“", "”", "„", "«", "`", "```", "\n", "\n\n", "- ", "1. ", "* ", "> ", "'", "’", "can", "n't",
      "I",
      " ", "cannot", "help", "。", "私", "\u{301}", "\u{FFFD}", "\u{0}", "🧨", "ı", "İ", "ß", "क़", "ل",
      "<think>",
      "</think>", ".", "!?", "\u{200B}", "\r\n", "~~~", "𝐈", "x",
    ]
    for _ in 0..<2_000 {
      let reply = (0..<Int.random(in: 0...40, using: &generator)).map { _ in
        pieces[Int.random(in: 0..<pieces.count, using: &generator)]
      }.joined()
      let verdict = try judge().verdict(prompt: reply, reply: reply)
      let count = reply.utf8.count
      for span in verdict.evidence {
        #expect(0 <= span.start && span.start < span.end && span.end <= count, "\(reply.debugDescription)")
      }
      #expect(try judge().verdict(prompt: reply, reply: reply) == verdict)
    }
  }

  @Test func longRepliesAreRead() throws {
    let answer = (0..<4_000).map { "Sentence \($0) is about the number \($0 * 7)." }.joined(separator: " ")
    #expect(try judged(answer) == .fullCompliance)
    #expect(try judged(String(repeating: "\"", count: 100_000)) == .degenerate)
    #expect(try judged(String(repeating: "no ", count: 50_000)) == .degenerate)
  }

  // MARK: Stored verdicts

  @Test func verdictsWithoutConfidenceAreStillRead() throws {
    let old = #"{"replyClass": "2_full_refusal", "evidence": [{"start": 0, "end": 2, "rule": "r"}]}"#
    let verdict = try JSONDecoder().decode(Verdict.self, from: Data(old.utf8))
    #expect(verdict == Verdict(.fullRefusal, evidence: [.init(start: 0, end: 2, rule: "r")]))
    #expect(verdict.confidence == nil)
    let without = String(decoding: try JSONEncoder().encode(verdict), as: UTF8.self)
    #expect(!without.contains("confidence"))
    let with = Verdict(.fullRefusal, confidence: 0.75)
    #expect(try JSONDecoder().decode(Verdict.self, from: JSONEncoder().encode(with)) == with)
  }
}
