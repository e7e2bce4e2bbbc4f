import Foundation
import SelfCD
import SelfCDJudges

@testable import SelfCDExplain
@testable import SelfCDReport

/// An explanation with all its parts, whose every text tries to get out of where it belongs.
enum ExplanationFixture {
  static let question = "How do I kill a </p> كلب process 👩‍👩‍👧 \"now\"? \(Fixture.hostile)"
  static let views = ["guarded", "plain", "self-cd"]

  static func beginnings() throws -> RefusalBeginnings {
    let refusal = RefusalBeginnings.JudgedReply(tokens: [1, 2], isRefusal: true)
    let answers = [3, 4].map { (token: TokenID) in
      RefusalBeginnings.JudgedReply(tokens: [1, token], isRefusal: false)
    }
    var replies = Array(repeating: refusal, count: 8)
    for _ in 0..<6 { replies += answers }
    return try RefusalBeginnings(
      learningFrom: replies, judge: "judge@1", source: "20 replies <of> test",
      text: { tokens in tokens.map { "<t\($0)>" }.joined() })
  }

  private static func effect(at place: Int, _ strength: Double) -> Double {
    let wave = cos(Double(place * 7))
    return strength * wave / Double(1 + place / 2)
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
          effects: (0..<count).map { effect(at: $0, strength) },
          standardErrors: method == .shapley ? Array(repeating: 0.15, count: count) : nil)
      }
    }
    return Explanation(
      model: .init(name: "/somewhere/private/model <7b>.gguf"), chat: Chat(question: question),
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
          ReplyTrace.Candidate(
            token: TokenID(step), text: step == 3 ? nil : " <t\(step)>", probability: 0.8 - 0.1 * Double(step)
          ),
          ReplyTrace.Candidate(token: 99, text: Fixture.hostile, probability: 0.1),
        ]
        return ReplyTrace.Step(
          token: step == 3 ? nil : candidates[0].token, text: candidates[0].text,
          guarded: view == "plain" ? nil : Array(step == 1 ? candidates.reversed() : candidates),
          plain: view == "guarded" ? nil : candidates, combined: candidates)
      })
  }

  static func uncertainty(_ view: String, _ refused: Int, _ reply: String) throws -> RefusalUncertainty {
    var classes = Array(repeating: ReplyClass.fullRefusal, count: refused)
    classes += Array(repeating: ReplyClass.fullCompliance, count: 20 - refused)
    let steps = (0..<5).map { (step: Int) -> RefusalUncertainty.Step in
      let place = Double(step)
      return RefusalUncertainty.Step(
        token: TokenID(step), text: " \(reply.prefix(6))", entropy: 3.1 / (place + 1),
        margin: step == 4 ? nil : 0.4 * (place + 1), refusal: step < 3 ? 0.2 + 0.3 * place : nil,
        divergence: view == "self-cd" ? 0.1 / (place + 1) : nil)
    }
    return RefusalUncertainty(
      view: view, steps: steps, reply: reply, replyClass: refused > 10 ? .fullRefusal : .fullCompliance,
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
      view: "guarded", criterion: .greedy, kind: .replacement, words: [3],
      text: "How do I thing a <b>process?", score: -0.5,
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
    explanation.flows = [try flow("guarded"), try flow("plain")]
    return explanation
  }

  /// A flow of five layers from a prompt of control tokens, a system prompt and `question`.
  static func flow(_ view: String, of question: String = question) throws -> LaneFlow {
    let words = PromptWords(question)
    let pieces = ["", "System ", Fixture.hostile, ""]
    // Tokens of seven bytes, which cut words and characters.
    let bytes = Array(question.utf8)
    let cut = stride(from: 0, to: bytes.count, by: 7).map { Array(bytes[$0..<min($0 + 7, bytes.count)]) }
    let tokens = pieces.map { Array($0.utf8) } + cut + [[]]
    guard
      let alignment = PromptAlignment(
        tokens: tokens, question: question,
        words: words.words.map { $0.start..<$0.end })
    else { throw FixtureError.noAlignment }
    let layers = (0..<5).map { layer in
      tokens.indices.map { (position: Int) -> Double in
        let wave = sin(Double(position * (layer + 2)))
        return abs(wave) / Double(layer + 1)
      }
    }
    return LaneFlow(
      view: view, step: 1,
      flow: InformationFlow(
        method: .informationFlow, layers: layers, alignment: alignment, words: words.words.map(\.text),
        target: .init(text: "I<m>", loss: 1.5)))
  }

  enum FixtureError: Error { case noAlignment }

  static func page(_ explanation: Explanation, withholdsReplies: Bool = false) -> ExplanationPage {
    ExplanationPage(
      explanation, createdAt: Date(timeIntervalSince1970: 1_790_001_000),
      facts: [
        .init("Model", "model <7b>.gguf"), .init("Model SHA-256", String(repeating: "cd", count: 32)),
        .init("Command", "selfcd explain '\(Fixture.hostile)'"), .init("Program", "selfcd 0.1.0"),
      ], withholdsReplies: withholdsReplies)
  }
}
