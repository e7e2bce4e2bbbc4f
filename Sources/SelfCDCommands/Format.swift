import Foundation

/// Numbers for people.
enum Format {
  static func bytes(_ count: Int) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB"]
    var value = Double(count)
    var unit = 0
    while value >= 1024, unit < units.count - 1 {
      value /= 1024
      unit += 1
    }
    return unit == 0 ? "\(count) B" : "\(decimal(value, value < 10 ? 1 : 0)) \(units[unit])"
  }

  static func decimal(_ value: Double, _ digits: Int) -> String {
    String(format: "%.\(digits)f", value)
  }

  static func probability(_ value: Float) -> String { decimal(Double(value), 2) }

  static func duration(_ duration: Duration) -> String {
    let seconds = Double(duration.components.seconds) + Double(duration.components.attoseconds) * 1e-18
    if seconds < 1 { return "\(Int((seconds * 1000).rounded())) ms" }
    if seconds < 90 { return "\(decimal(seconds, seconds < 10 ? 1 : 0)) s" }
    return "\(Int(seconds) / 60) min \(Int(seconds) % 60) s"
  }

  static func count(_ value: UInt64) -> String {
    switch value {
    case 0..<1000: "\(value)"
    case 1000..<1_000_000: "\(decimal(Double(value) / 1e3, 1)) K"
    case 1_000_000..<1_000_000_000: "\(decimal(Double(value) / 1e6, 1)) M"
    default: "\(decimal(Double(value) / 1e9, 1)) B"
    }
  }

  /// The shortest text that reads back as the same number: `2.5`, `2`.
  static func parameter(_ value: Float) -> String {
    value == value.rounded() && abs(value) < 1e6 ? String(Int(value)) : "\(value)"
  }
}
