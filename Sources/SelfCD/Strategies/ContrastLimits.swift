/// The limits that contrast parameters share, checked in one place so that every strategy words them alike.
enum ContrastLimits {
  static func check(alpha: Float, limit: Float) throws(StrategyError) {
    guard alpha.isFinite, abs(alpha) <= limit else {
      throw .outOfRange(parameter: "alpha", value: "\(alpha)", allowed: "a number from \(-limit) to \(limit)")
    }
  }

  static func check(beta: Float) throws(StrategyError) {
    guard beta.isFinite, (0...1).contains(beta) else {
      throw .outOfRange(parameter: "beta", value: "\(beta)", allowed: "a number from 0 (no mask) to 1")
    }
  }

  static func check(share: Float, named name: String) throws(StrategyError) {
    guard share.isFinite, (0...1).contains(share) else {
      throw .outOfRange(parameter: name, value: "\(share)", allowed: "a number from 0 to 1")
    }
  }

  static func check(steps: Int) throws(StrategyError) {
    guard steps >= 1 else {
      throw .outOfRange(parameter: "steps", value: "\(steps)", allowed: "1 or more")
    }
  }
}
