import Foundation

/// Numbers as people read them, the same in every place and on every machine.
package enum NumberFormat {
  /// A share in per cent: `54.4%`.
  package static func percent(_ share: Double, digits: Int = 1) -> String {
    decimal(share * 100, digits) + "%"
  }

  /// A share as people write it: `1 %`, `0.5 %`, `99.9 %`.
  package static func share(_ value: Double) -> String {
    parameter(Float("\(Double(Float(value * 100)))") ?? Float(value * 100)) + " %"
  }

  /// Both ends of an interval of shares in per cent, without the sign: `48.1–60.4`.
  package static func interval(_ low: Double, _ high: Double) -> String {
    "\(decimal(low * 100, 1))–\(decimal(high * 100, 1))"
  }

  /// A difference of shares in percentage points, with its sign: `−44.4`.
  package static func points(_ difference: Double) -> String {
    let text = decimal(abs(difference) * 100, 1)
    if text == "0.0" { return text }
    return (difference < 0 ? "−" : "+") + text
  }

  /// Both ends of an interval of differences: `−50.2 to −38.4`.
  package static func pointsInterval(_ low: Double, _ high: Double) -> String {
    "\(points(low)) to \(points(high))"
  }

  /// A p-value: `< 0.001`, `0.032`.
  package static func pValue(_ p: Double) -> String { p < 0.001 ? "< 0.001" : decimal(p, 3) }

  /// A speed as a multiple of another: `0.51×`.
  package static func times(_ share: Double) -> String { decimal(share, 2) + "×" }

  /// The shortest text that reads back as the same number: `2.5`, `2`.
  package static func parameter(_ value: Double) -> String {
    value == value.rounded() && abs(value) < 1e6 ? String(Int(value)) : "\(value)"
  }

  package static func decimal(_ value: Double, _ digits: Int) -> String {
    let text = String(format: "%.\(digits)f", value)
    // "−0.0" would look like a loss.
    return Double(text) == 0 && text.hasPrefix("-")
      ? String(text.dropFirst()) : text.replacing("-", with: "−")
  }

  /// A coordinate in a drawing: two decimals are finer than any screen.
  package static func coordinate(_ value: Double) -> String {
    let rounded = (value * 100).rounded() / 100
    return rounded == rounded.rounded() && abs(rounded) < 1e9 ? String(Int(rounded)) : "\(rounded)"
  }

  /// A count of things: `1 reply`, `2 replies`.
  /// - Parameter several: the plural, where it is not the singular with an s.
  package static func counted(_ count: Int, _ one: String, _ several: String? = nil) -> String {
    "\(count) \(noun(count, one, several))"
  }

  /// A count of things with thin separators: `1 reply`, `12 345 replies`.
  /// - Parameter several: the plural, where it is not the singular with an s.
  package static func separated(_ count: Int, _ one: String, _ several: String? = nil) -> String {
    "\(self.count(count)) \(noun(count, one, several))"
  }

  /// The noun that follows a count: `reply` behind 1, `replies` behind others.
  /// - Parameter several: the plural, where it is not the singular with an s.
  package static func noun(_ count: Int, _ one: String, _ several: String? = nil) -> String {
    count == 1 ? one : several ?? one + "s"
  }

  /// A count with thin separators: `12 345`.
  package static func count(_ value: Int) -> String {
    var digits = Array(String(abs(value)))
    var position = digits.count - 3
    while position > 0 {
      digits.insert("\u{202F}", at: position)
      position -= 3
    }
    return (value < 0 ? "−" : "") + String(digits)
  }

  /// `2026-11-24 07:56 UTC`.
  package static func date(_ date: Date) -> String {
    let formatter = DateFormatter()
    formatter.locale = Locale(identifier: "en_US_POSIX")
    formatter.timeZone = TimeZone(secondsFromGMT: 0)
    formatter.dateFormat = "yyyy-MM-dd HH:mm 'UTC'"
    return formatter.string(from: date)
  }

  /// A span of seconds: `12 s`, `3 min 4 s`, `2 h 5 min`.
  package static func duration(_ seconds: Double) -> String {
    guard seconds.isFinite, seconds >= 0, seconds < 1e9 else { return "unknown" }
    let whole = Int(seconds.rounded())
    if whole < 90 { return "\(whole) s" }
    if whole < 5400 { return "\(whole / 60) min \(whole % 60) s" }
    return "\(whole / 3600) h \(whole % 3600 / 60) min"
  }

  /// A tick of an axis: as many decimals as it has, at most two.
  package static func axis(_ value: Double) -> String {
    let rounded = (value * 100).rounded() / 100
    return parameter(rounded)
  }

  /// A span of time, in milliseconds where it is short: `120 ms`, `4.2 s`, `3 min 4 s`.
  package static func duration(_ duration: Duration) -> String {
    let seconds = Double(duration.components.seconds) + Double(duration.components.attoseconds) * 1e-18
    if seconds < 1 { return "\(Int((seconds * 1000).rounded())) ms" }
    if seconds < 90 { return "\(decimal(seconds, seconds < 10 ? 1 : 0)) s" }
    return "\(Int(seconds) / 60) min \(Int(seconds) % 60) s"
  }

  /// A size in binary units: `4.6 GiB`.
  package static func bytes(_ count: Int) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB"]
    var value = Double(count)
    var unit = 0
    while value >= 1024, unit < units.count - 1 {
      value /= 1024
      unit += 1
    }
    return unit == 0 ? "\(count) B" : "\(decimal(value, value < 10 ? 1 : 0)) \(units[unit])"
  }

  /// A large count in decimal units: `134.5 M`.
  package static func shortCount(_ value: UInt64) -> String {
    switch value {
    case 0..<1000: "\(value)"
    case 1000..<1_000_000: "\(decimal(Double(value) / 1e3, 1)) K"
    case 1_000_000..<1_000_000_000: "\(decimal(Double(value) / 1e6, 1)) M"
    default: "\(decimal(Double(value) / 1e9, 1)) B"
    }
  }

  /// A probability: `0.34`.
  package static func probability(_ value: Float) -> String { decimal(Double(value), 2) }

  /// The shortest text that reads back as the same number: `2.5`, `2`.
  package static func parameter(_ value: Float) -> String {
    value == value.rounded() && abs(value) < 1e6 ? String(Int(value)) : "\(value)"
  }
}
