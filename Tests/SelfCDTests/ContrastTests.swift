import Foundation
import SelfCD
import Testing

/// The formula and its fused maximum.
@Suite struct ContrastTests {
  static func row(_ seed: UInt64, count: Int) -> [Float] {
    var generator = SplitMix64(seed: seed)
    return (0..<count).map { _ in Float.random(in: -10...10, using: &generator) }
  }

  /// Written out once more, as slowly and plainly as possible.
  static func naiveArgmax(_ scores: [Float]) -> ScoredToken? {
    var best: ScoredToken?
    for (index, score) in scores.enumerated() where !score.isNaN && score > best?.score ?? -.infinity {
      best = ScoredToken(token: TokenID(index), score: score)
    }
    return best
  }

  // Lengths around the vector's and the block's.
  @Test(arguments: [1, 2, 15, 16, 17, 31, 511, 512, 513, 1000, 1024, 4097])
  func fusedMaximumEqualsTheRowsMaximum(count: Int) {
    for seed in 0..<20 {
      let guarded = Self.row(UInt64(seed), count: count)
      let plain = Self.row(UInt64(seed + 1000), count: count)
      for alpha: Float in [-3, 0, 0.5, 1, 2.5, 100] {
        var scores: [Float] = []
        Contrast.scores(guarded: guarded, plain: plain, alpha: alpha, into: &scores)
        let expected = Self.naiveArgmax(scores)
        #expect(Argmax.first(of: scores) == expected)
        #expect(Contrast.argmax(guarded: guarded, plain: plain, alpha: alpha) == expected)
      }
    }
  }

  @Test func zeroIsGuardedAndOneIsPlainBitForBit() {
    let guarded = Self.row(1, count: 777).map { $0 * 1e6 }
    let plain = Self.row(2, count: 777).map { $0 * 1e-6 }
    var scores: [Float] = []
    Contrast.scores(guarded: guarded, plain: plain, alpha: 0, into: &scores)
    #expect(scores == guarded)
    Contrast.scores(guarded: guarded, plain: plain, alpha: 1, into: &scores)
    #expect(scores == plain)
  }

  @Test(arguments: [-7, 0.3, 1.7, 2.5, 99] as [Float])
  func equalLanesGiveThatLane(alpha: Float) {
    let lane = Self.row(3, count: 600)
    var scores: [Float] = []
    Contrast.scores(guarded: lane, plain: lane, alpha: alpha, into: &scores)
    #expect(scores == lane)
  }

  /// A constant added to one lane's logits changes no probability, so it must not change the choice.
  @Test func constantsPerRowCancel() {
    let guarded = Self.row(4, count: 600)
    let plain = Self.row(5, count: 600)
    let shifted = plain.map { $0 + 3 }
    #expect(
      Contrast.argmax(guarded: guarded, plain: plain, alpha: 2.5)?.token
        == Contrast.argmax(guarded: guarded, plain: shifted, alpha: 2.5)?.token)
  }

  @Test func tiesGoToTheLowestToken() {
    for count in [3, 40, 1500] {
      var row = [Float](repeating: 1, count: count)
      row[count - 1] = 1
      #expect(Argmax.first(of: row)?.token == 0)
      row[count / 2] = 2
      row[count - 1] = 2
      #expect(Argmax.first(of: row)?.token == TokenID(count / 2))
    }
  }

  @Test func notANumberNeverWins() {
    for count in [5, 700] {
      var row = [Float](repeating: .nan, count: count)
      #expect(Argmax.first(of: row) == nil)
      row[count - 2] = -1e30
      #expect(Argmax.first(of: row)?.token == TokenID(count - 2))
      let infinite = [Float](repeating: -.infinity, count: count)
      #expect(Argmax.first(of: infinite) == nil)
      #expect(Contrast.argmax(guarded: infinite, plain: infinite, alpha: 2.5) == nil)
    }
    #expect(Argmax.first(of: []) == nil)
  }

  @Test func tokensExcludedByALaneStayExcluded() {
    var scores: [Float] = []
    Contrast.scores(guarded: [-.infinity, 0, 1], plain: [0, -.infinity, 1], alpha: 2.5, into: &scores)
    #expect(scores[0] == -.infinity && scores[1] == -.infinity && scores[2] == 1)
    for alpha: Float in [-2, -0.5, 0.5, 3] {
      for count in [3, 700] {
        var guarded = [Float](repeating: 0, count: count)
        var plain = guarded
        guarded[0] = -.infinity
        plain[1] = -.infinity
        Contrast.scores(guarded: guarded, plain: plain, alpha: alpha, into: &scores)
        #expect(scores[0] == -.infinity && scores[1] == -.infinity)
        #expect(Contrast.argmax(guarded: guarded, plain: plain, alpha: alpha)?.token == 2)
      }
    }
  }

  @Test func logSumExpAndProbabilities() {
    let row: [Float] = [0, Float(log(3.0)), -.infinity]
    #expect(abs(Softmax.logSumExp(row) - log(4)) < 1e-6)
    #expect(abs(Softmax.maximumProbability(row) - 0.75) < 1e-6)
    #expect(Softmax.logSumExp([1000, 1000]).isFinite)
    #expect(Softmax.maximumProbability([-.infinity]) == 0)
  }

  @Test func topCandidatesEqualSorting() {
    for seed in 0..<30 {
      let row = Self.row(UInt64(seed), count: 200).map { ($0 * 2).rounded() }  // many ties
      let expected = row.indices.sorted { (row[$1], $0) < (row[$0], $1) }.prefix(7).map { TokenID($0) }
      let selected = TopCandidates.select(7, from: row).map(\.token)
      #expect(selected == expected)
    }
    #expect(TopCandidates.select(3, from: [-.infinity, -.infinity]).isEmpty)
    #expect(TopCandidates.select(0, from: [1, 2]).isEmpty)
  }
}
