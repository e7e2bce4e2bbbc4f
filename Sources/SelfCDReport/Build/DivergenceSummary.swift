import SelfCDData

/// Many replies' divergences as three curves.
enum DivergenceSummary {
  /// Quartiles at each step that at least a tenth of the replies, and five of them, reach: the tail of a few long
  /// replies would be noise.
  static func curves(_ steps: [Sample.Label: [[Float]]]) -> [ReportDivergence] {
    Sample.Label.allCases.compactMap { label in
      guard let lists = steps[label], let most = lists.map(\.count).max() else { return nil }
      let enough = max(5, most / 10)
      let points = lists.enumerated().compactMap { step, values -> ReportDivergence.Point? in
        guard values.count >= enough else { return nil }
        let sorted = values.sorted()
        return ReportDivergence.Point(
          step: step, n: sorted.count, lower: quantile(sorted, 0.25), median: quantile(sorted, 0.5),
          upper: quantile(sorted, 0.75))
      }
      return points.isEmpty ? nil : ReportDivergence(label: label, points: points)
    }
  }

  /// Linear interpolation, type 7; `sorted` is not empty.
  static func quantile(_ sorted: [Float], _ share: Double) -> Double {
    let position = share * Double(sorted.count - 1)
    let index = Int(position)
    let next = min(index + 1, sorted.count - 1)
    let low = Double(sorted[index])
    return low + (Double(sorted[next]) - low) * (position - Double(index))
  }
}
