import SelfCDExplain
import Testing

@Suite("Separation of two groups")
struct SeparationTests {
  /// `scipy.stats.mannwhitneyu(high, low).statistic / (len(high) * len(low))`, SciPy 1.17.
  static let scipy: [([Double], [Double], Double)] = [
    ([1, 2, 3], [0, 1, 2], 0.7777777777777778), ([0.5], [0.5], 0.5),
    ([3, 1, 4, 1, 5, 9], [2, 6, 5, 3, 5], 0.38333333333333336), ([-1, -2], [5, 6, 7], 0),
    ([2, 2, 2, 3], [2, 2, 1], 0.75),
  ]

  @Test("is SciPy's U over the number of pairs", arguments: scipy)
  func reference(_ high: [Double], _ low: [Double], _ expected: Double) {
    #expect(abs(Separation.areaUnderCurve(high, low) - expected) < 1e-12)
  }

  @Test("is the share of pairs in order, ties counted half", arguments: 0..<20)
  func pairs(_ seed: Int) {
    var state = UInt64(seed + 1)
    func next() -> Double {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Double(state >> 61)
    }
    let high = (0..<(seed % 7 + 1)).map { _ in next() }
    let low = (0..<(seed % 5 + 1)).map { _ in next() }
    let ordered = high.reduce(0.0) { sum, a in sum + low.reduce(0.0) { $0 + (a > $1 ? 1 : a == $1 ? 0.5 : 0) }
    }
    #expect(abs(Separation.areaUnderCurve(high, low) - ordered / Double(high.count * low.count)) < 1e-12)
    #expect(
      abs(Separation.areaUnderCurve(high, low) + Separation.areaUnderCurve(low, high) - 1) < 1e-12)
  }

  @Test("a value that is no number has no rank")
  func notANumber() {
    #expect(Separation.areaUnderCurve([1, .nan], [0]).isNaN)
    #expect(Separation.areaUnderCurve([1], [.nan, .nan]).isNaN)
  }

  @Test("of an empty group is one half")
  func empty() {
    #expect(Separation.areaUnderCurve([], [1]) == 0.5)
    #expect(Separation.areaUnderCurve([1], []) == 0.5)
  }
}
