import SelfCD
import Testing

@testable import SelfCDData
@testable import SelfCDEval

/// What a plan asks of a model's memory.
@Suite struct PlanSizeTests {
  static func plan(
    _ prompts: [String], _ strategies: [any DecodingStrategy], maximumTokens: Int = 100
  ) -> EvaluationPlan {
    EvaluationPlan(
      datasets: [EvaluationRunnerTests.dataset("set", .safe, prompts)],
      conditions: strategies.map { EvaluationCondition(strategy: $0) },
      options: .init(maximumTokens: maximumTokens))
  }

  @Test func lanesAreThoseOfAllRepliesAtMost() {
    let contrast: [any DecodingStrategy] = [Plain(), SelfContrastive()]
    #expect(Self.plan(["a"], [Plain()]).usefulLanes == 1...1)
    #expect(Self.plan(["a", "b", "c", "d", "e"], contrast).usefulLanes == 2...15)
    #expect(Self.plan((0..<100).map { "\($0)" }, contrast).usefulLanes == 2...64)
  }

  /// 16 bytes for a message's own text and 256 for the rest of a template, rounded up to a multiple of 256.
  @Test func theContextHoldsTheLongestPromptAndItsReply() {
    #expect(Self.plan([String(repeating: "x", count: 1000), "a"], [Plain()]).contextNeeded == 1536)
    #expect(Self.plan([String(repeating: "é", count: 500)], [Plain()]).contextNeeded == 1536, "bytes count")
    #expect(Self.plan([String(repeating: "x", count: 652)], [Plain()]).contextNeeded == 1024)
    #expect(Self.plan([String(repeating: "x", count: 653)], [Plain()]).contextNeeded == 1280)
    #expect(Self.plan(["a"], [Plain()], maximumTokens: 2000).contextNeeded == 2304)
    let long = SafetyEmphasis(text: String(repeating: "x", count: 3000))
    #expect(Self.plan(["a"], [Plain(), Guarded(emphasis: long)]).contextNeeded >= 3000 + 256 + 100)
  }
}
