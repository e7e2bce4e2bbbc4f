import Foundation

/// Why a statistic could not be computed. Each case says what was wrong, why it matters and what to do.
public enum StatisticsError: Error, Equatable, Codable, Sendable {
  /// A count is outside what the statistic is defined for, for example 12 successes in 10 trials.
  case countOutOfRange(name: String, value: Int, allowed: String)
  /// A probability, confidence level or significance level is outside its open or closed unit interval.
  case probabilityOutOfRange(name: String, value: Double, allowed: String)
  /// Two samples that have to be paired have different lengths.
  case unpaired(first: Int, second: Int)
  /// A statistic of nothing was asked for.
  case empty(what: String)
  /// A value is not a finite number.
  case notFinite(what: String, index: Int)
}

extension StatisticsError: LocalizedError, CustomStringConvertible {
  /// One or two sentences for people: what, why, what to try.
  public var description: String {
    switch self {
    case .countOutOfRange(let name, let value, let allowed):
      "\(name) is \(value), but has to be \(allowed). Check that the counts belong to the same set of samples."
    case .probabilityOutOfRange(let name, let value, let allowed):
      "\(name) is \(value), but has to be \(allowed). A 95 % level is written 0.95."
    case .unpaired(let first, let second):
      "A paired comparison needs the same prompts on both sides, but there are \(first) and \(second) values. "
        + "Keep only the prompts that both conditions answered."
    case .empty(let what):
      "There are no values for \(what), so it is undefined. Check filters and labels: nothing was selected."
    case .notFinite(let what, let index):
      "Value \(index) of \(what) is not a finite number. Remove failed measurements before comparing."
    }
  }

  /// The same text as `description`, for code that shows `localizedDescription`.
  public var errorDescription: String? { description }
}

extension StatisticsError {
  /// Throws unless `0 ≤ successes ≤ trials` and `trials ≥ 1`.
  package static func check(successes: Int, trials: Int) throws(StatisticsError) {
    guard trials >= 1 else {
      throw .countOutOfRange(name: "trials", value: trials, allowed: "at least 1")
    }
    guard (0...trials).contains(successes) else {
      throw .countOutOfRange(name: "successes", value: successes, allowed: "from 0 to \(trials)")
    }
  }

  /// Throws unless `value` lies strictly between 0 and 1.
  package static func check(openUnit value: Double, _ name: String) throws(StatisticsError) {
    guard value > 0, value < 1 else {
      throw .probabilityOutOfRange(name: name, value: value, allowed: "strictly between 0 and 1")
    }
  }

  /// Throws unless `value` lies in [0, 1].
  package static func check(closedUnit value: Double, _ name: String) throws(StatisticsError) {
    guard value >= 0, value <= 1 else {
      throw .probabilityOutOfRange(name: name, value: value, allowed: "from 0 to 1")
    }
  }
}
