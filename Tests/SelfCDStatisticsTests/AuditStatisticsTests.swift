import SelfCDStatistics
import Testing

/// What audits are computed by, against SciPy and a second implementation in Python.
@Suite struct AuditStatisticsTests {
  private let fixture: StatisticsFixture

  init() throws { fixture = try StatisticsFixture.load() }

  @Test func hypergeometric() throws {
    #expect(fixture.hypergeometric.count == 13)
    for row in fixture.hypergeometric {
      let what = "\(row.drawn) of \(row.successes), \(row.sample) of \(row.population)"
      expectClose(
        try HypergeometricDistribution.mass(
          drawn: row.drawn, sample: row.sample, successes: row.successes, population: row.population),
        row.mass, "mass of \(what)")
      expectClose(
        try HypergeometricDistribution.cumulative(
          drawn: row.drawn, sample: row.sample, successes: row.successes, population: row.population),
        row.cumulative, "cumulative of \(what)")
    }
  }

  @Test func massesAddUp() throws {
    for (sample, successes, population) in [(7, 5, 11), (40, 100, 300), (299, 3, 300)] {
      var sum = 0.0
      for drawn in 0...sample {
        sum += try HypergeometricDistribution.mass(
          drawn: drawn, sample: sample, successes: successes, population: population)
      }
      #expect(abs(sum - 1) < 1e-12)
    }
  }

  @Test func mostSuccesses() throws {
    #expect(fixture.most.count == 30)
    for row in fixture.most {
      let most = try FinitePopulation.mostSuccesses(
        in: row.sample, with: row.successes, population: row.population, confidence: row.level)
      #expect(most == row.most, "\(row)")
    }
    #expect(try FinitePopulation.mostSuccesses(in: 0, with: 0, population: 0) == 0)
    // Nothing read, nothing known; everything read, nothing open.
    #expect(try FinitePopulation.mostSuccesses(in: 0, with: 0, population: 9) == 9)
    #expect(try FinitePopulation.mostSuccesses(in: 9, with: 4, population: 9) == 4)
  }

  @Test func wilsonOfEstimates() throws {
    #expect(fixture.wilsonReal.count == 10)
    for row in fixture.wilsonReal {
      let interval = try WilsonInterval.of(proportion: row.p, trials: row.n, confidence: row.level)
      expectClose(interval.low, row.low, "low of \(row.p), \(row.n)")
      expectClose(interval.high, row.high, "high of \(row.p), \(row.n)")
    }
    let counted = try WilsonInterval.of(successes: 3, trials: 17)
    #expect(try WilsonInterval.of(proportion: 3.0 / 17, trials: 17) == counted)
  }

  @Test func ratesByStrata() throws {
    #expect(fixture.doubleRate.count == 10)
    for row in fixture.doubleRate {
      let strata = row.strata.map {
        DoubleSampling.Stratum(items: Int($0[0]), read: Int($0[1]), successes: Int($0[2]), assumed: $0[3])
      }
      let interval = try DoubleSampling.rate(strata, confidence: row.level)
      #expect(abs(interval.estimate - row.estimate) < 1e-12, "\(row)")
      #expect(abs(interval.low - row.low) < 1e-9, "\(row) \(interval)")
      #expect(abs(interval.high - row.high) < 1e-9, "\(row) \(interval)")
    }
  }

  @Test func differencesByStrata() throws {
    #expect(fixture.doubleDifference.count == 10)
    for row in fixture.doubleDifference {
      let strata = row.strata.map {
        DoubleSampling.PairedStratum(
          items: Int($0[0]), read: Int($0[1]), firstOnly: Int($0[2]), secondOnly: Int($0[3]))
      }
      let interval = try DoubleSampling.difference(
        strata, identical: row.identical ?? 0, confidence: row.level)
      #expect(abs(interval.estimate - row.estimate) < 1e-12, "\(row)")
      #expect(abs(interval.low - row.low) < 1e-9, "\(row) \(interval)")
      #expect(abs(interval.high - row.high) < 1e-9, "\(row) \(interval)")
    }
  }

  /// Everything read in one stratum is an ordinary rate, with an ordinary interval.
  @Test func readingEverythingChangesNothing() throws {
    let own = try DoubleSampling.rate([.init(items: 60, read: 60, successes: 11)])
    let plain = try WilsonInterval.of(successes: 11, trials: 60)
    #expect(abs(own.low - plain.low) < 1e-15 && abs(own.high - plain.high) < 1e-15)
    let paired = try DoubleSampling.difference(
      [.init(items: 20, read: 20, firstOnly: 7, secondOnly: 2)], identical: 30)
    let tango = try PairedScoreInterval.difference(firstOnly: 7, secondOnly: 2, n: 50)
    #expect(abs(paired.low - tango.low) < 1e-15 && abs(paired.high - tango.high) < 1e-15)
    let bound = try AuditedLossBound(
      changed: .init(items: 5, read: 5, trials: 5, lost: 2),
      unchanged: .init(items: 40, read: 40, trials: 40), identical: .init(items: 55, read: 55, trials: 55),
      readsAll: true)
    #expect(bound.bound == (try ClopperPearson.upperBound(successes: 2, trials: 100)))
    #expect(bound.rateHere == 0.02 && bound.confidenceHere == 1 && bound.estimate == 0.02)
  }

  @Test func auditedBounds() throws {
    #expect(fixture.audited.count == 12)
    for row in fixture.audited {
      let groups = row.groups.map {
        AuditedLossBound.Group(items: $0[0], read: $0[1], trials: $0[2], lost: $0[3])
      }
      let bound = try AuditedLossBound(
        changed: groups[0], unchanged: groups[1], identical: groups[2], readsAll: row.readsAll,
        confidence: row.level)
      #expect(bound.mostLosses == row.mostLosses && bound.fewestTrials == row.fewestTrials, "\(row)")
      expectClose(bound.bound, row.bound, "\(row)")
      #expect(bound.found == groups.reduce(0) { $0 + $1.lost })
    }
  }

  /// Reading more of the same cannot make the bound larger.
  @Test func readingMoreHelps() throws {
    var last = 1.1
    for read in [0, 10, 50, 100, 300, 900, 1000] {
      let bound = try AuditedLossBound(
        changed: .init(items: 12, read: 12, trials: 12, lost: 1),
        unchanged: .init(items: 1000, read: read, trials: read),
        identical: .init(items: 500, read: 100, trials: 100)
      ).bound
      #expect(bound < last)
      last = bound
    }
  }

  @Test func impossibleCountsAreRefused() {
    let all = AuditedLossBound.Group(items: 5, read: 5, trials: 5, lost: 1)
    let none = AuditedLossBound.Group()
    let wrong: [(AuditedLossBound.Group, AuditedLossBound.Group, AuditedLossBound.Group)] = [
      (.init(items: 5, read: 4, trials: 4), none, none), (all, none, all),
      (.init(items: 5, read: 5, trials: 6), none, none),
      (.init(items: 5, read: 5, trials: 1, lost: 2), none, none), (.init(items: -1), none, none),
    ]
    for (changed, unchanged, identical) in wrong {
      #expect(throws: StatisticsError.self) {
        try AuditedLossBound(changed: changed, unchanged: unchanged, identical: identical)
      }
    }
    #expect(throws: StatisticsError.self) {
      try AuditedLossBound(changed: all, unchanged: .init(items: 3), identical: none, readsAll: true)
    }
    #expect(throws: StatisticsError.self) { try DoubleSampling.rate([]) }
    #expect(throws: StatisticsError.self) {
      try DoubleSampling.rate([.init(items: 3, read: 4, successes: 0)])
    }
    #expect(throws: StatisticsError.self) {
      try DoubleSampling.difference([.init(items: 3, read: 3, firstOnly: 2, secondOnly: 2)])
    }
    #expect(throws: StatisticsError.self) { try MoverInterval.sum([]) }
    #expect(throws: StatisticsError.self) {
      try FinitePopulation.mostSuccesses(in: 4, with: 5, population: 9)
    }
    #expect(throws: StatisticsError.self) {
      try HypergeometricDistribution.mass(drawn: 0, sample: 3, successes: 1, population: 2)
    }
  }

  @Test func drawsAreFairAndStay() {
    var generator = Xoshiro256StarStar(seed: 11)
    var counts = Array(repeating: 0, count: 5)
    for _ in 0..<10_000 {
      let drawn = generator.draw(2, of: [0, 1, 2, 3, 4])
      #expect(Set(drawn).count == 2)
      for item in drawn { counts[item] += 1 }
    }
    // Five standard deviations of a binomial count of 10,000 at 2/5.
    for count in counts { #expect(abs(count - 4_000) < 245) }
    #expect(generator.draw(9, of: [1, 2]).sorted() == [1, 2] && generator.draw(-1, of: [1]).isEmpty)
    var (one, other) = (Xoshiro256StarStar(seed: 1), Xoshiro256StarStar(seed: 1))
    #expect(one.draw(6, of: Array(0..<9)) == other.draw(6, of: Array(0..<9)))
  }
}
