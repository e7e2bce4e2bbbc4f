import Foundation
import SelfCD
import SelfCDStatistics
import Testing

/// Reference values from SciPy and, where it has none, from a second implementation in Python: see
/// `Fixtures/make_statistics_fixture.py`, which writes the file these tests read.
@Suite struct StatisticsFixtureTests {
  private let fixture: StatisticsFixture

  init() throws {
    fixture = try StatisticsFixture.load()
  }

  @Test func normalQuantile() throws {
    #expect(fixture.quantile.count == 13)
    for row in fixture.quantile { expectClose(try NormalDistribution.quantile(row.p), row.x, "p \(row.p)") }
  }

  @Test func normalCumulative() {
    #expect(fixture.cumulative.count == 8)
    for row in fixture.cumulative { expectClose(NormalDistribution.cumulative(row.x), row.p, "x \(row.x)") }
  }

  @Test func incompleteBeta() throws {
    #expect(fixture.beta.count == 180)
    for row in fixture.beta {
      let value = try IncompleteBeta.regularized(row.x, a: row.a, b: row.b)
      expectClose(value, row.value, "a \(row.a) b \(row.b) x \(row.x)")
    }
  }

  @Test func incompleteBetaInverse() throws {
    #expect(fixture.betaInverse.count == 48)
    for row in fixture.betaInverse {
      let value = try IncompleteBeta.inverse(row.p, a: row.a, b: row.b)
      expectClose(value, row.x, "a \(row.a) b \(row.b) p \(row.p)")
    }
  }

  @Test func binomialMass() throws {
    #expect(fixture.mass.count == 56)
    for row in fixture.mass {
      let value = try BinomialDistribution.mass(successes: row.k, trials: row.n, probability: row.p)
      expectClose(value, row.value, "\(row.k)/\(row.n) p \(row.p)")
    }
  }

  @Test func wilson() throws {
    #expect(fixture.wilson.count == 42)
    for row in fixture.wilson {
      let interval = try WilsonInterval.of(successes: row.k, trials: row.n, confidence: row.level)
      expectClose(interval.low, row.low, "low of \(row.k)/\(row.n) at \(row.level)")
      expectClose(interval.high, row.high, "high of \(row.k)/\(row.n) at \(row.level)")
      #expect(interval.confidence == row.level)
    }
  }

  @Test func clopperPearson() throws {
    #expect(fixture.exact.count == 42)
    for row in fixture.exact {
      let interval = try ClopperPearson.interval(successes: row.k, trials: row.n, confidence: row.level)
      expectClose(interval.low, row.low, "low of \(row.k)/\(row.n) at \(row.level)")
      expectClose(interval.high, row.high, "high of \(row.k)/\(row.n) at \(row.level)")
    }
  }

  @Test func binomialTest() throws {
    #expect(fixture.test.count == 168)
    for row in fixture.test {
      let alternative = try #require(BinomialTest.Alternative(rawValue: row.alternative))
      let p = try BinomialTest.pValue(
        successes: row.k, trials: row.n, rate: row.rate, alternative: alternative)
      expectClose(p, row.p, "\(row.k)/\(row.n) against \(row.rate), \(row.alternative)")
    }
  }

  @Test func mcNemar() throws {
    #expect(fixture.mcnemar.count == 9)
    for row in fixture.mcnemar {
      expectClose(
        try McNemarTest.pValue(firstOnly: row.b, secondOnly: row.c), row.p, "\(row.b) against \(row.c)")
    }
  }

  @Test func holm() throws {
    #expect(fixture.holm.count == 5)
    for row in fixture.holm {
      let adjusted = try HolmCorrection.adjusted(row.p)
      #expect(adjusted.count == row.adjusted.count)
      for (ours, theirs) in zip(adjusted, row.adjusted) { expectClose(ours, theirs, "\(row.p)") }
    }
  }

  @Test func kappa() throws {
    #expect(fixture.kappa.count == 4)
    for row in fixture.kappa {
      var reference: [String] = []
      var judged: [String] = []
      for (r, counts) in row.table.enumerated() {
        for (c, count) in counts.enumerated() {
          reference += Array(repeating: "\(r)", count: count)
          judged += Array(repeating: "\(c)", count: count)
        }
      }
      let matrix = try ConfusionMatrix(
        reference: reference, judged: judged, labels: row.table.indices.map(String.init))
      #expect(matrix.counts == row.table)
      expectClose(try matrix.kappa(), row.value, "\(row.table)")
    }
  }

  @Test func generatorsGiveThePublishedStreams() {
    #expect(fixture.splitmix.count == 2)
    for row in fixture.splitmix {
      var generator = SplitMix64(seed: row.seed)
      #expect(row.outputs == row.outputs.map { _ in String(generator.next()) })
    }
    #expect(fixture.xoshiro.count == 3)
    for row in fixture.xoshiro {
      var generator = Xoshiro256StarStar(seed: row.seed)
      #expect(row.outputs == row.outputs.map { _ in String(generator.next()) })
    }
    // From the authors' own test of splitmix64.c, so that two wrong implementations cannot agree.
    var published = SplitMix64(seed: 1_234_567)
    #expect(published.next() == 6_457_827_717_110_365_317)
  }

  @Test func boundedIndicesRejectWhatWouldBiasThem() throws {
    #expect(fixture.bounded.count == 2)
    for row in fixture.bounded {
      let bound = try #require(Int(row.bound))
      var generator = Xoshiro256StarStar(seed: row.seed)
      #expect(row.outputs == row.outputs.map { _ in String(generator.index(below: bound)) })
    }
  }

  @Test func pairedBootstrap() throws {
    #expect(fixture.bootstrap.count == 2)
    for row in fixture.bootstrap {
      let interval = try PairedBootstrap.difference(
        row.first, row.second, resamples: row.resamples, confidence: row.level, seed: row.seed)
      expectClose(interval.estimate, row.estimate, "estimate, seed \(row.seed)")
      expectClose(interval.low, row.low, "low, seed \(row.seed)")
      expectClose(interval.high, row.high, "high, seed \(row.seed)")
    }
  }
}

@Suite struct PairedFixtureTests {
  let fixture: StatisticsFixture

  init() throws { fixture = try StatisticsFixture.load() }

  /// Two searches end within 1e-9 of each other; the reference maximises the likelihood numerically.
  @Test func tangosInterval() throws {
    for row in fixture.tango {
      let interval = try PairedScoreInterval.difference(
        firstOnly: row.b, secondOnly: row.c, n: row.n, confidence: row.level)
      #expect(abs(interval.low - row.low) < 1e-9, "\(row.b) and \(row.c) of \(row.n): \(interval)")
      #expect(abs(interval.high - row.high) < 1e-9, "\(row.b) and \(row.c) of \(row.n): \(interval)")
      #expect(interval.low <= interval.estimate && interval.estimate <= interval.high)
    }
    for (b, c, n) in [(0, 0, 0), (-1, 0, 3), (2, 2, 3), (4, 0, 3)] {
      #expect(throws: StatisticsError.self) {
        try PairedScoreInterval.difference(firstOnly: b, secondOnly: c, n: n)
      }
    }
  }
}

/// Closed forms agree to 1e-10, relative where the value is large or tiny and absolute within the unit scale.
func expectClose(
  _ ours: Double, _ theirs: Double, _ what: String, sourceLocation: SourceLocation = #_sourceLocation
) {
  let difference = abs(ours - theirs)
  let relative = difference / max(abs(theirs), 1e-280)
  #expect(
    difference < 1e-12 || relative < 1e-10,
    "\(what): ours \(ours), reference \(theirs), difference \(difference), relative \(relative)",
    sourceLocation: sourceLocation)
  // Tails are where p-values live: an absolute match alone would accept 0 for 1e-13.
  if abs(theirs) < 1e-2, theirs != 0 {
    #expect(
      relative < 1e-9, "\(what): small value, ours \(ours), reference \(theirs)",
      sourceLocation: sourceLocation)
  }
}
