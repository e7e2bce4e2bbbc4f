import Foundation

@testable import SelfCDData
@testable import SelfCDEval
@testable import SelfCDExplain
@testable import SelfCDJudges
@testable import SelfCDReport
@testable import SelfCDStatistics

/// Aggregates with names that try to get out of where they belong.
enum StudyFixture {
  static func interval(_ estimate: Double, _ half: Double = 0.05) -> BootstrapMean {
    BootstrapMean(
      ConfidenceInterval(estimate: estimate, low: estimate - half, high: estimate + half, confidence: 0.95))
  }

  static func attribution() throws -> AttributionStudy.Result {
    var groups: [AttributionStudy.Group] = []
    for set in [Sample.Label.safe, .harmful] {
      for method in [AttributionMethod.leaveOneOut, .shapley] {
        for (index, view) in ["guarded", "plain", "<i>odd"].enumerated() {
          for refused in [nil, true, false] as [Bool?] {
            groups.append(
              AttributionStudy.Group(
                set: set, method: method, view: view, refused: refused, n: 1200 - 100 * index,
                share: interval(0.5 - 0.1 * Double(index)), uniform: 0.14,
                focus: interval(2.5 - Double(index)),
                others: interval(0.2)))
          }
        }
      }
    }
    return AttributionStudy.Result(
      groups: groups,
      contrasts: [
        .init(
          set: .safe, method: .leaveOneOut, refusedUnder: "guarded", answeredUnder: "plain", n: 363,
          refusedShare: 0.47,
          answeredShare: 0.38, uniform: 0.14, share: interval(0.09, 0.02), focus: interval(1.2),
          others: interval(-0.1))
      ],
      agreements: [
        .init(
          view: "guarded", criterion: .greedy, n: 2000, agreeing: 1800, refusalsFound: 1400, refusals: 1500)
      ],
      recalls: [
        try recall(.safe, aware: nil), try recall(.harmful, aware: interval(0.62)),
      ], withoutFocus: 3, failures: 1)
  }

  /// Decoded, since there is no other way to make one outside its module.
  static func recall(_ set: Sample.Label, aware: BootstrapMean?) throws -> SignalRecall {
    struct Fields: Encodable {
      let set: Sample.Label
      let view = "guarded"
      let criterion = RefusalCriterion.score
      let n = 500
      let withTask = StudyFixture.interval(0.9)
      let taskAlone = StudyFixture.interval(0.3)
      let withObjectNamed: Int
      let signalAware: BootstrapMean?
      let words = 2.4
      let promptWords = 11.3
      let prompts = 38.2
      let calls = 6.1
    }
    return try JSONDecoder().decode(
      SignalRecall.self,
      from: JSONEncoder().encode(
        Fields(set: set, withObjectNamed: aware == nil ? 0 : 480, signalAware: aware)))
  }

  static func perturbations() throws -> PerturbationStudy.Result {
    let changes = Array(Perturbation.all.prefix(3)) + Perturbation.all.filter { !$0.keepsMeaning }.prefix(1)
    var rows: [PerturbationStudy.Row] = []
    for view in ["guarded", "plain"] {
      for set in [Sample.Label.safe, .harmful] {
        for (index, change) in ([nil] + changes.map { Optional($0) }).enumerated() {
          let refused = (set == .safe ? 8 : 17) + (index % 3)
          let before = (0..<20).map { $0 < (set == .safe ? 8 : 17) }
          rows.append(
            PerturbationStudy.Row(
              set: set, view: view, perturbation: change?.id,
              refusals: try RefusalRate((0..<20).map { $0 < refused ? .fullRefusal : .fullCompliance }),
              paired: change == nil
                ? nil
                : try PairedComparison((0..<20).map { $0 < refused }, against: before, named: "none")
            ))
        }
      }
    }
    return PerturbationStudy.Result(
      listVersion: "1", perturbations: changes, judge: "judge", rows: rows, failures: 2)
  }

  static func page(
    _ attribution: AttributionStudy.Result?, _ perturbations: PerturbationStudy.Result?
  ) -> StudyPage {
    StudyPage(
      model: "/somewhere/private/model <7b>.gguf", createdAt: Date(timeIntervalSince1970: 1_790_001_000),
      sets: Fixture.sets.map(StudyPage.Set.init), attribution: attribution, perturbations: perturbations,
      facts: [.init("Model SHA-256", String(repeating: "cd", count: 32)), .init("Command", Fixture.hostile)])
  }
}
