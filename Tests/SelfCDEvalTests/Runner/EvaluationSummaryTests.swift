import Foundation
import Testing

@testable import SelfCDData
@testable import SelfCDEval
@testable import SelfCDJudges

@Suite struct EvaluationSummaryTests {
  static func reply(
    _ condition: String, _ sample: Int, _ replyClass: ReplyClass, label: Sample.Label = .safe,
    text: String = "one two three four five", fields: [String: String] = [:], other: ReplyClass? = nil,
    plain: [Double] = []
  ) -> EvaluatedReply {
    EvaluatedReply(
      key: .init(dataset: "d", sample: "\(label)\(sample)", condition: condition),
      sample: Sample(
        id: "\(label)\(sample)", content: .text("q"), label: label, labelOrigin: .row,
        category: sample < 2 ? "low" : "high", fields: fields, position: .line(1)),
      text: text,
      steps: plain.map { .init(token: 0, plain: $0) },
      judgements: [.init(judge: "j", version: "1", verdict: Verdict(replyClass))]
        + (other.map { [.init(judge: "k", version: "1", verdict: Verdict($0))] } ?? []))
  }

  static let conditions: [(id: String, strategy: String, alpha: Double?)] = [
    ("plain", "plain", nil), ("guarded", "guarded", nil), ("self-cd@2.5", "self-cd", 2.5),
  ]

  @Test func rowsHoldWhatWasCounted() throws {
    // Guarded refuses all ten, Self-CD the last two, plain none.
    let replies =
      (0..<10).flatMap { index in
        [
          Self.reply("guarded", index, .fullRefusal), Self.reply("plain", index, .fullCompliance),
          Self.reply("self-cd@2.5", index, index < 8 ? .fullCompliance : .partialRefusal),
        ]
      } + [Self.reply("guarded", 0, .degenerate, label: .harmful)]
    let summary = try EvaluationSummary(replies, conditions: Self.conditions, judge: "j")
    #expect(summary.reference == "guarded")
    #expect(
      summary.rows.map { "\($0.condition) \($0.set)" } == [
        "plain safe", "guarded safe", "guarded harmful", "self-cd@2.5 safe",
      ])
    let contrast = try #require(summary.rows.last)
    #expect(contrast.refusals.refused == 2 && contrast.refusals.n == 10 && contrast.fullRefusals == 0)
    #expect(contrast.refusals.rate == 0.2 && contrast.refusals.low < 0.2 && contrast.refusals.high > 0.2)
    #expect(contrast.categories.mapValues(\.n) == ["low": 2, "high": 8])
    let paired = try #require(contrast.paired)
    #expect(paired.onlyHere == 0 && paired.onlyReference == 8 && paired.n == 10)
    #expect(abs(paired.difference.estimate + 0.8) < 1e-12)
    #expect(paired.difference.low < -0.8 && paired.difference.high > -0.8 && paired.difference.high < 0)
    #expect(abs(paired.pValue - 2 / 256.0) < 1e-12)
    // Two comparisons: plain has 10 discordant prompts (p = 2/1024), Self-CD 8; Holm doubles the smaller only.
    #expect(abs(paired.adjustedPValue - 2 / 256.0) < 1e-12)
    #expect(abs((summary.rows[0].paired?.adjustedPValue ?? 0) - 4 / 1024.0) < 1e-12)
    #expect(summary.rows[1].paired == nil)
    #expect(summary.rows[2].degenerate == 1 && summary.rows[2].refusals.refused == 0)
    #expect(summary.rows[2].unanswered.refused == 1 && summary.rows[0].unanswered == summary.rows[0].refusals)
  }

  @Test func onlyTheFirstRepetitionCounts() throws {
    let first = (0..<4).flatMap { index in
      [Self.reply("guarded", index, .fullRefusal), Self.reply("plain", index, .fullCompliance)]
    }
    let again = (1..<50).flatMap { number in
      first.map { reply in
        var reply = reply
        reply.key.repetition = number
        return reply
      }
    }
    var summary = try EvaluationSummary(first + again, conditions: Self.conditions, judge: "j")
    #expect(summary.repetitions == again.count)
    summary.repetitions = 0
    #expect(try summary == EvaluationSummary(first, conditions: Self.conditions, judge: "j"))
  }

  @Test func versionsOfAJudgeDoNotMix() throws {
    var replies = (0..<3).map { Self.reply("guarded", $0, .fullRefusal) }
    for index in replies.indices {
      // Version 10 came after 9, though "10" sorts before it.
      replies[index].judgements = [
        .init(judge: "j", version: "9", verdict: Verdict(.fullRefusal)),
        .init(judge: "j", version: "10", verdict: Verdict(.fullCompliance)),
      ]
    }
    var summary = try EvaluationSummary(replies, conditions: Self.conditions, judge: "j")
    #expect(summary.judgeVersion == "10" && summary.rows[0].refusals.refused == 0)
    #expect(summary.judgedByAll == 0, "two versions of one judge are no two judges")
    // A version that has judged only some of them does not speak for all.
    replies[0].judgements.removeLast()
    summary = try EvaluationSummary(replies, conditions: Self.conditions, judge: "j")
    #expect(summary.judgeVersion == "9" && summary.rows[0].refusals.n == 3)
    #expect(summary.rows[0].refusals.refused == 3)
  }

  @Test func nothingChangedIsNoProofThatNothingCan() throws {
    let replies = (0..<20).flatMap { index in
      [
        Self.reply("guarded", index, .fullRefusal, label: .harmful),
        Self.reply("plain", index, .fullRefusal, label: .harmful),
      ]
    }
    let summary = try EvaluationSummary(replies, conditions: Self.conditions, judge: "j")
    let difference = try #require(summary.rows.first?.paired?.difference)
    #expect(difference.estimate == 0 && difference.low < -0.1 && difference.high > 0.1)
  }

  @Test func referenceAndJudgeCanBeChosen() throws {
    let replies = [
      Self.reply("plain", 0, .fullRefusal, other: .fullCompliance),
      Self.reply("guarded", 0, .fullRefusal, other: .fullRefusal),
    ]
    let summary = try EvaluationSummary(
      replies, conditions: Self.conditions, judge: "k", reference: "plain")
    #expect(summary.rows.map(\.refusals.refused) == [0, 1])
    #expect(summary.rows[0].paired == nil && summary.rows[1].paired?.onlyHere == 1)
    #expect(summary.judgedByAll == 2 && summary.disagreements == 1)
    #expect(try EvaluationSummary(replies, conditions: Self.conditions, judge: "nobody").rows.isEmpty)
  }

  @Test func damageIsMeasuredAgainstPlain() throws {
    let answer = ["answer": "New York"]
    let replies = [
      Self.reply("plain", 0, .fullCompliance, label: .neutral, text: "It is New York.", fields: answer),
      Self.reply("plain", 1, .fullCompliance, label: .neutral, text: "Yes.", plain: [log(0.5), log(0.125)]),
      Self.reply("guarded", 0, .fullCompliance, label: .neutral, text: "new york", fields: answer),
      Self.reply("guarded", 1, .fullCompliance, label: .neutral, text: "Yes."),
      Self.reply(
        "self-cd@2.5", 0, .fullCompliance, label: .neutral, text: "a b c d a b c d a b c d", fields: answer),
      Self.reply("self-cd@2.5", 1, .fullCompliance, label: .neutral, text: ""),
    ]
    let rows = try EvaluationSummary(replies, conditions: Self.conditions, judge: "j").rows
    #expect(rows.map(\.damage.unchanged) == [1, 0.5, 0])
    #expect(rows.map(\.damage.answered) == [1, 1, 0])
    #expect(rows.map(\.damage.words) == [2.5, 1.5, 6])
    #expect(rows.map(\.damage.empty) == [0, 0, 1])
    // 9 four-grams, 4 of them different.
    #expect(rows[0].damage.repetition == 0 && abs(rows[2].damage.repetition - 5 / 9.0) < 1e-12)
    #expect(abs((rows[0].damage.perplexity ?? 0) - 4) < 1e-12 && rows[1].damage.perplexity == nil)
  }

  @Test func wordsAreSeparatedByWhiteSpace() {
    let replies = ["I'd say: don't.\n", "", "e.g. state-of-the-art"].enumerated().map { index, text in
      Self.reply("plain", index, .fullCompliance, text: text)
    }
    #expect(ReplyDamage(replies, plain: [:]).words == 5 / 3.0)
  }

  @Test func cutRepliesAreCountedAndSaid() throws {
    var replies = (0..<4).map { Self.reply("plain", $0, .fullCompliance) }
    #expect(CutReplies(replies).remark(limit: 1) == nil)
    for index in 0..<3 { replies[index].stopReason = "length" }
    // A repetition of a prompt does not count.
    replies.append(replies[0])
    replies[4].key.repetition = 1
    let cut = try EvaluationSummary(replies, conditions: Self.conditions, judge: "j").cut
    #expect(cut.cut == 3 && cut.replies == 4)
    #expect(cut.remark(limit: 1)?.hasPrefix("3 of 4 replies were cut at 1 token,") == true)
    #expect(cut.remark(limit: nil)?.contains("most tokens allowed") == true)
  }

  @Test func answersAreWholeWords() throws {
    func answered(_ text: String, _ answer: String) -> Double? {
      ReplyDamage(
        [Self.reply("c", 0, .fullCompliance, text: text, fields: ["answer": answer])], plain: [:]
      ).answered
    }
    #expect(answered("It has 42 legs", "4") == 0)
    #expect(answered("It has 4 legs.", "4") == 1)
    #expect(answered("", "4") == 0)
    #expect(answered("anything", "") == nil)
  }
}
