/// NumPy's default quantile: linear interpolation, type 7 of Hyndman and Fan (1996).
package enum Quantile {
  /// `sorted` is ascending; 0 where it is empty.
  package static func of(_ sorted: [Double], _ p: Double) -> Double {
    guard !sorted.isEmpty else { return 0 }
    let position = p * Double(sorted.count - 1)
    let index = min(Int(position), sorted.count - 1)
    let next = min(index + 1, sorted.count - 1)
    return sorted[index] + (sorted[next] - sorted[index]) * (position - Double(index))
  }
}
