import SelfCDData
import SelfCDJudges
import SelfCDStatistics
import SelfCDSupport

/// The figures of one condition on the prompts of one label, as rules look at them.
public struct CheckedFigures: Sendable, Hashable {
  /// Where they are from: a run, a file.
  public var source: String
  /// The condition.
  public var condition: String
  /// On which prompts.
  public var label: Sample.Label
  /// Refusals.
  public var refused: RefusalRate
  /// Prompts left unanswered.
  public var unanswered: RefusalRate
  /// Replies that are none.
  public var degenerate: Int
  /// The difference of refusals from what the condition is compared with; nil where there is none.
  public var refusedDifference: PairedComparison?
  /// The same of prompts left unanswered.
  public var unansweredDifference: PairedComparison?

  /// Names figures.
  public init(
    source: String, condition: String, label: Sample.Label, refused: RefusalRate, unanswered: RefusalRate,
    degenerate: Int, refusedDifference: PairedComparison? = nil,
    unansweredDifference: PairedComparison? = nil
  ) {
    self.source = source
    self.condition = condition
    self.label = label
    self.refused = refused
    self.unanswered = unanswered
    self.degenerate = degenerate
    self.refusedDifference = refusedDifference
    self.unansweredDifference = unansweredDifference
  }

  /// The figures of a row of a summary.
  public init(_ row: EvaluationSummary.Row, source: String, condition: String? = nil) {
    self.init(
      source: source, condition: condition ?? row.condition, label: row.set, refused: row.refusals,
      unanswered: row.unanswered, degenerate: row.degenerate, refusedDifference: row.paired,
      unansweredDifference: row.pairedUnanswered)
  }
}

/// A rule on one condition's figures.
public struct RuleCheck: Sendable, Hashable {
  /// The rule.
  public let rule: FigureRule
  /// Where the figures are from.
  public let source: String
  /// The condition.
  public let condition: String
  /// The number that is compared with the limit.
  public let value: Double
  /// Whether the rule is broken.
  public let isBroken: Bool
  /// The figure with its interval and count.
  public let figure: String

  /// For example "safe.unanswered > 0.05: guarded of run 'first' is at 12.0% [7.0–19.8] of 100".
  public var message: String {
    "\(rule): \(condition) of \(source) is at \(figure)"
      + (rule.part == .estimate ? "" : ", \(rule.part.rawValue) \(NumberFormat.percent(value))")
  }
}

extension FigureRule {
  /// Checks the rule on all figures that it is about, one check for each condition.
  /// - Throws: ``FigureRuleError`` where there is none, or one that lacks what the rule asks for.
  public func check(_ all: [CheckedFigures]) throws(FigureRuleError) -> [RuleCheck] {
    let named = condition.map { name in all.filter { $0.condition == name } } ?? all
    if named.isEmpty, condition != nil {
      var known: [String] = []
      for figures in all where !known.contains(figures.condition) { known.append(figures.condition) }
      throw .unknownCondition(rule: description, known: known)
    }
    let own = named.filter { $0.label == label }
    guard !own.isEmpty else { throw .noPrompts(rule: description, label: label) }
    var checks: [RuleCheck] = []
    for figures in own {
      if isDifference {
        // The condition that others are compared with has no difference from itself.
        guard let paired = difference(in: figures) else { continue }
        checks.append(
          try check(
            figures, paired.difference, hasInterval: paired.hasInterval,
            text: Self.text(paired.difference, hasInterval: paired.hasInterval, n: paired.n)))
      } else {
        let rate = try rate(in: figures)
        checks.append(
          try check(
            figures,
            ConfidenceInterval(estimate: rate.rate, low: rate.low, high: rate.high, confidence: 0.95),
            hasInterval: rate.hasInterval, text: rate.description))
      }
    }
    guard !checks.isEmpty else { throw .noDifference(rule: description) }
    return checks
  }

  private func check(
    _ figures: CheckedFigures, _ interval: ConfidenceInterval, hasInterval: Bool, text: String
  ) throws(FigureRuleError) -> RuleCheck {
    guard part == .estimate || hasInterval else {
      throw .noInterval(rule: description, condition: figures.condition)
    }
    let value =
      switch part {
      case .estimate: interval.estimate
      case .low: interval.low
      case .high: interval.high
      }
    return RuleCheck(
      rule: self, source: figures.source, condition: figures.condition, value: value,
      isBroken: comparison.holds(value, limit), figure: text)
  }

  private func difference(in figures: CheckedFigures) -> PairedComparison? {
    outcome == .refused ? figures.refusedDifference : figures.unansweredDifference
  }

  private func rate(in figures: CheckedFigures) throws(FigureRuleError) -> RefusalRate {
    switch outcome {
    case .refused: return figures.refused
    case .unanswered: return figures.unanswered
    case .degenerate:
      guard part == .estimate || figures.refused.groups == nil else {
        // Wilson's interval would take prompts of a group as independent.
        throw .noInterval(rule: description, condition: figures.condition)
      }
      do {
        return try RefusalRate(refused: figures.degenerate, of: figures.refused.n)
      } catch {
        throw .noPrompts(rule: description, label: label)
      }
    }
  }

  private static func text(_ interval: ConfidenceInterval, hasInterval: Bool, n: Int) -> String {
    let ends = hasInterval ? NumberFormat.pointsInterval(interval.low, interval.high) : "no interval"
    return "\(NumberFormat.points(interval.estimate)) points [\(ends)] on \(n) prompts"
  }
}
