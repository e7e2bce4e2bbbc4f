import ArgumentParser
import Foundation
import SelfCDEval
import SelfCDSupport

/// Limits that figures must not pass, for checks that run by themselves.
struct RuleOptions: ParsableArguments {
  @Option(
    help: .init(
      """
      Fail, with exit status \(ExitStatus.rulesBroken), where this holds: 'safe.unanswered > 0.05'. Repeatable. \
      LABEL.refused, .unanswered, .degenerate or .missing, with .low or .high for an end of the interval and delta. before \
      it for a difference; 'CONDITION:' before that for one condition, else for any.
      """, valueName: "rule"))
  var failIf: [String] = []

  @Option(
    help: .init("Write what became of each rule of --fail-if as JUnit XML.", valueName: "path"))
  var junit: String?

  func validate() throws {
    do {
      _ = try rules()
    } catch {
      throw ValidationError("\(error)")
    }
    guard junit == nil || !failIf.isEmpty else {
      throw ValidationError("--junit writes what became of rules; give some with --fail-if.")
    }
    if junit == "" { throw ValidationError("--junit needs the name of a file.") }
  }

  private func rules() throws(FigureRuleError) -> [FigureRule] {
    var rules: [FigureRule] = []
    for text in failIf { rules.append(try FigureRule(text)) }
    return rules
  }

  /// Checks the rules after the figures were written.
  /// - Parameters:
  ///   - figures: gets the figures; not called where there is no rule.
  ///   - command: what is checked, for the JUnit file: `selfcd eval`.
  ///   - console: where it is said that prompts are missing.
  /// - Throws: `CommandError.rulesBroken`; `FigureRuleError` for a rule that cannot be checked, be it under one condition
  ///   of several.
  func enforce(
    _ figures: @autoclosure () throws -> [CheckedFigures], command: String, console: Console
  ) throws {
    let rules = try rules()
    guard !rules.isEmpty else { return }
    let measured = try figures()
    var checks: [RuleCheck] = []
    for rule in rules { checks += try rule.check(measured) }
    if let junit {
      try OutputFile.write(JUnitReport(suite: command, checks: checks).text, to: junit, console)
    }
    let kept = checks.filter { $0.outcome == .kept && $0.missing != nil }
    for check in kept where !rules.contains(where: { $0.boundsMissing(of: check) }) {
      console.note(
        TerminalText.singleLine(
          "this rule holds, and prompts are missing: \(check.message); bound them with "
            + "'\(check.rule.label.rawValue).missing > 0'."))
    }
    let unchecked = checks.filter { $0.problem != nil }.map { TerminalText.singleLine($0.message) }
    let broken = checks.filter(\.isBroken).map { TerminalText.singleLine($0.message) }
    if ProcessInfo.processInfo.environment["GITHUB_ACTIONS"] == "true" {
      for message in broken + unchecked { console.annotate(message, title: command) }
    }
    guard broken.isEmpty else { throw CommandError.rulesBroken(broken + unchecked) }
    guard unchecked.isEmpty else { throw FigureRuleError.unchecked(unchecked) }
  }
}
