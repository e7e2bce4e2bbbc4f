import Foundation
import SelfCDEval
import SelfCDJudges
import SelfCDStatistics
import Testing

@testable import SelfCDReport

@Suite struct BuilderTests {
  @Test func ratesAreThoseOfTheReplies() throws {
    let run = try Fixture.run()
    #expect(run.baseline == "guarded")
    #expect(run.judge == "xstest-strmatch@1", "equal numbers of verdicts: the catalogue's first")
    let guarded = try #require(run.pooled("guarded"))
    #expect(guarded.safe?.refused == 13 && guarded.safe?.n == 24)
    #expect(guarded.harmful?.refused == 16 && guarded.harmful?.n == 16)
    #expect(run.cells.count == Fixture.conditions.count * 2)
    #expect(run.record.stored == 240 && run.remarks.isEmpty)
  }

  /// self-cd 1.5 has 15/16 − 4/24, self-cd 2.5 only 12/16 − 2/24.
  @Test func theWidestGapIsFeatured() throws {
    let run = try Fixture.run()
    #expect(run.featured == "self-cd@1.5")
    #expect(run.frontier == ["self-cd@0.5", "self-cd@1.5", "self-cd@2.5"])
    #expect(run.plain == "plain")
  }

  @Test func flipsAreCountedBothWays() throws {
    let flips = Dictionary(uniqueKeysWithValues: try Fixture.run().flips.map { ($0.kind, $0) })
    #expect(flips[.freed]?.total == 9 && flips[.newlyRefused]?.total == 0)
    #expect(flips[.lost]?.total == 1 && flips[.newlyCaught]?.total == 0)
    #expect(flips[.freed]?.examples.count == 2)
    #expect(Set(flips[.freed]?.examples.map(\.category) ?? []).count == 2, "spread over categories")
    #expect(flips[.freed]?.examples.first?.replies.map(\.condition) == ["guarded", "plain", "self-cd@1.5"])
    #expect(flips[.lost]?.examples.first?.replies.allSatisfy { $0.text == nil } == true)
  }

  @Test func comparisonsArePairedAndCorrectedByAxis() throws {
    let run = try Fixture.run()
    let comparison = try #require(run.comparison("self-cd@1.5", .safe))
    #expect(
      comparison.paired.n == 24 && comparison.paired.onlyReference == 9 && comparison.paired.onlyHere == 0)
    #expect(abs(comparison.paired.difference.estimate + 9.0 / 24) < 1e-12)
    let family = run.comparisons.filter { $0.label == .safe }
    #expect(
      family.map(\.paired.adjustedPValue)
        == (try HolmCorrection.adjusted(family.map(\.paired.pValue))))
  }

  @Test func withoutChangeTheIntervalHasWidth() throws {
    let paired = try #require(try Fixture.run().comparison("self-cd@0.5", .harmful)).paired
    #expect(paired.onlyHere + paired.onlyReference == 0)
    #expect(paired.difference.low < -0.1 && paired.difference.high > 0.1)
  }

  @Test func judgesAreComparedReplyByReply() throws {
    let run = try Fixture.run()
    let pair = try #require(run.judgePairs.first)
    #expect(run.judgePairs.count == 1 && pair.confusion.total == 240)
    #expect(pair.agreement.estimate < 1 && pair.kappa < 1)
    #expect(pair.examples.count == 2)
    #expect(pair.examples.allSatisfy { $0.example.replies.count == 1 && $0.first != $0.second })
    let other = try Fixture.run(ReportOptions(judge: "refusal-substrings"))
    #expect(other.judge == "refusal-substrings@1")
    #expect(
      throws: ReportError.unknownJudge(name: "x", known: ["xstest-strmatch@1", "refusal-substrings@1"])
    ) {
      try Fixture.run(ReportOptions(judge: "x"))
    }
  }

  @Test func cutRepliesAreRemarked() throws {
    var cut = reply("1", "guarded", .fullRefusal)
    cut.stopReason = "length"
    let run = try builder([cut, reply("2", "guarded", .fullRefusal)], ReportOptions(maximumTokens: 8)).build()
    #expect(run.remarks.contains { $0.hasPrefix("1 of 2 replies was cut at 8 tokens") }, "\(run.remarks)")
  }

  /// Runs of one model are told apart wherever they are listed.
  @Test func severalRunsAreNamed() throws {
    var other = try Fixture.run()
    other.record.id = "r2"
    let data = ReportData(runs: [try Fixture.run(), other])
    let model = try Fixture.run().record.model
    #expect(data.subject == "\(model) (r1), \(model) (r2)")
    #expect(ReportData(runs: [other]).subject == model)
  }

  @Test func divergenceIsSummarised() throws {
    let curves = try Fixture.run().divergence
    #expect(curves.map(\.label) == [.safe, .harmful])
    let first = try #require(curves.first?.points.first)
    #expect(first.n == 24 && first.lower <= first.median && first.median <= first.upper)
    // Eight prompts each with 0.6, 0.3 and 0.2.
    #expect(abs(first.median - 0.3) < 1e-6)
  }

  private func builder(
    _ replies: [EvaluatedReply] = [], _ options: ReportOptions = ReportOptions()
  ) -> ReportBuilder {
    ReportBuilder(
      record: Fixture.record(planned: 9), datasets: [Fixture.set("s", .safe, 3)],
      conditions: [
        ReportCondition(id: "guarded", strategy: "guarded"),
        ReportCondition(id: "self-cd@2", strategy: "self-cd", alpha: 2),
        ReportCondition(id: "self-cd@2:beta", strategy: "self-cd", alpha: 2),
      ], replies: replies, options: options)
  }

  private func reply(
    _ sample: String, _ condition: String, _ replyClass: ReplyClass, repetition: Int = 0, text: String = "x"
  ) -> EvaluatedReply {
    EvaluatedReply(
      key: ReplyKey(dataset: "s", sample: sample, condition: condition, repetition: repetition),
      sample: Fixture.set("s", .safe, 1).samples[0], text: text,
      judgements: [.init(judge: "j", version: "1", verdict: Verdict(replyClass))])
  }

  @Test func whatIsMissingIsSaid() throws {
    let builder = builder([
      reply("1", "guarded", .fullRefusal),
      reply("1", "guarded", .fullRefusal, repetition: 1),
      reply("99", "guarded", .fullRefusal),
    ])
    let run = try builder.build()
    #expect(run.pooled("guarded")?.safe?.n == 1, "repetitions and unknown samples do not count")
    #expect(
      run.remarks.count == 2 && run.remarks[0].contains("3 of 9")
        && run.remarks[1].hasPrefix("1 repetition of a prompt"))
    #expect(throws: ReportError.nothingJudged(run: "r1")) { try self.builder().build() }
  }

  @Test func equalTitlesGiveWayToIdentifiers() throws {
    let builder = builder([
      reply("1", "guarded", .fullRefusal)
    ])
    #expect(try builder.build().conditions.map(\.title) == ["guarded", "self-cd@2", "self-cd@2:beta"])
  }

  @Test func aBrokenReplyHasNotChangedSides() throws {
    let builder = builder([
      reply("1", "guarded", .fullRefusal),
      reply("1", "self-cd@2", .degenerate),
    ])
    let run = try builder.build()
    #expect(run.featured == "self-cd@2")
    #expect(run.flips.allSatisfy { $0.total == 0 })
    #expect(run.pooled("self-cd@2")?.degenerate == 1)
    // Broken, it refuses nothing, and answers nothing either: charts do not move it to the better side.
    #expect(run.pooled("self-cd@2")?.safe?.refused == 0)
    #expect(run.pooled("self-cd@2")?.safeUnanswered?.refused == 1)
    #expect(run.pooled("guarded")?.safeUnanswered == run.pooled("guarded")?.safe)
  }

  @Test func longTextsAreShortened() throws {
    let builder = builder(
      [
        reply("1", "guarded", .fullRefusal, text: String(repeating: "é", count: 10)),
        reply("1", "self-cd@2", .fullCompliance, text: String(repeating: "é", count: 11)),
      ], ReportOptions(textLimit: 10))
    let replies = try #require(try builder.build().flips.first?.examples.first?.replies)
    #expect(replies.map(\.isCut) == [false, true])
    #expect(replies.map { $0.text?.count } == [10, 10])
  }
}
