import ArgumentParser
import Foundation

/// Numbers as people list them: `0.5,1,2`, and `0.5...3` for a sweep.
enum NumberSweep {
  /// How far the numbers of a sweep are apart where nothing is said.
  static let usualStep = 0.25
  /// More conditions than this would be a slip of the pen, and take days.
  private static let most = 200

  /// Reads a list with commas, of numbers and of sweeps `LOW...HIGH` or `LOW...HIGH:STEP`, both ends included.
  /// - Parameter option: named in errors.
  /// - Throws: `ValidationError`.
  static func numbers(_ text: String, option: String) throws -> [Double] {
    let numbers = try ConditionOptions.list(text).flatMap { try values($0, option: option) }
    guard !numbers.isEmpty else { throw ValidationError("\(option) names no number.") }
    guard numbers.count <= most else { throw ValidationError("\(option) names more than \(most) numbers.") }
    return numbers
  }

  private static func values(_ item: String, option: String) throws -> [Double] {
    let ends = item.components(separatedBy: "...")
    let wrong = ValidationError(
      "\(option) takes numbers with commas between them, and sweeps as in 0.5...3 (every \(usualStep)) or 0.5...3:0.5, "
        + "not '\(item)'.")
    func number(_ text: String) throws -> Double {
      guard let number = Double(text), number.isFinite, abs(number) <= 1e6 else { throw wrong }
      return number == 0 ? 0 : number
    }
    if ends.count == 1 { return [try number(item)] }
    guard ends.count == 2 else { throw wrong }
    let parts = ends[1].components(separatedBy: ":")
    guard parts.count <= 2 else { throw wrong }
    let (low, high) = (try number(ends[0]), try number(parts[0]))
    let step = parts.count == 2 ? try number(parts[1]) : usualStep
    guard low <= high else {
      throw ValidationError(
        "\(option): a sweep runs upwards, so that '\(item)' is written "
          + "\(parts[0])...\(ends[0])\(parts.count == 2 ? ":\(parts[1])" : "").")
    }
    guard low < high, step > 0 else { throw wrong }
    let count = (high - low) / step
    guard count <= Double(most) else { throw ValidationError("\(option) names more than \(most) numbers.") }
    // Multiples rather than sums, rounded: 0.1 three times is 0.3.
    let inner = stride(from: 0, to: (count - 1e-9).rounded(.up), by: 1).map { rounded(low + $0 * step) }
    return inner + [high]
  }

  private static func rounded(_ value: Double) -> Double {
    let short = (value * 1e6).rounded() / 1e6
    return short == 0 ? 0 : short
  }
}
