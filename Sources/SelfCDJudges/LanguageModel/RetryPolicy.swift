/// How often and how patiently a failed call is repeated.
public struct RetryPolicy: Codable, Sendable, Hashable {
  /// Attempts in all, at least 1.
  public var attempts: Int
  /// The wait before the second attempt, in seconds.
  public var firstDelay: Double
  /// What each further wait is multiplied by.
  public var growth: Double
  /// The longest wait, in seconds.
  public var longestDelay: Double

  /// Makes a policy; the defaults wait 1, 2, 4 and 8 seconds.
  /// - Throws: `JudgeError.invalidSetting` for fewer than one attempt, negative waits or shrinking ones.
  public init(
    attempts: Int = 5, firstDelay: Double = 1, growth: Double = 2, longestDelay: Double = 60
  ) throws(JudgeError) {
    guard attempts >= 1 else {
      throw .invalidSetting(name: "attempts", value: "\(attempts)", allowed: "at least 1")
    }
    guard firstDelay >= 0, firstDelay.isFinite, longestDelay >= firstDelay, longestDelay.isFinite else {
      throw .invalidSetting(
        name: "delay", value: "\(firstDelay) to \(longestDelay)",
        allowed: "from 0 up, the longest not the shorter")
    }
    guard growth >= 1, growth.isFinite else {
      throw .invalidSetting(name: "growth", value: "\(growth)", allowed: "at least 1")
    }
    self.attempts = attempts
    self.firstDelay = firstDelay
    self.growth = growth
    self.longestDelay = longestDelay
  }

  /// A single attempt: for what fails the same way every time.
  public static let once = RetryPolicy(uncheckedAttempts: 1)

  private init(uncheckedAttempts attempts: Int) {
    self.attempts = attempts
    (firstDelay, growth, longestDelay) = (0, 1, 0)
  }

  /// The wait after `attempt` failed (from 1), in seconds; nil when it was the last. A wait that the server
  /// asked for replaces the policy's own where it is longer, up to the longest.
  public func delay(afterAttempt attempt: Int, askedFor: Double? = nil) -> Double? {
    guard attempt >= 1, attempt < attempts else { return nil }
    var delay = firstDelay
    for _ in 1..<attempt where delay < longestDelay { delay *= growth }
    return min(longestDelay, max(delay, askedFor ?? 0))
  }

  /// Whether an HTTP status is worth another attempt: overload, time-outs and faults of the server, not refusals
  /// of the request.
  public static func isRetryable(status: Int) -> Bool {
    status == 408 || status == 409 || status == 425 || status == 429 || (500...599).contains(status)
  }
}
