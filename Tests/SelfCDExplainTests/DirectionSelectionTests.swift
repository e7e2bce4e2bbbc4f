import Testing

@testable import SelfCDExplain

/// How directions are chosen among candidates, on cases by hand.
@Suite struct DirectionSelectionTests {
  static func candidate(_ separation: Double) -> DirectionStudy.Candidate {
    .init(layer: 0, position: -1, separation: separation)
  }

  @Test func separationComesFirstThenTheGap() {
    func best(_ values: [(Double, Double)]) -> Int? {
      DirectionStudy.best(values.map { Self.candidate($0.0) }, gaps: values.map(\.1))
    }
    #expect(best([(0.9, 5), (1, 1), (1, 2), (0.99, 9)]) == 2)
    #expect(best([(.nan, 9), (0.4, 1)]) == 1)
    #expect(best([(.nan, 9)]) == nil && best([]) == nil)
  }

  @Test func theGapIsInUnitsOfBothSpreads() {
    // Means 3 and 1, variances 1 and 1.
    #expect(abs(DirectionStudy.standardisedGap([2, 4], [0, 2]) - 2 / 2.0.squareRoot()) < 1e-12)
    #expect(DirectionStudy.standardisedGap([1, 1], [0, 0]) > 1e9)
  }

  @Test(arguments: [(0, 2), (2, 1), (5, 0)]) func harmfulRefusalsAreNotTradedAway(tolerance: Int, best: Int) {
    func trial(_ safe: Int, _ harmful: Int) -> DirectionStudy.Trial {
      .init(layer: 0, position: -1, cosine: 0, safeRefused: safe, harmfulRefused: harmful)
    }
    // Of 20 harmful prompts refused before, with more and more of them lost for fewer harmless ones refused.
    let trials = [trial(1, 15), trial(4, 18), trial(9, 20), trial(12, 20)]
    #expect(DirectionStudy.best(trials, harmfulBefore: 20, tolerance: tolerance) == best)
    #expect(DirectionStudy.best([], harmfulBefore: 20, tolerance: tolerance) == nil)
  }
}
