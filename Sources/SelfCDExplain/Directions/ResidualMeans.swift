import SelfCD

/// Mean residual states of a set of prompts, by layer and position counted from the end.
struct ResidualMeans: Sendable {
  /// layers × positions × width.
  private(set) var sums: [[[Double]]] = []
  private(set) var count = 0

  mutating func add(_ states: ResidualStates) {
    if sums.isEmpty {
      sums = states.layers.map { layer in layer.map { [Double](repeating: 0, count: $0.count) } }
    }
    for (layer, positions) in states.layers.enumerated() {
      for (position, state) in positions.enumerated() {
        for (index, value) in state.enumerated() { sums[layer][position][index] += Double(value) }
      }
    }
    count += 1
  }

  func mean(_ layer: Int, _ position: Int) -> [Double] {
    sums[layer][position].map { $0 / Double(max(1, count)) }
  }
}

/// How well a number tells two groups apart.
public enum Separation {
  /// The area under the ROC curve: the probability that a value of `high` is above one of `low`, ties counted half.
  ///
  /// Mann and Whitney 1947; 0.5 where they do not differ, and for empty groups. NaN where a value is: it has no rank.
  public static func areaUnderCurve(_ high: [Double], _ low: [Double]) -> Double {
    guard !high.isEmpty, !low.isEmpty else { return 0.5 }
    guard !high.contains(where: \.isNaN), !low.contains(where: \.isNaN) else { return .nan }
    // Ranks with ties averaged.
    let all = (high.map { ($0, true) } + low.map { ($0, false) }).sorted { $0.0 < $1.0 }
    var rankSum = 0.0
    var start = 0
    while start < all.count {
      var end = start
      while end < all.count, all[end].0 == all[start].0 { end += 1 }
      let rank = Double(start + end + 1) / 2
      rankSum += rank * Double(all[start..<end].count { $0.1 })
      start = end
    }
    let n = Double(high.count)
    return (rankSum - n * (n + 1) / 2) / (n * Double(low.count))
  }
}
