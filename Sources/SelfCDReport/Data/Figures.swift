import Foundation

/// Numbers as they are printed, the same in every format of the report and on every machine.
enum Figures {
  /// A share in per cent: `54.4%`.
  static func percent(_ share: Double, digits: Int = 1) -> String { decimal(share * 100, digits) + "%" }

  /// Both ends of an interval of shares in per cent, without the sign: `48.1–60.4`.
  static func interval(_ low: Double, _ high: Double) -> String {
    "\(decimal(low * 100, 1))–\(decimal(high * 100, 1))"
  }

  /// A difference of shares in percentage points, with its sign: `−44.4`.
  static func points(_ difference: Double) -> String {
    let text = decimal(abs(difference) * 100, 1)
    if text == "0.0" { return text }
    return (difference < 0 ? "−" : "+") + text
  }

  /// Both ends of an interval of differences: `−50.2 to −38.4`.
  static func pointsInterval(_ low: Double, _ high: Double) -> String {
    "\(points(low)) to \(points(high))"
  }

  /// A p-value: `< 0.001`, `0.032`.
  static func pValue(_ p: Double) -> String { p < 0.001 ? "< 0.001" : decimal(p, 3) }

  /// A speed as a multiple of another: `0.51×`.
  static func times(_ share: Double) -> String { decimal(share, 2) + "×" }

  /// The shortest text that reads back as the same number: `2.5`, `2`.
  static func parameter(_ value: Double) -> String {
    value == value.rounded() && abs(value) < 1e6 ? String(Int(value)) : "\(value)"
  }

  static func decimal(_ value: Double, _ digits: Int) -> String {
    let text = String(format: "%.\(digits)f", value)
    // "−0.0" would look like a loss.
    return Double(text) == 0 && text.hasPrefix("-")
      ? String(text.dropFirst()) : text.replacing("-", with: "−")
  }

  /// A coordinate in a drawing: two decimals are finer than any screen.
  static func coordinate(_ value: Double) -> String {
    let rounded = (value * 100).rounded() / 100
    return rounded == rounded.rounded() && abs(rounded) < 1e9 ? String(Int(rounded)) : "\(rounded)"
  }

  /// A count with thin separators: `12 345`.
  static func count(_ value: Int) -> String {
    var digits = Array(String(abs(value)))
    var position = digits.count - 3
    while position > 0 {
      digits.insert("\u{202F}", at: position)
      position -= 3
    }
    return (value < 0 ? "−" : "") + String(digits)
  }

  /// `2026-11-24 07:56 UTC`.
  static func date(_ date: Date) -> String {
    let formatter = DateFormatter()
    formatter.locale = Locale(identifier: "en_US_POSIX")
    formatter.timeZone = TimeZone(secondsFromGMT: 0)
    formatter.dateFormat = "yyyy-MM-dd HH:mm 'UTC'"
    return formatter.string(from: date)
  }

  /// A span of seconds: `12 s`, `3 min 4 s`, `2 h 5 min`.
  static func duration(_ seconds: Double) -> String {
    guard seconds.isFinite, seconds >= 0, seconds < 1e9 else { return "unknown" }
    let whole = Int(seconds.rounded())
    if whole < 90 { return "\(whole) s" }
    if whole < 5400 { return "\(whole / 60) min \(whole % 60) s" }
    return "\(whole / 3600) h \(whole % 3600 / 60) min"
  }

  /// A tick of an axis: as many decimals as it has, at most two.
  static func axis(_ value: Double) -> String {
    let rounded = (value * 100).rounded() / 100
    return parameter(rounded)
  }
}
