/// The most a judge may spend on its endpoint, in calls and tokens.
public struct JudgeSpendingLimit: Codable, Sendable, Hashable {
  /// The most calls, failed ones included; nil for no limit.
  public var calls: Int?
  /// The most tokens, read and written; nil for no limit.
  public var tokens: Int?

  /// Makes a budget; without arguments there is no limit.
  public init(calls: Int? = nil, tokens: Int? = nil) {
    self.calls = calls
    self.tokens = tokens
  }

  /// Keeps account of what was spent by all calls of one judge.
  actor Account {
    let budget: JudgeSpendingLimit
    private(set) var calls = 0
    private(set) var tokens = 0

    init(_ budget: JudgeSpendingLimit) {
      self.budget = budget
    }

    /// Takes one call off the budget before it is made. Tokens are known only afterwards, so the last call may
    /// go over their limit.
    func startCall() throws(JudgeError) {
      if let most = budget.calls, calls >= most { throw .budgetExhausted(calls: calls, tokens: tokens) }
      if let most = budget.tokens, tokens >= most { throw .budgetExhausted(calls: calls, tokens: tokens) }
      calls += 1
    }

    func spent(tokens count: Int) {
      tokens += max(0, count)
    }
  }
}
