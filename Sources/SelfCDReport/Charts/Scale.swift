import Foundation

/// Maps values of an axis to coordinates of a drawing.
struct Scale: Sendable {
  let domain: ClosedRange<Double>
  /// Where the domain's ends lie; the first may be the larger, as for heights.
  let from: Double
  let to: Double

  func callAsFunction(_ value: Double) -> Double {
    let width = domain.upperBound - domain.lowerBound
    guard width > 0 else { return (from + to) / 2 }
    let share = (min(max(value, domain.lowerBound), domain.upperBound) - domain.lowerBound) / width
    return from + share * (to - from)
  }

  /// Round values inside the domain, about as many as asked for.
  func ticks(about count: Int) -> [Double] {
    let step = Self.niceStep(domain.upperBound - domain.lowerBound, about: count)
    let first = (domain.lowerBound / step - 1e-9).rounded(.up)
    let last = (domain.upperBound / step + 1e-9).rounded(.down)
    guard first <= last, last - first < 100 else { return [domain.lowerBound] }
    return stride(from: first, through: last, by: 1).map { $0 * step }
  }

  /// A domain of shares that holds `values` with round ends, never narrower than a fifth of the whole.
  static func shares(_ values: [Double]) -> ClosedRange<Double> {
    guard let least = values.min(), let most = values.max() else { return 0...1 }
    let step = most - least > 0.4 ? 0.1 : 0.05
    var low = max(0, ((least - 0.01) / step).rounded(.down) * step)
    var high = min(1, ((most + 0.01) / step).rounded(.up) * step)
    if high - low < 0.2 {
      low = max(0, min(low, 0.8))
      high = min(1, low + 0.2)
    }
    return low...high
  }

  /// 1, 2 or 5 times a power of ten.
  static func niceStep(_ width: Double, about count: Int) -> Double {
    guard width > 0, width.isFinite else { return 1 }
    let raw = width / Double(max(1, count))
    let power = pow(10, log10(raw).rounded(.down))
    let factor = [1, 2, 5, 10].first { $0 * power >= raw * 0.999 } ?? 10
    return factor * power
  }
}
