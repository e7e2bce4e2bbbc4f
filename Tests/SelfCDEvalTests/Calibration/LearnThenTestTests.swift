import Foundation
import Testing

@testable import SelfCDEval
@testable import SelfCDStatistics

/// Against SciPy and a second implementation; `make_calibration_fixture.py` is beside the fixture.
@Suite struct LearnThenTestTests {
  struct Fixture: Decodable {
    struct Candidate: Decodable {
      var path: String
      var lost: Int
      var trials: Int
    }
    struct Decisions: Decodable {
      var passes: [Bool]
      var bounds: [Double]
    }
    struct Case: Decodable {
      var bound: Double
      var confidence: Double
      var candidates: [Candidate]
      var p: [Double]
      var fixedSequence: Decisions
      var holm: Decisions

      private enum CodingKeys: String, CodingKey {
        case bound, confidence, candidates, p, holm
        case fixedSequence = "fixed-sequence"
      }
    }
    struct Needed: Decodable {
      var lost: Int
      var bound: Double
      var confidence: Double
      var trials: Int
    }
    var cases: [Case]
    var needed: [Needed]

    static func load() throws -> Fixture {
      let url = try #require(Bundle.module.url(forResource: "calibration", withExtension: "json"))
      return try JSONDecoder().decode(Fixture.self, from: Data(contentsOf: url))
    }
  }

  @Test(arguments: LearnThenTest.Procedure.allCases)
  func decisionsAreTheReferences(procedure: LearnThenTest.Procedure) throws {
    let fixture = try Fixture.load()
    var passed = 0
    for (number, item) in fixture.cases.enumerated() {
      let findings = try LearnThenTest.test(
        item.candidates.enumerated().map {
          .init(id: "\($0)", path: $1.path, lost: $1.lost, trials: $1.trials)
        }, bound: item.bound, confidence: item.confidence, procedure: procedure)
      let expected = procedure == .holm ? item.holm : item.fixedSequence
      #expect(findings.map(\.passes) == expected.passes, "case \(number)")
      for (finding, (p, bound)) in zip(findings, zip(item.p, expected.bounds)) {
        #expect(abs(finding.pValue - p) <= 1e-10 * max(p, 1e-3), "case \(number)")
        #expect(abs(finding.bestBound - bound) < 1e-9, "case \(number)")
      }
      passed += findings.count(where: \.passes)
    }
    #expect(passed > 50)
  }

  @Test func promptsNeededAreThoseOfTheBinomial() throws {
    let fixture = try Fixture.load()
    for item in fixture.needed {
      let settings = CalibrationSettings(maxHarmIncrease: item.bound, confidence: item.confidence)
      #expect(try settings.promptsNeeded(losses: item.lost) == item.trials)
    }
    let usual = CalibrationSettings()
    #expect(try usual.promptsNeeded(losses: 0) == 299 && usual.promptsNeeded(losses: 1) == 473)
  }

  /// A bound just met is a bound passed, one a little smaller is not: the bound quoted is the smallest.
  @Test(arguments: LearnThenTest.Procedure.allCases)
  func theBestBoundIsTheSmallestThatPasses(procedure: LearnThenTest.Procedure) throws {
    let candidates = [0, 3, 2, 9].enumerated().map {
      LearnThenTest.Candidate(id: "\($0)", path: "p", lost: $1, trials: 800)
    }
    func passes(_ index: Int, _ bound: Double) throws -> Bool {
      try LearnThenTest.test(candidates, bound: bound, confidence: 0.95, procedure: procedure)[index].passes
    }
    for (index, finding) in try LearnThenTest.test(
      candidates, bound: 0.01, confidence: 0.95, procedure: procedure
    ).enumerated() {
      #expect(try passes(index, finding.bestBound + 1e-9))
      // Holm's own bound can be smaller than Bonferroni's, which is quoted.
      if procedure == .fixedSequence { #expect(try !passes(index, finding.bestBound - 1e-9)) }
    }
  }

  @Test func holmsLevelsAreThoseThatDecide() throws {
    for item in try Fixture.load().cases {
      let findings = try LearnThenTest.test(
        item.candidates.enumerated().map {
          .init(id: "\($0)", path: $1.path, lost: $1.lost, trials: $1.trials)
        }, bound: item.bound, confidence: item.confidence, procedure: .holm)
      for finding in findings { #expect(finding.passes == (finding.pValue <= finding.level)) }
    }
  }

  @Test func wrongSettingsAreErrors() {
    let candidate = LearnThenTest.Candidate(id: "a", path: "p", lost: 0, trials: 10)
    for (bound, confidence) in [(0, 0.95), (1, 0.95), (0.01, 0), (0.01, 1), (.nan, 0.95), (0.01, .infinity)] {
      #expect(throws: StatisticsError.self) {
        try LearnThenTest.test([candidate], bound: bound, confidence: confidence, procedure: .holm)
      }
    }
    #expect(throws: StatisticsError.self) {
      try LearnThenTest.test(
        [.init(id: "a", path: "p", lost: 11, trials: 10)], bound: 0.01, confidence: 0.95,
        procedure: .fixedSequence)
    }
  }
}
