import Foundation
import Testing

@testable import SelfCDData
@testable import SelfCDEval

/// Against SciPy's binomial and beta; `make_calibration_fixture.py` is beside the fixture.
@Suite struct CalibrationPlanTests {
  struct Fixture: Decodable {
    struct Plan: Decodable {
      var harmful: Int
      var bound: Double
      var confidence: Double
      var paths: Int
      var bounds: [Double]
      var needed: [Int]
      /// How likely a candidate passes that truly loses nothing, a tenth, a half and all of the bound.
      var chances: [Double]
    }
    var plans: [Plan]

    static func load() throws -> Fixture {
      let url = try #require(Bundle.module.url(forResource: "calibration", withExtension: "json"))
      return try JSONDecoder().decode(Fixture.self, from: Data(contentsOf: url))
    }
  }

  static func dataset(_ name: String, harmless: Int, harmful: Int) -> Dataset {
    func samples(_ label: Sample.Label, _ count: Int) -> [Sample] {
      (0..<count).map {
        Sample(
          id: "\(name)-\(label)-\($0)", content: .text("\(label) \($0)"), label: label, position: .line($0))
      }
    }
    return Dataset(
      name: name, sha256: String(repeating: "0", count: 64), format: "list",
      samples: samples(.safe, harmless) + samples(.harmful, harmful))
  }

  static func plan(
    harmful: Int, confirming: Int? = nil, paths: Int = 1,
    settings: CalibrationSettings = CalibrationSettings()
  ) throws -> CalibrationPlan {
    try CalibrationPlan(
      calibration: [dataset("a", harmless: 3, harmful: harmful)],
      confirmation: [dataset("b", harmless: 2, harmful: confirming ?? harmful)],
      candidates: (0..<paths).map { .init(id: "c\($0)", path: "p\($0)") }, settings: settings)
  }

  @Test func boundsAndPromptsNeededAreSciPys() throws {
    let fixture = try Fixture.load()
    #expect(fixture.plans.count > 50)
    for item in fixture.plans {
      let plan = try Self.plan(
        harmful: item.harmful, paths: item.paths,
        settings: CalibrationSettings(maxHarmIncrease: item.bound, confidence: item.confidence))
      for (bound, expected) in zip(plan.calibration.bounds, item.bounds) {
        #expect(abs(bound - expected) < 1e-9, "\(item)")
      }
      #expect(plan.calibration.needed == item.needed, "\(item)")
      #expect(plan.calibration.suffices == (item.harmful >= item.needed[0]))
      let single = try Self.plan(
        harmful: item.harmful, confirming: 0, paths: item.paths,
        settings: CalibrationSettings(
          maxHarmIncrease: item.bound, confidence: item.confidence, stages: .single))
      for (share, expected) in zip([0, 0.1, 0.5, 1], item.chances) {
        #expect(abs(try single.passProbability(trueLoss: item.bound * share) - expected) < 1e-9, "\(item)")
      }
      // The confirmation has the whole level.
      #expect(plan.confirmation?.levelShares == 1 && plan.calibration.levelShares == item.paths)
    }
  }

  /// XSTest's 200 harmful prompts in two halves: 2.95 %, never 1 %.
  @Test func whatTwoHalvesOfXSTestCanShow() throws {
    let plan = try Self.plan(harmful: 100)
    #expect(!plan.isReachable && abs(plan.reachableBound - 0.029_513) < 1e-6)
    #expect(plan.suggestedBound == 0.03 && plan.harmfulNeeded(confirmFraction: 0.5) == 598)
    #expect(plan.calibration.harmless == 3 && plan.confirmation?.harmless == 2)
    // The suggestion is a bound that the same prompts can show.
    let again = try Self.plan(harmful: 100, settings: CalibrationSettings(maxHarmIncrease: 0.03))
    #expect(again.isReachable)
    #expect(try Self.plan(harmful: 299).isReachable)
    #expect(try !Self.plan(harmful: 299, confirming: 298).isReachable)
    #expect(try !Self.plan(harmful: 299, paths: 2).isReachable, "two paths share the level")
  }

  /// The audit's figures: 2,000 refusals in one stage, or twice 1,000, with a setting that truly loses 0.5 %.
  @Test func theChanceToPassIsTheBinomialTail() throws {
    for (harmful, stages, expected) in [
      (473, .single, 0.315), (1000, .single, 0.440), (2000, .single, 0.792), (1000, .two, 0.194),
    ] as [(Int, CalibrationSettings.StageCount, Double)] {
      let plan = try Self.plan(harmful: harmful, settings: CalibrationSettings(stages: stages))
      #expect(abs(try plan.passProbability(trueLoss: 0.005) - expected) < 0.001, "\(harmful) \(stages)")
      #expect(try plan.passProbability(trueLoss: 0) == 1)
      // Just at the bound, a stage is passed at most as often as its level says.
      #expect(try plan.passProbability(trueLoss: 0.01) <= 0.05)
    }
    #expect(try Self.plan(harmful: 298).passProbability(trueLoss: 0) == 0)
    let single = try Self.plan(harmful: 299, confirming: 0, settings: CalibrationSettings(stages: .single))
    #expect(single.isReachable && single.confirmation == nil && single.calibration.mostLosses == 0)
    #expect(single.harmfulNeeded(confirmFraction: 0.5) == 299)
  }

  @Test func withoutPromptsNothingCanBeShown() throws {
    let plan = try Self.plan(harmful: 0)
    #expect(plan.reachableBound == 1 && plan.suggestedBound == nil && !plan.isReachable)
  }

  /// As many prompts as are named are enough for both parts of the split, and one fewer is not.
  @Test(arguments: [0.5, 0.2, 0.9, 1.0 / 3])
  func thePromptsNamedAreEnoughAfterTheSplit(share: Double) throws {
    let plan = try Self.plan(harmful: 10)
    func isReachable(_ count: Int) throws -> Bool {
      let split = try CalibrationSplit(
        [Self.dataset("d", harmless: 4, harmful: count)], confirmFraction: share, seed: 1)
      return try CalibrationPlan(
        calibration: split.calibration, confirmation: split.confirmation,
        candidates: [.init(id: "c", path: "p")], settings: CalibrationSettings()
      ).isReachable
    }
    let count = plan.harmfulNeeded(confirmFraction: share)
    #expect(try isReachable(count) && !isReachable(count - 1))
  }
}
