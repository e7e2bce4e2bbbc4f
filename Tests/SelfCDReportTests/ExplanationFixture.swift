import Foundation
import SelfCD
import SelfCDEval
import SelfCDExplain

@testable import SelfCDReport

/// An explanation with all its parts, whose every text tries to get out of where it belongs.
enum ExplanationFixture {
  static let question = "How do I kill a </p> كلب process 👩‍👩‍👧 \"now\"? \(Fixture.hostile)"
  static let views = ["guarded", "plain", "self-cd"]

  static func beginnings() throws -> RefusalBeginnings {
    let replies = (0..<20).map { number in
      RefusalBeginnings.JudgedReply(
        tokens: number < 8 ? [1, 2] : [1, Int32(3 + number % 2)], isRefusal: number < 8)
    }
    return try RefusalBeginnings(
      learningFrom: replies, judge: "judge@1", source: "20 replies <of> test",
      text: { tokens in tokens.map { "<t\($0)>" }.joined() })
  }

  /// An explanation of `question` with effects that fall with the place of the word, alternating in sign.
  static func explanation(
    of question: String = question, methods: [AttributionMethod] = [.leaveOneOut, .shapley]
  ) throws -> Explanation {
    let count = PromptWords(question).count
    let strengths = [4.0, 2.5, -1.2]
    let attributions = methods.flatMap { method in
      zip(views, strengths).map { view, strength in
        WordAttribution(
          method: method, view: view,
          effects: (0..<count).map { strength * cos(Double($0 * 7)) / Double(1 + $0 / 2) },
          standardErrors: method == .shapley ? (0..<count).map { 0.1 + 0.01 * Double($0 % 7) } : nil)
      }
    }
    return Explanation(
      model: "/somewhere/private/model <7b>.gguf", chat: Chat(question: question),
      views: [
        ("guarded", "guarded", RefusalScore(probability: 0.93, isGreedyRefusal: true)),
        ("plain", "plain", RefusalScore(probability: 0.41, isGreedyRefusal: false)),
        ("self-cd", "self-cd α 2.5", RefusalScore(probability: 0.04, isGreedyRefusal: false)),
      ], beginnings: try beginnings(), attributions: attributions, focus: "kill")
  }

  static func trace(_ view: String, _ reply: String) -> ReplyTrace {
    ReplyTrace(
      view: view, reply: reply, replyClass: view == "guarded" ? .fullRefusal : .fullCompliance,
      isCut: view == "plain",
      steps: (0..<4).map { step in
        let candidates = [
          ReplyTrace.Candidate(text: step == 3 ? nil : " <t\(step)>", probability: 0.8 - 0.1 * Double(step)),
          ReplyTrace.Candidate(text: Fixture.hostile, probability: 0.1),
        ]
        return ReplyTrace.Step(
          text: candidates[0].text,
          guarded: view == "plain" ? nil : Array(step == 1 ? candidates.reversed() : candidates),
          plain: view == "guarded" ? nil : candidates, combined: candidates)
      })
  }

  static func uncertainty(_ view: String, _ refused: Int, _ reply: String) throws -> RefusalUncertainty {
    let classes: [ReplyClass] =
      Array(repeating: .fullRefusal, count: refused) + Array(repeating: .fullCompliance, count: 20 - refused)
    return RefusalUncertainty(
      view: view,
      steps: (0..<5).map { step in
        RefusalUncertainty.Step(
          token: Int32(step), text: " \(reply.prefix(6))", entropy: 3.1 / Double(step + 1),
          margin: step == 4 ? nil : 0.4 * Double(step + 1),
          refusal: step < 3 ? 0.2 + 0.3 * Double(step) : nil,
          divergence: view == "self-cd" ? 0.1 / Double(step + 1) : nil)
      }, reply: reply, replyClass: refused > 10 ? .fullRefusal : .fullCompliance,
      samples: .init(
        n: 20, temperature: 1, seed: 7, refusals: try RefusalRate(classes),
        classes: [
          .init(replyClass: .fullRefusal, count: refused),
          .init(replyClass: .fullCompliance, count: 20 - refused),
        ],
        semanticEntropy: 0.61))
  }

  static func whole() throws -> Explanation {
    var explanation = try explanation()
    explanation.trigger = MinimalTrigger(
      view: "guarded", criterion: .score, kept: [3, 6],
      steps: [[0, 1, 2, 3, 4, 5, 6], [2, 3, 5, 6], [3, 6]],
      text: "kill </p>", score: 1.25, prompts: 31, calls: 7)
    explanation.edit = SmallestEdit(
      view: "guarded", kind: .replacement, words: [3], text: "How do I thing a <b>process?", score: -0.5,
      prompts: 44)
    explanation.uncertainties = [
      try uncertainty("guarded", 14, "Sorry \(Fixture.secret)"),
      try uncertainty("plain", 6, "Answer \(Fixture.secret)"),
      try uncertainty("self-cd", 0, "Answer \(Fixture.secret)"),
    ]
    explanation.replies = [
      trace("guarded", "Sorry, no. \(Fixture.secret) \(Fixture.hostile)"),
      trace("plain", "Answer \(Fixture.secret)"),
      trace("self-cd", ""),
    ]
    return explanation
  }

  static func page(_ explanation: Explanation, withholdsReplies: Bool = false) -> ExplanationPage {
    ExplanationPage(
      explanation, createdAt: Date(timeIntervalSince1970: 1_790_001_000),
      facts: [
        .init("Model", "model <7b>.gguf"), .init("Model SHA-256", String(repeating: "cd", count: 32)),
        .init("Command", "selfcd explain '\(Fixture.hostile)'"), .init("Program", "selfcd 0.1.0"),
      ], withholdsReplies: withholdsReplies)
  }
}
