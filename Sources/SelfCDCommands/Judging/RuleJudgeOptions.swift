import ArgumentParser
import SelfCDJudges

/// Who says which replies refuse, where replies are judged as they come: a judge that needs no model.
struct RuleJudgeOptions: ParsableArguments {
  @Option(
    name: .customLong("judge"),
    help: .init(
      """
      The judge that says which replies refuse: \(JudgeCatalogue.local.map(\.name).joined(separator: ", ")). By default \
      XSTest's own, the published rule that such studies are compared by; 'selfcd eval' counts selfcd's verdicts.
      """,
      valueName: "name"))
  var name = XSTestStringMatchJudge().name

  /// - Throws: `JudgeError` for a name that is not known.
  func judge() throws -> any LocalReplyJudge { try JudgeCatalogue.judge(named: name) }

  func validate() throws {
    do { _ = try judge() } catch { throw ValidationError("\(error)") }
  }
}
