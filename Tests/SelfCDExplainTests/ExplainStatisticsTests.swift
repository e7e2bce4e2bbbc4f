import Foundation
import SelfCD
import Testing

@testable import SelfCDExplain

/// Against SciPy (`Fixtures/make_explain_fixture.py`).
@Suite struct ExplainStatisticsTests {
  struct Fixture: Decodable {
    struct Row: Decodable {
      let row: [Float]
      let entropy: Double
      let margin: Double
    }
    struct Counts: Decodable {
      let counts: [Int]
      let entropy: Double
    }
    struct LogOdds: Decodable {
      let p: Double
      let value: Double
    }
    let rows: [Row]
    let counts: [Counts]
    let logOdds: [LogOdds]
  }

  static func fixture() throws -> Fixture {
    let url = try #require(Bundle.module.url(forResource: "explain", withExtension: "json"))
    return try JSONDecoder().decode(Fixture.self, from: Data(contentsOf: url))
  }

  @Test func entropyAndMarginAreSciPys() throws {
    for row in try Self.fixture().rows {
      #expect(abs(Sharpness.entropy(row.row) - row.entropy) < 1e-9 * max(1, row.entropy))
      #expect(abs((Sharpness.margin(row.row) ?? .nan) - row.margin) < 1e-5 * max(1, row.margin))
    }
  }

  @Test func entropyOfCountsIsSciPys() throws {
    for row in try Self.fixture().counts {
      #expect(abs(Sharpness.entropy(ofCounts: row.counts) - row.entropy) < 1e-12)
    }
  }

  @Test func logOddsAreSciPys() throws {
    for row in try Self.fixture().logOdds {
      #expect(abs(RefusalScore.logOdds(row.p) - row.value) < 1e-9 * max(1, abs(row.value)))
    }
  }

  @Test func excludedTokensHaveNoPart() {
    let row: [Float] = [0, -.infinity, 0, -.infinity]
    #expect(abs(Sharpness.entropy(row) - log(2)) < 1e-12)
    #expect(Sharpness.margin(row) == 0)
    #expect(Sharpness.margin([-.infinity, 3]) == nil)
    #expect(Sharpness.entropy([-.infinity, -.infinity]) == 0)
  }
}

/// Shapley values against sums over all orders.
@Suite struct ShapleySamplingTests {
  /// A value for every set of players, without any structure.
  static func value(_ players: some Collection<Int>, seed: UInt64) -> Double {
    var generator = SplitMix64(
      seed: players.sorted().reduce(seed) { ($0 &+ UInt64($1) &+ 1) &* 0x9E37_79B9_7F4A_7C15 })
    return Double(generator.next() >> 11) / Double(1 << 53)
  }

  static func exact(count: Int, seed: UInt64) -> [Double] {
    var sums = Array(repeating: 0.0, count: count)
    var orders = 0.0
    func visit(_ order: [Int], _ rest: [Int]) {
      guard !rest.isEmpty else {
        orders += 1
        for (position, player) in order.enumerated() {
          sums[player] +=
            value(order.prefix(position + 1), seed: seed) - value(order.prefix(position), seed: seed)
        }
        return
      }
      for player in rest { visit(order + [player], rest.filter { $0 != player }) }
    }
    visit([], Array(0..<count))
    return sums.map { $0 / orders }
  }

  static func estimate(_ sampling: ShapleySampling, count: Int, _ value: ([Int]) -> Double) throws -> (
    effects: [Double], standardErrors: [Double]?
  ) {
    sampling.estimate(try sampling.coalitions(count: count).map(value), count: count)
  }

  @Test(arguments: 1...6, [1, 2, 9])
  func contributionsAddUp(count: Int, pairs: Int) throws {
    for seed in 0..<5 as Range<UInt64> {
      let sampling = ShapleySampling(pairs: pairs, seed: seed)
      let (effects, errors) = try Self.estimate(sampling, count: count) { Self.value($0, seed: 7) }
      let whole = Self.value(0..<count, seed: 7) - Self.value([], seed: 7)
      #expect(abs(effects.reduce(0, +) - whole) < 1e-12)
      #expect((errors == nil) == (pairs == 1) && effects.count == count)
    }
  }

  @Test func additiveGamesAreExactFromOneOrder() throws {
    let weights = [3.0, -1, 0, 2.5, 0.25]
    let (effects, errors) = try Self.estimate(ShapleySampling(pairs: 4), count: 5) { set in
      set.reduce(1.0) { $0 + weights[$1] }
    }
    for (effect, weight) in zip(effects, weights) { #expect(abs(effect - weight) < 1e-12) }
    #expect((errors ?? [1]).allSatisfy { $0 < 1e-12 })
  }

  @Test func manyOrdersApproachTheExactValues() throws {
    let exact = Self.exact(count: 4, seed: 11)
    let (effects, errors) = try Self.estimate(ShapleySampling(pairs: 4_000, seed: 1), count: 4) {
      Self.value($0, seed: 11)
    }
    let standardErrors = try #require(errors)
    for player in 0..<4 {
      #expect(abs(effects[player] - exact[player]) < 4 * standardErrors[player])
      #expect(standardErrors[player] > 0 && standardErrors[player] < 0.02)
    }
  }

  @Test func seedsDecide() throws {
    #expect(ShapleySampling(seed: 1).orders(count: 9) == ShapleySampling(seed: 1).orders(count: 9))
    #expect(ShapleySampling(seed: 1).orders(count: 9) != ShapleySampling(seed: 2).orders(count: 9))
    #expect(throws: ExplanationError.self) { try ShapleySampling(pairs: 0).coalitions(count: 3) }
    for order in ShapleySampling(pairs: 3).orders(count: 7) { #expect(order.sorted() == Array(0..<7)) }
  }
}
