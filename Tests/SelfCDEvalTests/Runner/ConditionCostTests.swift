import Foundation
import SelfCD
import SelfCDTesting
import Testing

@testable import SelfCDEval

@Suite struct ConditionCostTests {
  /// What a reply costs is counted as if it were alone, whatever lanes it shared.
  @Test func lanesSharedWithOthersDoNotDistort() async throws {
    let sink = EvaluationRunnerTests.MemorySink()
    let model = try await EvaluationRunnerTests.model(lanes: 24)
    _ = try await EvaluationRunner(
      model: model, plan: EvaluationRunnerTests.plan(temperature: 0), judges: []
    ).run(into: sink)
    for reply in sink.replies {
      let cost = try #require(reply.cost)
      let steps = reply.steps.count - 1
      let expected: Int
      switch reply.key.condition {
      case "plain", "guarded": expected = steps
      // Two lanes for the first three tokens: the tokens chosen at steps 0 and 1 go to both.
      case "ada-cd@4.5": expected = steps + min(steps, 2)
      default: expected = 2 * steps
      }
      #expect(cost.decodedTokens == expected, "\(reply.key.condition)")
      #expect(cost.generatedTokens == reply.steps.count)
      #expect(cost.promptTokens > 0)
    }
    let cost = try #require(
      ConditionCost(
        sink.replies.filter { $0.key.condition == "self-cd@1" }.compactMap(\.cost), tokensPerSecond: 5,
        plain: 20))
    #expect(cost.lanesPerToken == 2 && cost.relativeSpeed == 0.25)
  }

  @Test func whatIsUnknownIsNil() {
    #expect(ConditionCost([]) == nil)
    let single = ConditionCost([ReplyCost(promptTokens: 3, generatedTokens: 1, decodedTokens: 0)])
    #expect(single?.lanesPerToken == nil && single?.promptTokens == 3 && single?.relativeSpeed == nil)
    #expect(SpeedTrial.median([]) == nil && SpeedTrial.median([3, 1, 2]) == 2)
    #expect(SpeedTrial.median([4, 1, 2, 3]) == 2.5)
  }

  struct Ranks: Decodable {
    struct Rank: Decodable {
      var count: Int
      var rank: Int
    }
    var ranks: [Rank]
  }

  /// The order statistics that enclose a median are SciPy's; `make_calibration_fixture.py` is beside the fixture.
  @Test func theMediansIntervalIsTheSignTests() throws {
    let url = try #require(Bundle.module.url(forResource: "calibration", withExtension: "json"))
    let fixture = try JSONDecoder().decode(Ranks.self, from: Data(contentsOf: url))
    #expect(fixture.ranks.count > 5)
    for item in fixture.ranks { #expect(SpeedTrial.rank(of: item.count) ?? 0 == item.rank, "\(item.count)") }
    #expect(SpeedTrial.rank(of: 0) == nil)
  }

  @Test func aSpeedThatIsNotKnownIsLeftOut() {
    #expect(SpeedTrial.speed([]) == nil && SpeedTrial.speed([10, 10, 10, 10, 10]) == nil, "too few")
    #expect(SpeedTrial.speed([10, 10.5, 9.5, 10, 10.9, 9.1]) == 10)
    #expect(SpeedTrial.speed([10, 10.5, 9.5, 10, 11.1, 9.1]) == nil, "11 % above the median")
    // With nine values the extremes do not matter: one interruption is no reason to leave it out.
    #expect(SpeedTrial.speed([10, 10, 10, 10, 10, 10, 10, 10, 1]) == 10)
  }

  @Test func everyConditionAndPlainIsTimed() async throws {
    let model = try await EvaluationRunnerTests.model(lanes: 4)
    var plan = EvaluationRunnerTests.plan(temperature: 0)
    plan.conditions.removeAll { $0.id == "plain" }
    let rates = try await SpeedTrial(model: model, plan: plan).rates(seconds: 0)
    #expect(Set(rates.keys) == Set(plan.conditions.map(\.id) + ["plain"]))
    #expect(rates.values.allSatisfy { $0.count == 1 && $0[0] > 0 })
    #expect(try await SpeedTrial(model: model, plan: plan).run(seconds: 0).isEmpty, "one reply says nothing")
    let work = Task { try await SpeedTrial(model: model, plan: plan).run(seconds: 1e6) }
    work.cancel()
    await #expect(throws: CancellationError.self) { try await work.value }
  }
}
