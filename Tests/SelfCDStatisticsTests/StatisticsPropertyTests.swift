import SelfCDStatistics
import Testing

@Suite struct StatisticsPropertyTests {
  @Test func sampleSizesOfTheCalibrationGuarantee() throws {
    #expect(try ClopperPearson.trialsNeeded(successes: 0, rate: 0.01) == 299)
    #expect(try ClopperPearson.trialsNeeded(successes: 1, rate: 0.01) == 473)
    #expect(try ClopperPearson.upperBound(successes: 0, trials: 299) <= 0.01)
    #expect(try ClopperPearson.upperBound(successes: 0, trials: 298) > 0.01)
    #expect(try ClopperPearson.upperBound(successes: 1, trials: 473) <= 0.01)
    #expect(try ClopperPearson.upperBound(successes: 1, trials: 472) > 0.01)
  }

  @Test func boundsAndTestsAreTwoViewsOfOneThing() throws {
    for (k, n) in [(0, 20), (1, 50), (7, 50), (49, 50), (12, 1_000)] {
      let bound = try ClopperPearson.upperBound(successes: k, trials: n, confidence: 0.9)
      let p = try BinomialTest.pValue(successes: k, trials: n, rate: bound, alternative: .less)
      #expect(abs(p - 0.1) < 1e-10)
      let low = try ClopperPearson.lowerBound(successes: n - k, trials: n, confidence: 0.9)
      #expect(abs(low - (1 - bound)) < 1e-12)
    }
  }

  @Test func intervalsAreOrderedAndInsideTheUnitInterval() throws {
    for n in [1, 2, 7, 450] {
      for k in 0...n {
        for interval in [
          try WilsonInterval.of(successes: k, trials: n),
          try ClopperPearson.interval(successes: k, trials: n),
        ] {
          #expect(interval.low >= 0)
          #expect(interval.high <= 1)
          #expect(interval.low <= interval.estimate)
          #expect(interval.estimate <= interval.high)
        }
      }
    }
  }

  @Test func binomialTailsAddUp() throws {
    for (k, n, p) in [(3, 10, 0.2), (150, 300, 0.5), (1, 2_000, 0.001)] {
      let below = try BinomialDistribution.cumulative(successes: k, trials: n, probability: p)
      let above = try BinomialDistribution.upperTail(successes: k + 1, trials: n, probability: p)
      #expect(abs(below + above - 1) < 1e-13)
      var sum = 0.0
      for j in 0...k { sum += try BinomialDistribution.mass(successes: j, trials: n, probability: p) }
      #expect(abs(sum - below) < 1e-12)
    }
  }

  @Test func mcNemarCountsPairs() throws {
    let test = try McNemarTest(
      first: [true, true, true, false, false, true], second: [true, false, false, true, false, false])
    #expect(test.firstOnly == 3)
    #expect(test.secondOnly == 1)
    #expect(test.both == 1)
    #expect(test.neither == 1)
    #expect(abs(test.pValue - 0.625) < 1e-14)
  }

  @Test func mcNemarIsSymmetric() throws {
    for (b, c) in [(2, 11), (0, 7), (30, 31)] {
      #expect(
        try McNemarTest.pValue(firstOnly: b, secondOnly: c)
          == McNemarTest.pValue(firstOnly: c, secondOnly: b))
    }
  }

  @Test func bootstrapDependsOnItsSeedAndOnNothingElse() throws {
    let a = (0..<80).map { Double($0 % 3) }
    let b = (0..<80).map { Double($0 % 2) }
    let one = try PairedBootstrap.difference(a, b, resamples: 500, seed: 5)
    #expect(try PairedBootstrap.difference(a, b, resamples: 500, seed: 5) == one)
    #expect(try PairedBootstrap.difference(a, b, resamples: 500, seed: 6) != one)
    #expect(one.low <= one.estimate && one.estimate <= one.high)
    let equal = try PairedBootstrap.difference(a, a, resamples: 50, seed: 1)
    #expect(equal.low == 0 && equal.high == 0)
  }

  @Test func boundedIndicesAreUniform() {
    var generator = Xoshiro256StarStar(seed: 3)
    var counts = [0, 0, 0, 0, 0, 0, 0]
    for _ in 0..<70_000 { counts[generator.index(below: 7)] += 1 }
    // Five standard deviations of a binomial count; the seed is fixed, so this cannot fail by chance later.
    for count in counts { #expect(abs(count - 10_000) < 463) }
    #expect(generator.index(below: 1) == 0)
    #expect(generator.index(below: 0) == 0)
  }

  @Test func holmRejectsAtLeastWhatBonferroniDoes() throws {
    let p = [0.001, 0.02, 0.013, 0.5, 0.04]
    for (raw, adjusted) in zip(p, try HolmCorrection.adjusted(p)) {
      #expect(adjusted >= raw)
      #expect(adjusted <= min(1, raw * Double(p.count)))
    }
  }

  @Test func kappaOfOneSharedClassIsOne() throws {
    #expect(try ConfusionMatrix(reference: ["a", "a"], judged: ["a", "a"]).kappa() == 1)
  }

  @Test func impossibleInputsAreRefused() {
    #expect(throws: StatisticsError.countOutOfRange(name: "trials", value: 0, allowed: "at least 1")) {
      try WilsonInterval.of(successes: 0, trials: 0)
    }
    #expect(throws: StatisticsError.self) { try WilsonInterval.of(successes: 11, trials: 10) }
    #expect(throws: StatisticsError.self) { try WilsonInterval.of(successes: -1, trials: 10) }
    #expect(throws: StatisticsError.self) { try WilsonInterval.of(successes: 1, trials: 10, confidence: 1) }
    #expect(throws: StatisticsError.self) {
      try WilsonInterval.of(successes: 1, trials: 10, confidence: .nan)
    }
    #expect(throws: StatisticsError.self) { try IncompleteBeta.regularized(0.5, a: 0, b: 1) }
    #expect(throws: StatisticsError.self) { try IncompleteBeta.regularized(.nan, a: 1, b: 1) }
    #expect(throws: StatisticsError.self) { try NormalDistribution.quantile(0) }
    #expect(throws: StatisticsError.self) { try HolmCorrection.adjusted([0.1, .nan]) }
    #expect(throws: StatisticsError.unpaired(first: 1, second: 2)) {
      try McNemarTest(first: [true], second: [true, false])
    }
    #expect(throws: StatisticsError.notFinite(what: "the paired differences", index: 1)) {
      try PairedBootstrap.difference([0, .infinity], [0, 1], seed: 1)
    }
    #expect(throws: StatisticsError.self) { try ConfusionMatrix(labels: ["a"]).accuracy() }
    #expect(StatisticsError.empty(what: "x").description.contains("nothing was selected"))
  }

  /// Tests that were not made count as made and without any effect.
  @Test func holmCountsWhatWasNotSelected() throws {
    let chosen = [0.01, 0.004]
    let all = try HolmCorrection.adjusted(chosen + [1, 1, 1])
    #expect(try HolmCorrection.adjusted(chosen, outOf: 5) == Array(all.prefix(2)))
    #expect(throws: StatisticsError.self) { try HolmCorrection.adjusted(chosen, outOf: 1) }
  }
}
