import Foundation
import SelfCDStatistics
import Testing

@testable import SelfCDData
@testable import SelfCDEval
@testable import SelfCDJudges

/// Figures of a run whose prompts belong together.
@Suite struct GroupedSummaryTests {
  private typealias Plain = EvaluationSummaryTests

  /// Twelve prompts of three kinds: guarded refuses those of two kinds, Self-CD those of one; one has no kind.
  private static func replies(kinds: Int = 3, without: Int = 0) -> [EvaluatedReply] {
    (0..<12).flatMap { index -> [EvaluatedReply] in
      let kind = index % kinds
      let fields = index < without ? [:] : ["kind": "k\(kind)"]
      func reply(_ condition: String, _ refuses: Bool) -> EvaluatedReply {
        Plain.reply(condition, index, refuses ? .fullRefusal : .fullCompliance, fields: fields)
      }
      return [
        reply("guarded", kind < 2), reply("plain", false), reply("self-cd@2.5", kind == 0),
      ]
    }
  }

  private static func summary(
    _ replies: [EvaluatedReply], group: String? = "kind"
  ) throws -> EvaluationSummary {
    try EvaluationSummary(replies, conditions: Plain.conditions, judge: "j", group: group)
  }

  @Test func ratesAndDifferencesGoByGroups() throws {
    let grouped = try Self.summary(Self.replies())
    let apart = try Self.summary(Self.replies(), group: nil)
    #expect(grouped.grouping == PromptGrouping(column: "kind", groups: [.safe: 3]) && apart.grouping == nil)
    let (row, other) = (
      try #require(grouped.row("guarded", .safe)), try #require(apart.row("guarded", .safe))
    )
    #expect(row.refusals.rate == other.refusals.rate && row.refusals.groups == 3)
    #expect(row.refusals.high - row.refusals.low > other.refusals.high - other.refusals.low)
    let paired = try #require(grouped.row("plain", .safe)?.paired)
    let single = try #require(apart.row("plain", .safe)?.paired)
    #expect(paired.difference.estimate == single.difference.estimate && paired.onlyReference == 8)
    #expect(paired.groups == 3 && single.groups == nil)
    // Two groups differ, all in one direction: 2 of the 4 choices of signs are as far from 0. Eight prompts would be 1/128.
    #expect(abs(paired.pValue - 0.5) < 1e-12 && abs(single.pValue - 2 / 256.0) < 1e-12)
    #expect(paired.difference.low < single.difference.low && paired.difference.high >= single.difference.high)
    // Holm over both comparisons, as elsewhere.
    #expect(abs(paired.adjustedPValue - 1) < 1e-12)
    #expect(grouped.datasets.allSatisfy { $0.refusal.groups == 3 && $0.full.groups == 3 })
    #expect(row.categories["high"]?.groups == 3 && row.categories["low"]?.groups == 2)
  }

  @Test func aPromptWithoutAValueIsAGroupOfItsOwn() throws {
    let summary = try Self.summary(Self.replies(without: 2))
    #expect(summary.grouping?.safe == 5)
  }

  @Test func oneGroupHasNoIntervalAndNoEvidence() throws {
    let summary = try Self.summary(Self.replies(kinds: 1))
    let row = try #require(summary.row("plain", .safe))
    #expect(!row.refusals.hasInterval && row.refusals.groups == 1)
    let paired = try #require(row.paired)
    #expect(!paired.hasInterval && abs(paired.pValue - 1) < 1e-12 && paired.difference.estimate == -1)
    let json = try JSONSerialization.jsonObject(with: JSONEncoder().encode(paired)) as? [String: Any]
    let difference = try #require(json?["difference"] as? [String: Any])
    #expect(difference["low"] is NSNull && difference["estimate"] as? Double == -1)
    #expect(try JSONDecoder().decode(PairedComparison.self, from: JSONEncoder().encode(paired)) == paired)
    #expect(summary.grouping?.missingIntervals != nil)
  }

  @Test func theWordsNameColumnAndNumbers() {
    func words(_ groups: [Sample.Label: Int]) -> String {
      PromptGrouping(column: "kind", groups: groups).intervals
    }
    #expect(
      words([.safe: 12, .harmful: 1])
        == "intervals resample 12 groups of harmless and 1 group of harmful prompts (column kind)")
    #expect(words([.harmful: 4]) == "intervals resample 4 groups of harmful prompts (column kind)")
    #expect(words([:]) == "intervals resample whole groups (column kind)")
  }

  /// A broken reply answers nothing: headlines of harmless prompts count it, and so does their comparison.
  @Test func headlinesCountBrokenReplies() throws {
    let replies = (0..<10).flatMap { index in
      [Sample.Label.safe, .harmful].flatMap { label in
        [
          Plain.reply("guarded", index, .fullRefusal, label: label),
          Plain.reply("plain", index, index < 6 ? .degenerate : .fullCompliance, label: label),
        ]
      }
    }
    let summary = try Self.summary(replies, group: nil)
    let (safe, harmful) = (
      try #require(summary.row("plain", .safe)), try #require(summary.row("plain", .harmful))
    )
    #expect(safe.refusals.refused == 0 && safe.headline.refused == 6 && harmful.headline.refused == 0)
    #expect(safe.paired?.onlyReference == 10 && safe.headlinePaired?.onlyReference == 4)
    #expect(harmful.headlinePaired == harmful.paired)
    #expect(safe.categoriesUnanswered["low"]?.refused == 2 && safe.categories["low"]?.refused == 0)
  }
}
