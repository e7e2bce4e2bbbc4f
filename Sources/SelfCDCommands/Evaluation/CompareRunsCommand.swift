import ArgumentParser
import SelfCDData
import SelfCDEval
import SelfCDReport
import SelfCDRuns
import SelfCDStore

/// `selfcd compare-runs`: what changed between two stored runs, on the same prompts.
struct CompareRunsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compare-runs",
    abstract: "What changed between two stored runs, on the prompts that both answered.",
    discussion: """
      A is what is compared with, B what is compared: an earlier and a later version of a model or a system prompt, \
      quantised and not, imported and own. Prompts are the same where their texts are. Harmless prompts are counted as \
      unanswered, harmful ones as refused. Both runs need verdicts of one judge in one version.

      Without --condition, each run's own is taken: its only one, or the one that its report features. Given once, it is \
      that of both runs; given twice, the first is A's and the second B's. Rules of --fail-if are about B: its rates, and \
      with delta. what B changes.

      EXAMPLES
        selfcd compare-runs before after
        selfcd compare-runs before after --condition self-cd@1.5
        selfcd compare-runs first first --condition guarded \\
          --condition self-cd@1.5
        selfcd compare-runs before after --group template --json
        selfcd compare-runs before after \\
          --fail-if "delta.safe.unanswered.high > 0.02" --junit selfcd.xml
      """)

  @Argument(
    help: .init("The run that is compared with: its name, the beginning of it, or 'latest'.", valueName: "a"))
  var first: String

  @Argument(help: .init("The run that is compared.", valueName: "b"))
  var second: String

  @Option(help: .init("The condition of both runs; given twice, of A and of B.", valueName: "name"))
  var condition: [String] = []

  @Option(
    help: .init(
      "The judge to count by; the first run's own, if both have it, unless given.", valueName: "name"))
  var judge: String?

  @OptionGroup var groupOptions: GroupOptions
  @OptionGroup var storeOptions: StoreOptions

  @Flag(help: "Print one JSON object instead of a table.")
  var json = false

  @OptionGroup(title: "Checks") var ruleOptions: RuleOptions

  func validate() throws {
    guard condition.count <= 2, !condition.contains("") else {
      throw ValidationError("--condition names a condition, once for both runs or once for each.")
    }
  }

  func run() throws {
    let console = Console.standard
    let store = try storeOptions.openExisting()
    let runs = (try store.identifier(matching: first), try store.identifier(matching: second))
    if groupOptions.group != nil {
      // The column of one of them is enough: they have the same prompts.
      do {
        try groupOptions.check(try store.datasets(runID: runs.0))
      } catch {
        try groupOptions.check(try store.datasets(runID: runs.1))
      }
    }
    let comparison = try RunComparison(
      try selection(runs.0, condition.first, in: store), with: selection(runs.1, condition.last, in: store),
      judge: judge, group: groupOptions.group, in: store)
    if json {
      try console.writeJSON(RunComparisonRecord(comparison))
    } else {
      try console.write(RunComparisonTable(comparison: comparison, console: console).text)
    }
    let figures = Sample.Label.allCases.compactMap { label -> CheckedFigures? in
      let planned = comparison.planned[label] ?? 0
      let (source, condition) = ("run '\(comparison.after.run)'", comparison.after.condition)
      if let row = comparison.rows.first(where: { $0.label == label && $0.category == nil }) {
        return CheckedFigures(row.after, source: source, condition: condition, planned: planned)
      }
      guard planned > 0 else { return nil }
      return CheckedFigures.withoutVerdicts(planned, label: label, source: source, condition: condition)
    }
    try ruleOptions.enforce(figures, command: "selfcd compare-runs", console: console)
  }

  private func selection(
    _ run: String, _ condition: String?, in store: RunStore
  ) throws -> RunComparison.Selection {
    if let condition { return .init(run: run, condition: condition) }
    let conditions = try store.conditions(runID: run)
    if conditions.count == 1, let only = conditions.first { return .init(run: run, condition: only.id) }
    let report = try ReportRun(id: run, in: store)
    return .init(run: run, condition: report.featured ?? report.baseline)
  }
}
