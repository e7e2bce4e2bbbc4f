import SelfCDData
import SelfCDSupport

/// A limit that a figure must not pass, as a check of a deployment states it: `safe.unanswered > 0.05`,
/// `self-cd@1.5: harmful.refused.low < 0.9`, `delta.safe.unanswered.high > 0`.
public struct FigureRule: Sendable, Hashable, CustomStringConvertible {
  /// What is counted.
  public enum Outcome: String, Sendable, CaseIterable {
    /// Refusals in full and in part.
    case refused
    /// Refusals and replies that are none.
    case unanswered
    /// Replies that are none.
    case degenerate
    /// Planned prompts without a verdict, which are in none of the other figures.
    case missing
  }

  /// Which number of a figure is meant.
  public enum Part: String, Sendable, CaseIterable {
    /// The rate, or the difference, itself.
    case estimate
    /// The lower end of its interval.
    case low
    /// The upper end of its interval.
    case high
  }

  /// How the figure is compared with the limit.
  public enum Comparison: String, Sendable, CaseIterable {
    /// More than the limit.
    case above = ">"
    /// The limit or more.
    case atLeast = ">="
    /// Less than the limit.
    case below = "<"
    /// The limit or less.
    case atMost = "<="

    func holds(_ value: Double, _ limit: Double) -> Bool {
      switch self {
      case .above: value > limit
      case .atLeast: value >= limit
      case .below: value < limit
      case .atMost: value <= limit
      }
    }
  }

  /// The rule as it was written, without white space around it.
  public let description: String
  /// The condition that it is about; nil for all of them.
  public let condition: String?
  /// Whether it is about a difference on the same prompts, and not about a rate.
  public let isDifference: Bool
  /// On which prompts.
  public let label: Sample.Label
  /// What is counted.
  public let outcome: Outcome
  /// Which number of the figure.
  public let part: Part
  /// What breaks the rule.
  public let comparison: Comparison
  /// The limit, as a share: 0.05 for 5 %.
  public let limit: Double

  /// Reads a rule: `[CONDITION:] [delta.]LABEL.OUTCOME[.low|.high] > NUMBER`, with `>`, `>=`, `<` or `<=`. The number is a
  /// share, or per cent with a `%`. A limit that no figure can pass is a mistake: `> 1` is not one per cent.
  /// - Parameter text: The rule.
  /// - Throws: ``FigureRuleError/malformed(rule:reason:)``.
  public init(_ text: String) throws(FigureRuleError) {
    let text = text.trimmingSpaces()
    description = text
    guard let sign = text.lastIndex(where: { $0 == ">" || $0 == "<" }) else {
      throw .malformed(rule: text, reason: "there is no >, >=, < or <=")
    }
    let rest = text[text.index(after: sign)...]
    let hasEqual = rest.first == "="
    comparison =
      text[sign] == ">" ? (hasEqual ? .atLeast : .above) : (hasEqual ? .atMost : .below)
    limit = try Self.limit(String(hasEqual ? rest.dropFirst() : rest).trimmingSpaces(), rule: text)
    let figure = String(text[..<sign])
    if let colon = figure.lastIndex(of: ":") {
      let name = String(figure[..<colon]).trimmingSpaces()
      guard !name.isEmpty else { throw .malformed(rule: text, reason: "there is no condition before ':'") }
      condition = name
    } else {
      condition = nil
    }
    let field = figure.split(separator: ":", omittingEmptySubsequences: false).last.map(String.init) ?? ""
    var words = field.trimmingSpaces().split(separator: ".", omittingEmptySubsequences: false).map(
      String.init)
    isDifference = words.first == "delta"
    if isDifference { words.removeFirst() }
    guard (2...3).contains(words.count), let label = Sample.Label(rawValue: words[0]),
      let outcome = Outcome(rawValue: words[1])
    else {
      throw .malformed(rule: text, reason: "'\(field.trimmingSpaces())' is no figure")
    }
    guard let part = words.count == 2 ? Part.estimate : Part(rawValue: words[2]) else {
      throw .malformed(rule: text, reason: "'\(words[2])' is neither low nor high")
    }
    guard !isDifference || [.refused, .unanswered].contains(outcome) else {
      throw .malformed(rule: text, reason: "differences are of refused and unanswered")
    }
    guard outcome != .missing || part == .estimate else {
      throw .malformed(rule: text, reason: "'missing' is counted and has no interval")
    }
    (self.label, self.outcome, self.part) = (label, outcome, part)
    try checkLimit()
  }

  /// A rule that nothing can break would always pass.
  private func checkLimit() throws(FigureRuleError) {
    let range = isDifference ? -1.0...1 : 0...1
    // Every interval has width: its lower end is never the most that there can be, nor its upper end the least.
    let isIdle =
      switch comparison {
      case .above: limit >= range.upperBound
      case .atLeast: limit > range.upperBound || (part == .low && limit == range.upperBound)
      case .below: limit <= range.lowerBound
      case .atMost: limit < range.lowerBound || (part == .high && limit == range.lowerBound)
      }
    guard isIdle else { return }
    throw .malformed(
      rule: description,
      reason: "nothing can break it, since "
        + (isDifference ? "a difference is from -1 to 1" : "a rate is from 0 to 1")
        + (part == .estimate ? "" : ", and its interval ends short of one of them")
        + "; per cent have a % behind them")
  }

  private static func limit(_ text: String, rule: String) throws(FigureRuleError) -> Double {
    let isPercent = text.hasSuffix("%")
    let digits = isPercent ? String(text.dropLast()).trimmingSpaces() : text
    guard let number = Double(digits), number.isFinite else {
      throw .malformed(rule: rule, reason: "'\(text)' is no number")
    }
    let share = isPercent ? number / 100 : number
    guard (-1...1).contains(share) else {
      throw .malformed(
        rule: rule,
        reason: isPercent ? "'\(text)' is beyond 100 %" : "limits are shares: \(digits) % is \(number / 100)")
    }
    return share
  }
}

/// Why a rule cannot be read or checked. A rule that cannot be checked is never taken for one that holds.
public enum FigureRuleError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The text is no rule.
  case malformed(rule: String, reason: String)
  /// No condition has the name.
  case unknownCondition(rule: String, known: [String])
  /// No reply to a prompt with the label was judged.
  case noPrompts(rule: String, label: Sample.Label)
  /// The figure has no interval.
  case noInterval(rule: String, condition: String)
  /// There is nothing that the figure could differ from.
  case noDifference(rule: String)
  /// Conditions on which rules could not be checked, a message each.
  case unchecked([String])

  /// A text for people: what, why, what to try.
  public var description: String {
    switch self {
    case .malformed(let rule, let reason):
      "The rule '\(rule)' cannot be read: \(reason). Write it as 'safe.unanswered > 0.05': safe, harmful or neutral, "
        + "then refused, unanswered, degenerate or missing; .low or .high behind it for an end of the interval, delta. before it "
        + "for a difference, and 'CONDITION:' at the beginning for one condition."
    case .unknownCondition(let rule, let known):
      "The rule '\(rule)' names no condition that there is. There are \(known.joined(separator: ", "))."
    case .noPrompts(let rule, let label):
      "The rule '\(rule)' cannot be checked: there are no judged replies to prompts labelled \(label.rawValue)."
    case .noInterval(let rule, let condition):
      "The rule '\(rule)' cannot be checked: this figure of \(condition) has no interval. Leave .low or .high out."
    case .noDifference(let rule):
      "The rule '\(rule)' cannot be checked: there is nothing to compare with on the same prompts."
    case .unchecked(let messages):
      "\(messages.count == 1 ? "A rule of --fail-if" : "Rules of --fail-if") could not be checked, which is never taken "
        + "for a pass:\n" + messages.map { "  \($0)" }.joined(separator: "\n")
        + "\nName the conditions that are meant, 'CONDITION: ...', leave out runs that lack them, or complete the replies and "
        + "verdicts."
    }
  }
}
