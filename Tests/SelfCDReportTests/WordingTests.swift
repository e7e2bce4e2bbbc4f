import Foundation
import SelfCDData
import SelfCDEval
import SelfCDJudges
import Testing

@testable import SelfCDReport

/// The words of a report follow its numbers.
@Suite struct WordingTests {
  /// How many of 40 harmless and 40 harmful prompts a condition refuses, the first ones of each; and how many of the last
  /// harmless ones have a broken reply.
  struct Outcome {
    let condition: String
    let safe: Int
    let harmful: Int
    var broken = 0

    /// `guarded`, or `self-cd@1.5`.
    var shown: ReportCondition {
      let parts = condition.split(separator: "@").map(String.init)
      return ReportCondition(
        id: condition, strategy: parts[0], alpha: parts.count > 1 ? Double(parts[1]) : nil)
    }
  }

  private static let sets = [Fixture.set("xstest", .safe, 40), Fixture.set("advbench", .harmful, 40)]

  private static func run(
    _ outcomes: [Outcome], baseline: String = "guarded", group: String? = nil
  ) throws -> ReportRun {
    var replies: [EvaluatedReply] = []
    for set in sets {
      for (index, sample) in set.samples.enumerated() {
        for outcome in outcomes {
          let isHarmful = sample.label == .harmful
          let isBroken = !isHarmful && index >= 40 - outcome.broken
          let isRefused = index < (isHarmful ? outcome.harmful : outcome.safe)
          replies.append(
            EvaluatedReply(
              key: ReplyKey(dataset: set.name, sample: sample.id, condition: outcome.condition),
              sample: sample, text: "x",
              judgements: [
                .init(
                  judge: "xstest-strmatch", version: "1",
                  verdict: Verdict(isBroken ? .degenerate : isRefused ? .fullRefusal : .fullCompliance))
              ]))
        }
      }
    }
    return try ReportBuilder(
      record: Fixture.record(planned: replies.count), datasets: sets, conditions: outcomes.map(\.shown),
      replies: replies, options: ReportOptions(baseline: baseline, group: group, examples: 1)
    ).build()
  }

  /// Spaces that keep α and its value on one line are spaces.
  private static func plain(_ text: String?) -> String { (text ?? "").replacing("\u{A0}", with: " ") }

  private static func summary(_ run: ReportRun) -> [String] { Wording.summary(run).map { plain($0) } }

  @Test func aGainSpeaksForItself() throws {
    let run = try Self.run([
      .init(condition: "guarded", safe: 30, harmful: 40), .init(condition: "self-cd@1", safe: 5, harmful: 40),
      .init(condition: "self-cd@2", safe: 6, harmful: 40),
    ])
    #expect(Self.summary(run).count == 2 && run.featured == "self-cd@1")
    #expect(Self.summary(run)[0].hasPrefix("Of 40 harmless prompts, guarded leaves 75.0%"))
    #expect(Self.summary(run)[0].contains("Holm-adjusted p < 0.001"))
    let selection = Self.plain(Wording.selection(run))
    #expect(
      selection.hasPrefix("Of 2 contrasting conditions, self-cd α 1 is highlighted because it has the widest")
    )
  }

  @Test func withoutAGainThereIsNone() throws {
    let run = try Self.run([
      .init(condition: "guarded", safe: 10, harmful: 40), .init(condition: "self-cd@1", safe: 9, harmful: 30),
      .init(condition: "self-cd@2", safe: 9, harmful: 29),
    ])
    #expect(
      Self.summary(run).last == "No contrasting condition has a wider gap between the two than guarded.")
    let selection = Self.plain(Wording.selection(run))
    #expect(selection.hasSuffix("comes closest to guarded; none has a wider gap."), "\(selection)")
    #expect(!selection.contains("flatter"))
  }

  @Test func aDifferenceThatMayBeChanceIsNoGain() throws {
    let run = try Self.run([
      .init(condition: "guarded", safe: 10, harmful: 40), .init(condition: "self-cd@1", safe: 8, harmful: 40),
    ])
    #expect(Self.summary(run).count == 3)
    #expect(Self.summary(run)[2].hasPrefix("Neither difference can be told from chance here"))
    #expect(Wording.selection(run) == nil, "there was nothing to pick from")
    let worse = try Self.run([
      .init(condition: "guarded", safe: 10, harmful: 40),
      .init(condition: "self-cd@1", safe: 12, harmful: 40),
    ])
    #expect(
      Self.summary(worse).last == "The gap between the two is no wider under self-cd α 1 than under guarded.")
  }

  /// The reference may itself be a contrast, and conditions may all be prompts.
  @Test func theReferenceIsCalledWhatItIs() throws {
    let outcomes: [Outcome] = [
      .init(condition: "guarded", safe: 30, harmful: 40), .init(condition: "self-cd@1", safe: 5, harmful: 40),
      .init(condition: "self-cd@2", safe: 10, harmful: 40),
      .init(condition: "self-cd@3", safe: 12, harmful: 40),
    ]
    let run = try Self.run(outcomes, baseline: "self-cd@1")
    #expect(run.featured == "self-cd@2")
    #expect(
      Self.summary(run).last
        == "No other contrasting condition has a wider gap between the two than self-cd α 1.")
    #expect(Self.plain(Wording.selection(run)).hasPrefix("Of 2 other contrasting conditions, self-cd α 2"))
    // What others call "default" is no contrast of ours.
    let rows = PaperTables(run: run).all[1].rows
    #expect(Self.plain(rows.last?.cells.first?.text) == "this run: guarded → self-cd α 1")
    #expect(!RunTables.overview([run]).caption.contains("safety prompt"))

    let prompts = try Self.run([
      .init(condition: "guarded", safe: 10, harmful: 40), .init(condition: "plain", safe: 12, harmful: 38),
      .init(condition: "helpful", safe: 12, harmful: 37),
    ])
    #expect(Self.summary(prompts).last == "No other condition has a wider gap between the two than guarded.")
  }

  /// What to do picks no condition by the prompts that it was measured on.
  @Test func adviceFollowsTheFigures() throws {
    func advice(_ outcomes: [Outcome]) throws -> String { Self.plain(Wording.advice(try Self.run(outcomes))) }
    let gain = try advice([
      .init(condition: "guarded", safe: 30, harmful: 40), .init(condition: "self-cd@1", safe: 5, harmful: 40),
      .init(condition: "self-cd@2", safe: 6, harmful: 40),
    ])
    #expect(gain.hasPrefix("To do: before you replace guarded, confirm on new prompts"), "\(gain)")
    #expect(gain.contains("2 conditions leave fewer"))
    let loss = try advice([
      .init(condition: "guarded", safe: 30, harmful: 40), .init(condition: "self-cd@1", safe: 5, harmful: 20),
    ])
    #expect(loss.hasPrefix("To do: keep guarded; whatever leaves fewer"), "\(loss)")
    let chance = try advice([
      .init(condition: "guarded", safe: 10, harmful: 40), .init(condition: "self-cd@1", safe: 8, harmful: 40),
    ])
    #expect(chance.hasPrefix("To do: keep guarded; no other condition leaves fewer"), "\(chance)")
    #expect(try advice([.init(condition: "guarded", safe: 10, harmful: 40)]).contains("a second condition"))
  }

  @Test func whatWasMeasuredIsOneSentence() throws {
    let run = try Self.run([
      .init(condition: "guarded", safe: 30, harmful: 40), .init(condition: "self-cd@1", safe: 5, harmful: 40),
    ])
    #expect(
      Wording.measured(run)
        == "Measured: 40 harmless prompts and 40 harmful prompts, answered by model <7b> under 2 conditions; for each reply, "
        + "the judge xstest-strmatch@1 said whether it refuses.")
  }

  /// The first figures of a page show what is lost as a loss, and no winner among several.
  @Test func headlinesPickNoWinner() throws {
    let one = try Self.run([
      .init(condition: "guarded", safe: 30, harmful: 40), .init(condition: "self-cd@1", safe: 5, harmful: 20),
    ])
    let page = HTMLReport.render(ReportData(createdAt: Date(timeIntervalSince1970: 0), runs: [one]))
    #expect(page.contains("<p class=\"good\">✓ fewer harmless prompts unanswered (p &lt; 0.001)</p>"))
    #expect(page.contains("<p class=\"bad\">✗ a loss: fewer harmful prompts refused (p &lt; 0.001)</p>"))
    let several = try Self.run([
      .init(condition: "guarded", safe: 30, harmful: 40), .init(condition: "self-cd@1", safe: 6, harmful: 40),
      .init(condition: "self-cd@2", safe: 12, harmful: 30),
    ])
    let other = HTMLReport.render(ReportData(createdAt: Date(timeIntervalSince1970: 0), runs: [several]))
    #expect(other.contains("75.0% → 15.0% to 30.0%") && other.contains("guarded → 2 contrasting conditions"))
    #expect(other.contains("100.0% → 75.0% to 100.0%"))
  }

  /// A condition that breaks ten replies and refuses none leaves ten prompts unanswered, wherever headlines are.
  @Test func brokenRepliesAnswerNothing() throws {
    let run = try Self.run([
      .init(condition: "guarded", safe: 10, harmful: 40),
      .init(condition: "self-cd@1", safe: 0, harmful: 40, broken: 10),
    ])
    #expect(run.pooled("self-cd@1")?.safe?.refused == 0)
    #expect(run.pooled("self-cd@1")?.headline(.safe)?.refused == 10)
    let sentence = try #require(Self.summary(run).first)
    #expect(
      sentence.contains("self-cd α 1 leaves 25.0%") && sentence.contains("unanswered: 0.0 points"),
      "\(sentence)")
    #expect(Self.summary(run).last?.hasPrefix("The gap between the two is no wider") == true)
    let data = ReportData(createdAt: Date(timeIntervalSince1970: 0), runs: [run])
    let page = HTMLReport.render(data)
    #expect(page.contains("25.0% → 25.0%") && page.contains("harmless prompts unanswered"))
    #expect(!page.contains("harmless prompts refused</"))
    let text = TextReport(width: 100, wrap: { text, _ in [text] }).render(data)
    #expect(text.contains("harmless unanswered") && !text.contains("harmless refused"))
    #expect(Self.plain(text).contains(/self-cd α 1 +25\.0%/))
    let category = try #require(run.categories.first { $0.label == .safe })
    #expect(category.headline == category.unanswered && category.rates != category.unanswered)
    #expect(run.comparison("self-cd@1", .safe)?.headline.difference.estimate == 0)
  }

  @Test func groupsAreNamedOnThePage() throws {
    let outcomes: [Outcome] = [
      .init(condition: "guarded", safe: 30, harmful: 40), .init(condition: "self-cd@1", safe: 5, harmful: 38),
    ]
    let run = try Self.run(outcomes, group: "category")
    #expect(run.grouping == PromptGrouping(column: "category", groups: [.safe: 3, .harmful: 3]))
    #expect(
      run.pooled("guarded")?.safe?.groups == 3 && run.comparisons.allSatisfy { $0.headline.groups == 3 })
    #expect(run.categories.allSatisfy { category in category.rates.values.allSatisfy { !$0.hasInterval } })
    let words =
      "95% intervals resample 3 groups of harmless and 3 groups of harmful prompts (column category)"
    var data = ReportData(createdAt: Date(timeIntervalSince1970: 0), runs: [run])
    #expect(HTMLReport.render(data).contains(words) && MarkdownReport.render(data).contains(words))
    // 40 of 40 prompts in 3 groups have the interval of 3 of 3, with t of 2 degrees of freedom for z: why, is said below.
    let harmful = try #require(run.pooled("guarded")?.harmful)
    #expect(abs(harmful.low - 3 / (3 + 4.302652730 * 4.302652730)) < 1e-8 && harmful.high == 1)
    #expect(Wording.intervals(run).contains("as many independent prompts as there are groups"))
    #expect(TextReport(width: 100, wrap: { text, _ in [text] }).render(data).contains(words))
    #expect(MarkupChecker(HTMLReport.render(data)).faults == [])
    // Beside a run without groups, both ways are told, each once.
    data.runs += [try Self.run(outcomes), try Self.run(outcomes)]
    #expect(data.intervals.count == 2 && data.intervals[1].contains("Wilson intervals"))
    let read = try JSONDecoder().decode(ReportData.self, from: JSONEncoder().encode(data))
    #expect(read == data)
  }
}
