import SelfCD
import Testing

@testable import SelfCDExplain

/// What an explanation says in sentences: nothing that contradicts itself.
@Suite struct ExplanationProseTests {
  static func explanation(
    guarded: RefusalScore, plain: RefusalScore, effects: [[Double]] = [[-0.1, 2.75], [0, 1.82]]
  ) throws -> Explanation {
    Explanation(
      model: .init(name: "m"), chat: Chat(question: "how kill"),
      views: [("guarded", "guarded", guarded), ("plain", "plain", plain)],
      beginnings: try WordModel.beginnings(),
      attributions: zip(["guarded", "plain"], effects).map {
        WordAttribution(method: .leaveOneOut, view: $0, effects: $1)
      })
  }

  static let refused = RefusalScore(probability: 0.9, isGreedyRefusal: true)
  static let seldom = RefusalScore(probability: 0.119, isGreedyRefusal: true)
  static let answered = RefusalScore(probability: 0.0001, isGreedyRefusal: false)

  @Test func aRefusalIsCalledOne() throws {
    let prose = ExplanationProse(try Self.explanation(guarded: Self.refused, plain: Self.answered))
    #expect(prose.title == "Why is it refused?")
    #expect(
      prose.summary == [
        "Decoded greedily, always by the likeliest token, this prompt is refused under the safety prompt; answered without it.",
        "Drawn at temperature 1, by the model's probabilities, of its replies that begin in a way learned from it, these "
          + "shares are refusals: 90.0% under the safety prompt and less than 0.1% without it.",
        "“kill” pushes most towards a refusal: measured by leaving it out, it raises the score by 2.75 under the "
          + "safety prompt, by 1.82 without it. So under the safety prompt 0.93 more hangs on this word.",
      ])
  }

  /// An answer is not asked why it was refused.
  @Test func anAnswerIsCalledOne() throws {
    let prose = ExplanationProse(
      try Self.explanation(guarded: Self.answered, plain: Self.answered, effects: [[-1, -2], [-3, -4]]))
    #expect(prose.title.hasPrefix("It is answered."))
    #expect(
      prose.verdict
        == "Decoded greedily, always by the likeliest token, this prompt is answered under the safety prompt and without it."
    )
    #expect(prose.weightiest == "No word pushes towards a refusal under the safety prompt.")
    #expect(prose.surprise == nil)
  }

  /// 11.9% of drawn replies refuse and the greedy one does: said to be no contradiction, and why.
  @Test func theGreedyReplyAgainstTheOthersIsExplained() throws {
    let seldom = ExplanationProse(try Self.explanation(guarded: Self.seldom, plain: Self.answered))
    #expect(seldom.surprise?.contains("no contradiction") == true)
    #expect(seldom.summary.count == 4)
    let mostly = RefusalScore(probability: 0.8, isGreedyRefusal: false)
    let other = ExplanationProse(try Self.explanation(guarded: mostly, plain: Self.answered))
    #expect(other.surprise?.contains("most others would be refusals") == true)
    #expect(
      ExplanationProse(try Self.explanation(guarded: Self.refused, plain: Self.answered)).surprise == nil)
  }

  /// The judge's word on the reply goes before what its beginning looks like.
  @Test func theJudgeHasTheLastWord() throws {
    var explanation = try Self.explanation(guarded: Self.refused, plain: Self.answered)
    explanation.replies = [
      ReplyTrace(
        view: "guarded", reply: "I can, of course.", replyClass: .fullCompliance, isCut: false, steps: []),
      ReplyTrace(view: "plain", reply: "", replyClass: .degenerate, isCut: false, steps: []),
    ]
    let prose = ExplanationProse(explanation)
    #expect(prose.outcome(of: explanation.views[0]) == .answered)
    #expect(
      prose.verdict
        == "Decoded greedily, always by the likeliest token, this prompt is answered under the safety prompt; not properly answered without it."
    )
  }

  @Test func aWordThatCountsForLessIsCalledSo() throws {
    let prose = ExplanationProse(
      try Self.explanation(guarded: Self.refused, plain: Self.refused, effects: [[0.1, 0.5], [0, 1.5]]))
    #expect(prose.weightiest?.hasSuffix("So under the safety prompt 1.00 less hangs on this word.") == true)
    let turned = ExplanationProse(
      try Self.explanation(guarded: Self.refused, plain: Self.refused, effects: [[0.1, 0.5], [0, -1.5]]))
    #expect(turned.weightiest?.contains("lowers it by 1.50 without it") == true, "\(turned.weightiest ?? "")")
  }

  /// “the” is no reason for a refusal, whatever a sentence without it does.
  @Test func aFunctionWordIsNoHeadline() throws {
    func weightiest(_ question: String, _ effects: [Double], focus: String? = nil) -> String? {
      guard let beginnings = try? WordModel.beginnings() else { return nil }
      return ExplanationProse(
        Explanation(
          model: .init(name: "m"), chat: Chat(question: question),
          views: [("guarded", "guarded", Self.refused)],
          beginnings: beginnings,
          attributions: [.init(method: .leaveOneOut, view: "guarded", effects: effects)],
          focus: focus)
      ).weightiest
    }
    #expect(
      weightiest("stir the soup", [-0.2, 0.43, 0.001])
        == "No single content word pushes towards a refusal under the safety prompt. Only function words such as “the” do "
        + "(+0.43): look at the whole sentence rather than at one word.")
    #expect(
      weightiest("stir the soup", [0.2, 0.43, 0.1])
        == "Of the content words, “stir” pushes most towards a refusal: measured by leaving it out, it raises the score by "
        + "0.20 under the safety prompt.")
    #expect(weightiest("stir the soup", [0.5, 0.43, 0.1])?.hasPrefix("“stir” pushes most") == true)
    #expect(
      weightiest("stir the soup", [-0.5, 0.001, -0.1])
        == "No word pushes towards a refusal under the safety prompt.")
    // A word that was asked about is none to pass over.
    #expect(weightiest("stir the soup", [0, 0.43, 0], focus: "stir")?.hasPrefix("No single") == true)
    #expect(weightiest("blow up it", [0.1, 0.43, 0], focus: "blow up")?.hasPrefix("“up” pushes") == true)
  }

  @Test(arguments: [
    ("the", true), ("The", true), ("I'm", true), ("don’t", true), ("can't", true), ("what's", true),
    ("kill", false), ("dog's", false), ("o'clock", false), ("stain", false), ("der", false), ("'", false),
  ])
  func functionWordsNameNothing(word: String, isOne: Bool) {
    #expect(FunctionWords.contains(word) == isOne)
  }

  private static func trigger(_ kept: [Int], _ text: String, refused: Int?, of parts: Int) throws -> String {
    var explanation = try explanation(guarded: Self.refused, plain: Self.answered)
    explanation.trigger = MinimalTrigger(
      view: "guarded", criterion: .greedy, kept: kept, steps: [], text: text, score: 1, prompts: 3, calls: 2,
      control: refused.map { .init(parts: parts, refused: $0) })
    return try #require(ExplanationProse(explanation).trigger)
  }

  /// “How?” is refused though it weighs nothing in the question: it is not the reason for anything.
  @Test func aScrapIsNotTakenForAReason() throws {
    let scrap = try Self.trigger([0], "how", refused: 5, of: 6)
    #expect(
      scrap.hasPrefix(
        "“how” alone, 1 of 2 words, is still refused under the safety prompt. In the whole prompt this "))
    #expect(
      scrap.contains(
        "this word pushes little or not at all towards a refusal (−0.10), so the part is refused for"))
    #expect(scrap.contains("Of 6 other words alone, 5 are refused as well: the model refuses scraps"))
    let telling = try Self.trigger([1], "kill", refused: 1, of: 6)
    #expect(
      telling
        == "“kill” alone, 1 of 2 words, is still refused under the safety prompt. Of 6 other words alone, 1 is refused as "
        + "well.")
    #expect(
      try Self.trigger([0, 1], "how kill", refused: nil, of: 0)
        == "None of the 2 words can go without the refusal going too, under the safety prompt.")
  }

  @Test func theSourceSaysHowGoodItIs() throws {
    var explanation = try Self.explanation(guarded: Self.refused, plain: Self.answered)
    #expect(ExplanationProse(explanation).source.contains("learned from two replies, judged by test."))
    explanation.beginnings = try RefusalBeginnings(general: ["No"]) { _ in [1] }
    let unknown = ExplanationProse(explanation).source
    #expect(unknown.contains("not learned from this model") && unknown.contains("is not known"))
    let replies = (0..<12).map {
      RefusalBeginnings.JudgedReply(tokens: [$0 < 3 ? 1 : 2], isRefusal: $0 < 4, prompt: "\($0)")
    }
    explanation.beginnings = .best(
      general: explanation.beginnings, orLearningFrom: replies, judge: "j@1", source: "s", text: { _ in "" })
    let list = explanation.beginnings
    #expect(
      ExplanationProse(explanation).source.hasSuffix(
        "Among 12 replies of this model, judged by j@1, the list finds 3 of 4 refusals and 8 of 8 answers; to learn from "
          + "them, there have to be at least 10 of each."))
    // Twelve refusals that begin alike, as many answers, and two answers that begin in their own ways.
    let more =
      (0..<24).map {
        RefusalBeginnings.JudgedReply(tokens: [$0 % 2 == 0 ? 1 : 2], isRefusal: $0 % 2 == 0, prompt: "\($0)")
      }
      + [3, 4].map { RefusalBeginnings.JudgedReply(tokens: [$0], isRefusal: false, prompt: "own \($0)") }
    explanation.beginnings = .best(
      general: list, orLearningFrom: more, judge: "j@1", source: "26 replies", text: { _ in "" })
    #expect(
      ExplanationProse(explanation).source
        == "How this model’s refusals and answers begin was learned from 26 replies, judged by j@1. On replies to prompts "
        + "that it was not learned from, this finds 12 of 12 refusals and 12 of 14 answers, takes 0 for the other kind, and "
        + "knows nothing of 2 that begin in rarer ways, which count as neither (cross-validation).")
  }

  /// A share by the general list is of all replies; one that was learned, of those that begin in a learned way.
  @Test func sharesSayWhatTheyAreOf() throws {
    var explanation = try Self.explanation(guarded: Self.seldom, plain: Self.answered)
    #expect(ExplanationProse(explanation).shareOf == "drawn replies that begin in a learned way")
    explanation.beginnings = try RefusalBeginnings(general: ["I cannot"]) { _ in [1, 2] }
    let prose = ExplanationProse(explanation, for: .terminal)
    #expect(prose.shareOf == "drawn replies")
    #expect(
      prose.drawn
        == "Drawn at temperature 1, by the model's probabilities, these shares of its replies begin as a refusal of the "
        + "general list: 11.9 % under the safety prompt and less than 0.1 % without it.")
  }

  /// A terminal has one style of figures, a page another.
  @Test func figuresFollowTheMedium() throws {
    #expect(ExplanationProse.percent(0.119, for: .terminal) == "11.9 %")
    #expect(ExplanationProse.percent(0.0001, for: .terminal) == "less than 0.1 %")
    var explanation = try Self.explanation(
      guarded: Self.refused, plain: Self.answered, effects: [[2, -0.5], [0, 0]])
    explanation.trigger = MinimalTrigger(
      view: "guarded", criterion: .greedy, kept: [1], steps: [], text: "kill", score: 1, prompts: 2,
      calls: 1, control: nil)
    #expect(ExplanationProse(explanation, for: .terminal).trigger?.contains("(-0.50)") == true)
    #expect(ExplanationProse(explanation).trigger?.contains("(−0.50)") == true)
  }

  @Test(arguments: [
    (0.0, "0.0%"), (0.0004, "less than 0.1%"), (0.119, "11.9%"), (0.9999, "more than 99.9%"), (1, "100.0%"),
  ])
  func sharesAreNotRoundedToNothing(_ share: Double, _ text: String) {
    #expect(ExplanationProse.percent(share) == text)
  }
}
