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
  /// Refusals; nil where no prompt has a verdict.
  public var refused: RefusalRate?
  /// Prompts left unanswered; nil where no prompt has a verdict.
  public var unanswered: RefusalRate?
  /// Replies that are none.
  public var degenerate: Int
  /// Planned prompts without a verdict: no reply yet, a failed one, one that no judge could class, or no such prompt on the
  /// other side of a comparison. They are in none of the figures.
  public var missing: Int
  /// Whether it is the condition that others are compared with, which has no difference from itself.
  public var isReference: Bool
  /// Whether the source does not say how its replies were made, and is its own condition.
  public var isOwnCondition: Bool
  /// The difference of refusals from what the condition is compared with; nil where there is none.
  public var refusedDifference: PairedComparison?
  /// The same of prompts left unanswered.
  public var unansweredDifference: PairedComparison?

  /// Names figures.
  /// - Parameters:
  ///   - source: Where they are from.
  ///   - condition: The condition.
  ///   - label: On which prompts.
  ///   - refused: Refusals; nil where no prompt has a verdict.
  ///   - unanswered: Prompts left unanswered; nil where no prompt has a verdict.
  ///   - degenerate: Replies that are none.
  ///   - missing: Planned prompts without a verdict.
  ///   - isReference: Whether others are compared with it.
  ///   - isOwnCondition: Whether the source is its own condition.
  ///   - refusedDifference: The difference of refusals.
  ///   - unansweredDifference: The difference of prompts left unanswered.
  public init(
    source: String, condition: String, label: Sample.Label, refused: RefusalRate?, unanswered: RefusalRate?,
    degenerate: Int, missing: Int = 0, isReference: Bool = false, isOwnCondition: Bool = false,
    refusedDifference: PairedComparison? = nil, unansweredDifference: PairedComparison? = nil
  ) {
    self.source = source
    self.condition = condition
    self.label = label
    self.refused = refused
    self.unanswered = unanswered
    self.degenerate = degenerate
    self.missing = missing
    self.isReference = isReference
    self.isOwnCondition = isOwnCondition
    self.refusedDifference = refusedDifference
    self.unansweredDifference = unansweredDifference
  }

  /// The figures of a row of a summary.
  /// - Parameters:
  ///   - row: The row.
  ///   - source: Where it is from.
  ///   - condition: The condition's name; nil for the row's own.
  ///   - planned: The prompts that should have a verdict; nil for those that have one.
  ///   - isReference: Whether others are compared with it.
  public init(
    _ row: EvaluationSummary.Row, source: String, condition: String? = nil, planned: Int? = nil,
    isReference: Bool = false
  ) {
    self.init(
      source: source, condition: condition ?? row.condition, label: row.set, refused: row.refusals,
      unanswered: row.unanswered, degenerate: row.degenerate,
      missing: max(0, (planned ?? row.refusals.n) - row.refusals.n), isReference: isReference,
      refusedDifference: row.paired, unansweredDifference: row.pairedUnanswered)
  }

  /// A condition of which no prompt with the label has a verdict.
  /// - Parameters:
  ///   - missing: How many there are.
  ///   - label: On which prompts.
  ///   - source: Where they are from.
  ///   - condition: The condition.
  /// - Returns: Figures without rates.
  public static func withoutVerdicts(
    _ missing: Int, label: Sample.Label, source: String, condition: String
  ) -> CheckedFigures {
    CheckedFigures(
      source: source, condition: condition, label: label, refused: nil, unanswered: nil, degenerate: 0,
      missing: missing)
  }

  /// Prompts with a verdict.
  var judged: Int { refused?.n ?? 0 }

  /// For example "12 of 112 prompts have no verdict"; nil where all have one.
  public var missingText: String? {
    guard missing > 0 else { return nil }
    let all = NumberFormat.counted(judged + missing, "prompt")
    return "\(missing) of \(all) \(missing == 1 ? "has" : "have") no verdict"
  }

  /// Prompts that have a verdict here and are not in a difference on `n` prompts, since they have none under the condition
  /// compared with.
  func missingElsewhere(ofDifferenceOn n: Int) -> Int { max(0, judged - n) }

  /// The same as ``missingText`` for a difference on `n` prompts, which need verdicts on both sides.
  func missingText(ofDifferenceOn n: Int) -> String? {
    guard missingElsewhere(ofDifferenceOn: n) > 0 else { return missingText }
    let lacking = judged + missing - n
    let all = NumberFormat.counted(judged + missing, "prompt")
    return "\(lacking) of \(all) \(lacking == 1 ? "lacks" : "lack") a verdict on one side or both"
  }
}

/// What became of a rule under one condition.
public struct RuleCheck: Sendable, Hashable {
  /// What there is to say.
  public enum Outcome: Sendable, Hashable {
    /// The figure keeps to the limit.
    case kept
    /// It does not.
    case broken
    /// There is no such figure, for this reason. That is never taken for a figure that keeps to the limit.
    case unchecked(String)
  }

  /// The rule.
  public let rule: FigureRule
  /// Where the figures are from.
  public let source: String
  /// The condition.
  public let condition: String
  /// The number that is compared with the limit; nil where there is none.
  public let value: Double?
  /// What became of it.
  public let outcome: Outcome
  /// The figure with its interval and count.
  public let figure: String
  /// How many prompts have no verdict, as a clause; nil where all have one, and where the rule is about them.
  public let missing: String?
  /// Whether some of these prompts have no verdict under the condition compared with alone.
  public let isMissingElsewhere: Bool

  /// Whether the rule is broken.
  public var isBroken: Bool { outcome == .broken }

  /// Why the rule could not be checked; nil where it was.
  public var problem: String? {
    if case .unchecked(let reason) = outcome { return reason }
    return nil
  }

  /// For example "safe.unanswered > 0.05: guarded of run 'first' is at 12.0% [7.0–19.8] of 100".
  public var message: String {
    let place = "\(rule): \(condition) of \(source)"
    let behind = missing.map { "; \($0)" } ?? ""
    if let problem { return "\(place) cannot be checked: \(problem)\(behind)" }
    let shown = rule.part == .estimate ? nil : value
    let end = shown.map { ", \(rule.part.rawValue) \(NumberFormat.percent($0))" } ?? ""
    return "\(place) is at \(figure)\(end)\(behind)"
  }
}

extension FigureRule {
  /// Checks the rule on all figures that it is about.
  /// - Parameter all: All figures.
  /// - Returns: One check for each condition; those of which the figure is lacking say so, and so do runs that lack the
  ///   condition.
  /// - Throws: ``FigureRuleError`` where there is nothing that the rule could be checked on.
  public func check(_ all: [CheckedFigures]) throws(FigureRuleError) -> [RuleCheck] {
    let named = condition.map { name in all.filter { $0.condition == name } } ?? all
    if named.isEmpty, condition != nil {
      var known: [String] = []
      for figures in all where !known.contains(figures.condition) { known.append(figures.condition) }
      throw .unknownCondition(rule: description, known: known)
    }
    let own = named.filter { $0.label == label }
    guard own.contains(where: { $0.judged > 0 || outcome == .missing }) else {
      throw .noPrompts(rule: description, label: label)
    }
    // The condition that others are compared with has no difference from itself.
    let checked = isDifference ? own.filter { !$0.isReference || difference(in: $0) != nil } : own
    let checks = checked.map { check($0) } + sourcesWithoutCondition(all)
    guard checks.contains(where: { $0.problem == nil }) else {
      if part != .estimate, let first = checked.first(where: { hasFigure(in: $0) }) {
        throw .noInterval(rule: description, condition: first.condition)
      }
      throw .noDifference(rule: description)
    }
    return checks
  }

  /// A check for each source, such as a run, that has prompts with the label and lacks the condition that the rule names.
  private func sourcesWithoutCondition(_ all: [CheckedFigures]) -> [RuleCheck] {
    guard let condition else { return [] }
    var sources: [String] = []
    for figures in all where figures.label == label && !figures.isOwnCondition {
      let source = figures.source
      let isKnown = sources.contains(source)
      if isKnown || all.contains(where: { $0.source == source && $0.condition == condition }) { continue }
      sources.append(source)
    }
    return sources.map { source in
      RuleCheck(
        rule: self, source: source, condition: condition, value: nil,
        outcome: .unchecked("there is no such condition"), figure: "", missing: nil,
        isMissingElsewhere: false)
    }
  }

  /// Whether there is the figure itself, with or without an interval.
  private func hasFigure(in figures: CheckedFigures) -> Bool {
    isDifference ? difference(in: figures) != nil : figures.judged > 0
  }

  private func check(_ figures: CheckedFigures) -> RuleCheck {
    func unchecked(_ reason: String) -> RuleCheck {
      RuleCheck(
        rule: self, source: figures.source, condition: figures.condition, value: nil,
        outcome: .unchecked(reason), figure: "", missing: figures.missingText, isMissingElsewhere: false)
    }
    if outcome == .missing { return checkMissing(figures) }
    if isDifference {
      guard let paired = difference(in: figures) else {
        return unchecked("there is nothing to compare with on the same prompts")
      }
      let (interval, text) = (
        paired.difference, Self.text(paired.difference, hasInterval: paired.hasInterval, n: paired.n)
      )
      guard part == .estimate || paired.hasInterval else { return unchecked("the figure has no interval") }
      return check(figures, interval, text: text, pairs: paired.n)
    }
    guard let refused = figures.refused, let unanswered = figures.unanswered, refused.n > 0 else {
      return unchecked("no prompt has a verdict")
    }
    guard outcome == .degenerate else {
      let rate = outcome == .refused ? refused : unanswered
      guard part == .estimate || rate.hasInterval else { return unchecked("the figure has no interval") }
      return check(
        figures, ConfidenceInterval(estimate: rate.rate, low: rate.low, high: rate.high, confidence: 0.95),
        text: rate.description)
    }
    // Wilson's interval would take prompts of a group as independent.
    guard refused.groups == nil, let rate = try? RefusalRate(refused: figures.degenerate, of: refused.n)
    else {
      guard part == .estimate else { return unchecked("the figure has no interval") }
      let share = Double(figures.degenerate) / Double(refused.n)
      return check(
        figures, ConfidenceInterval(estimate: share, low: 0, high: 1, confidence: 0.95),
        text: "\(NumberFormat.percent(share)) [no interval] of \(refused.n)")
    }
    return check(
      figures, ConfidenceInterval(estimate: rate.rate, low: rate.low, high: rate.high, confidence: 0.95),
      text: rate.description)
  }

  private func checkMissing(_ figures: CheckedFigures) -> RuleCheck {
    let planned = figures.judged + figures.missing
    let share = planned == 0 ? 0 : Double(figures.missing) / Double(planned)
    return RuleCheck(
      rule: self, source: figures.source, condition: figures.condition, value: share,
      outcome: comparison.holds(share, limit) ? .broken : .kept,
      figure: "\(NumberFormat.percent(share)) (\(figures.missing) of \(planned))", missing: nil,
      isMissingElsewhere: false)
  }

  /// - Parameter pairs: The prompts of a difference; nil for a rate.
  private func check(
    _ figures: CheckedFigures, _ interval: ConfidenceInterval, text: String, pairs: Int? = nil
  ) -> RuleCheck {
    let n = pairs ?? figures.judged
    let value =
      switch part {
      case .estimate: interval.estimate
      case .low: interval.low
      case .high: interval.high
      }
    return RuleCheck(
      rule: self, source: figures.source, condition: figures.condition, value: value,
      outcome: comparison.holds(value, limit) ? .broken : .kept, figure: text,
      missing: figures.missingText(ofDifferenceOn: n),
      isMissingElsewhere: figures.missingElsewhere(ofDifferenceOn: n) > 0)
  }

  private func difference(in figures: CheckedFigures) -> PairedComparison? {
    outcome == .refused ? figures.refusedDifference : figures.unansweredDifference
  }

  private static func text(_ interval: ConfidenceInterval, hasInterval: Bool, n: Int) -> String {
    let ends = hasInterval ? NumberFormat.pointsInterval(interval.low, interval.high) : "no interval"
    return "\(NumberFormat.points(interval.estimate)) points [\(ends)] on \(n) prompts"
  }
}

extension FigureRule {
  /// Whether this rule bounds the prompts that `check` says are missing.
  /// - Parameter check: A check of another rule.
  /// - Returns: True for a rule that is broken by more missing prompts of the same label and condition; where some are
  ///   missing under the condition compared with, for one about all conditions.
  public func boundsMissing(of check: RuleCheck) -> Bool {
    guard outcome == .missing, label == check.rule.label, [.above, .atLeast].contains(comparison) else {
      return false
    }
    return condition == nil || (condition == check.condition && !check.isMissingElsewhere)
  }
}
