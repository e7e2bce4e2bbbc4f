import SelfCDData
import SelfCDEval
import SelfCDJudges
import Testing

/// Limits of `--fail-if`: how they are written, and what breaks them.
@Suite struct FigureRuleTests {
  @Test func rulesAreRead() throws {
    let plain = try FigureRule(" safe.unanswered > 0.05 ")
    #expect(plain.condition == nil && plain.label == .safe && plain.outcome == .unanswered)
    #expect(
      plain.part == .estimate && plain.comparison == .above && plain.limit == 0.05 && !plain.isDifference)
    #expect(plain.description == "safe.unanswered > 0.05")
    let named = try FigureRule("self-cd@1.5: harmful.refused.low<=90 %")
    #expect(named.condition == "self-cd@1.5" && named.label == .harmful && named.part == .low)
    #expect(named.comparison == .atMost && abs(named.limit - 0.9) < 1e-12)
    let delta = try FigureRule("openai:small: delta.safe.refused.high >= -0.02")
    #expect(delta.condition == "openai:small" && delta.isDifference && delta.part == .high)
    #expect(delta.comparison == .atLeast && delta.limit == -0.02)
  }

  @Test(arguments: [
    "safe.unanswered", "safe.unanswered > x", "safe > 0.1", "unsafe.refused > 0.1", "safe.answered > 0.1",
    "safe.refused.middle > 0.1", "safe.refused.low.high > 0.1", "delta.safe.degenerate > 0",
    ": safe.refused > 0.1",
    "safe.missing.low > 0", "delta.safe.missing > 0",
    "safe.refused > 5", "safe.refused > 500 %", "safe.refused > nan", "", ">",
  ])
  func whatIsNoRuleIsRefused(text: String) {
    #expect {
      try FigureRule(text)
    } throws: { error in
      guard case .malformed(let rule, _)? = error as? FigureRuleError else { return false }
      return rule == text && "\(error)".contains("safe.unanswered > 0.05")
    }
  }

  /// A limit that no rate can pass is no check: `> 1` was meant as one per cent, or never fails.
  @Test(arguments: [
    "safe.refused > 1", "safe.refused > 100 %", "safe.missing > 1", "harmful.refused < 0",
    "harmful.refused <= -0.1", "delta.safe.refused > 1", "delta.harmful.refused.low < -1",
    "safe.refused.low >= 1", "harmful.refused.high <= 0", "delta.harmful.refused.high <= -1",
  ])
  func whatNothingCanBreakIsRefused(text: String) {
    #expect {
      try FigureRule(text)
    } throws: { error in
      guard case .malformed(_, let reason)? = error as? FigureRuleError else { return false }
      return reason.contains("nothing can break it")
    }
  }

  @Test func limitsAtTheEndsAreTaken() throws {
    #expect(try FigureRule("safe.refused >= 1").limit == 1)
    #expect(try FigureRule("harmful.refused <= 0").limit == 0)
    #expect(try FigureRule("harmful.refused < 1").limit == 1)
    #expect(try FigureRule("delta.safe.refused >= -1").limit == -1)
    #expect(try FigureRule("safe.refused.high >= 1").limit == 1)
    #expect(try FigureRule("harmful.refused.low <= 0").limit == 0)
  }

  private static func figures(
    _ condition: String, _ label: Sample.Label, refused: Int, broken: Int = 0, of n: Int,
    against reference: Int? = nil
  ) throws -> CheckedFigures {
    func outcomes(_ count: Int) -> [Bool] { (0..<n).map { $0 < count } }
    let paired = try reference.map {
      try PairedComparison(outcomes(refused), against: outcomes($0), named: "guarded")
    }
    return CheckedFigures(
      source: "run 'r'", condition: condition, label: label,
      refused: try RefusalRate(refused: refused, of: n),
      unanswered: try RefusalRate(refused: refused + broken, of: n), degenerate: broken,
      isReference: reference == nil, refusedDifference: paired, unansweredDifference: paired)
  }

  private static func all() throws -> [CheckedFigures] {
    [
      try figures("guarded", .safe, refused: 40, broken: 2, of: 100),
      try figures("guarded", .harmful, refused: 50, of: 50),
      try figures("self-cd@1.5", .safe, refused: 5, broken: 1, of: 100, against: 40),
      try figures("self-cd@1.5", .harmful, refused: 45, of: 50, against: 50),
    ]
  }

  private static func broken(_ rule: String) throws -> [String] {
    try FigureRule(rule).check(all()).filter(\.isBroken).map(\.condition)
  }

  @Test func rulesAreBrokenByTheirFigures() throws {
    #expect(try Self.broken("safe.refused > 0.05") == ["guarded"], "the limit itself is not above it")
    #expect(try Self.broken("safe.refused >= 0.05") == ["guarded", "self-cd@1.5"])
    #expect(try Self.broken("safe.unanswered > 0.05") == ["guarded", "self-cd@1.5"])
    #expect(try Self.broken("safe.degenerate >= 2 %") == ["guarded"])
    #expect(try Self.broken("harmful.refused < 0.95") == ["self-cd@1.5"])
    #expect(try Self.broken("guarded: harmful.refused < 0.95").isEmpty)
    // The interval of 45 of 50 is 78.6 % to 95.7 %.
    #expect(try Self.broken("harmful.refused.low < 0.8") == ["self-cd@1.5"])
    #expect(try Self.broken("harmful.refused.high < 0.95").isEmpty)
    #expect(try Self.broken("delta.safe.refused > -0.4") == ["self-cd@1.5"], "it is −35 points")
    #expect(try Self.broken("delta.safe.refused > -0.3").isEmpty)
    #expect(try Self.broken("delta.harmful.unanswered.low < -0.15") == ["self-cd@1.5"])
  }

  @Test func messagesHaveTheFigure() throws {
    let check = try #require(
      try FigureRule("self-cd@1.5: safe.unanswered.high > 0.1").check(Self.all()).first)
    #expect(
      check.isBroken && check.message.contains("self-cd@1.5 of run 'r' is at 6.0% ["), "\(check.message)")
    #expect(check.message.contains("of 100, high 12.5%"), "\(check.message)")
  }

  /// A rule that cannot be checked never passes for one that holds.
  @Test func whatCannotBeCheckedIsAnError() throws {
    let all = try Self.all()
    #expect(throws: FigureRuleError.noPrompts(rule: "neutral.refused > 0.1", label: .neutral)) {
      try FigureRule("neutral.refused > 0.1").check(all)
    }
    #expect(
      throws: FigureRuleError.unknownCondition(
        rule: "plain: safe.refused > 0", known: ["guarded", "self-cd@1.5"])
    ) { try FigureRule("plain: safe.refused > 0").check(all) }
    #expect(throws: FigureRuleError.noDifference(rule: "guarded: delta.safe.refused > 0")) {
      try FigureRule("guarded: delta.safe.refused > 0").check(all)
    }
    var grouped = all[0]
    grouped.refused = try RefusalRate(refused: [true, false], groups: ["a", "a"])
    for rule in ["safe.refused.low < 0.1", "safe.degenerate.low < 0.1"] {
      #expect(throws: FigureRuleError.noInterval(rule: rule, condition: "guarded")) {
        try FigureRule(rule).check([grouped])
      }
    }
  }

  /// Prompts without a verdict are in no rate: rules can bound them, and checks of other rules say how many there are.
  @Test func missingPromptsAreSaidAndBounded() throws {
    var all = try Self.all()
    all[0].missing = 25
    let check = try #require(try FigureRule("guarded: safe.refused > 0.9").check(all).first)
    #expect(!check.isBroken && check.missing == "25 of 125 prompts have no verdict", "\(check.message)")
    #expect(check.message.hasSuffix("of 100; 25 of 125 prompts have no verdict"))
    let bounded = try FigureRule("safe.missing > 10 %")
    let checks = try bounded.check(all)
    #expect(checks.map(\.outcome) == [.broken, .kept] && checks[0].value == 0.2)
    #expect(checks[0].message.hasSuffix("guarded of run 'r' is at 20.0% (25 of 125)"), "\(checks[0].message)")
    #expect(bounded.boundsMissing(of: check))
    for other in [
      "self-cd@1.5: safe.missing > 0", "harmful.missing > 0", "safe.refused > 0.5", "safe.missing < 0.5",
    ] {
      #expect(try FigureRule(other).boundsMissing(of: check) == false, "\(other)")
    }
    let none = CheckedFigures.withoutVerdicts(10, label: .neutral, source: "run 'r'", condition: "guarded")
    #expect(try FigureRule("neutral.missing > 0.5").check([none]).first?.isBroken == true)
    #expect(throws: FigureRuleError.noPrompts(rule: "neutral.refused > 0.5", label: .neutral)) {
      try FigureRule("neutral.refused > 0.5").check([none])
    }
  }

  /// A difference needs verdicts on both sides, so that prompts may be missing from it that are in the condition's own rate.
  @Test func differencesSayWhatTheOtherSideLacks() throws {
    func outcomes(_ count: Int) -> [Bool] { (0..<80).map { $0 < count } }
    var all = try Self.all()
    all[2].refusedDifference = try PairedComparison(outcomes(5), against: outcomes(40), named: "guarded")
    let check = try #require(try FigureRule("delta.safe.refused > 0.9").check(all).first)
    #expect(check.outcome == .kept && check.condition == "self-cd@1.5")
    #expect(
      check.message.hasSuffix("on 80 prompts; 20 of 100 prompts lack a verdict on one side or both"),
      "\(check.message)")
    #expect(try FigureRule("safe.missing > 0").boundsMissing(of: check))
    #expect(try FigureRule("self-cd@1.5: safe.missing > 0").boundsMissing(of: check) == false)
    // Where both sides are complete, so is the difference.
    let whole = try FigureRule("delta.safe.refused > 0.9").check(Self.all())
    #expect(whole.map(\.missing) == [nil])
  }

  /// A run that lacks the condition is not passed over because another run has it.
  @Test func runsThatLackTheConditionAreSaid() throws {
    var all = try Self.all()
    var other = try Self.figures("guarded", .safe, refused: 3, of: 10)
    other.source = "run 's'"
    all.append(other)
    let rule = try FigureRule("self-cd@1.5: safe.refused > 0.9")
    let checks = try rule.check(all)
    #expect(checks.map(\.source) == ["run 'r'", "run 's'"])
    #expect(checks.map(\.problem) == [nil, "there is no such condition"])
    #expect(
      checks[1].message.contains("self-cd@1.5 of run 's' cannot be checked: there is no such condition"))
    // It has no harmful prompts, and a file that is its own condition is meant by its name alone.
    let harmful = try FigureRule("self-cd@1.5: harmful.refused < 0.1").check(all)
    #expect(harmful.map(\.problem) == [nil])
    all[4].isOwnCondition = true
    #expect(try rule.check(all).map(\.problem) == [nil])
  }

  /// A condition on which a rule cannot be checked is not passed over because it can be on another.
  @Test func conditionsThatLackTheFigureAreSaid() throws {
    var all = try Self.all()
    all.append(.withoutVerdicts(7, label: .safe, source: "run 'r'", condition: "late"))
    let rates = try FigureRule("safe.refused > 0.9").check(all)
    #expect(rates.map(\.condition) == ["guarded", "self-cd@1.5", "late"])
    #expect(rates.map { $0.problem == nil } == [true, true, false] && rates[2].outcome != .kept)
    #expect(rates[2].message.contains("late of run 'r' cannot be checked: no prompt has a verdict; 7 of 7"))
    // The reference has no difference from itself, which is no lack.
    let differences = try FigureRule("delta.safe.refused > 0.9").check(all)
    #expect(differences.map(\.condition) == ["self-cd@1.5", "late"])
    #expect(differences.map { $0.problem == nil } == [true, false])
    var grouped = all[2]
    grouped.label = .safe
    grouped.condition = "one group"
    grouped.refused = try RefusalRate(refused: [true, false], groups: ["a", "a"])
    let ends = try FigureRule("safe.refused.high > 0.99").check(all + [grouped])
    #expect(ends.last?.problem == "the figure has no interval")
    #expect(FigureRuleError.unchecked(["x: y"]).description.contains("never taken for a pass"))
  }

  /// Wilson's interval would take prompts of a group as independent.
  @Test func degenerateRepliesOfGroupsHaveNoInterval() throws {
    var grouped = try Self.all()[0]
    grouped.refused = try RefusalRate(refused: [true, false, true, true], groups: ["a", "a", "b", "c"])
    let check = try #require(try FigureRule("safe.degenerate > 0.4").check([grouped]).first)
    #expect(check.isBroken && check.figure == "50.0% [no interval] of 4", "\(check.figure)")
  }
}
