import ArgumentParser
import SelfCD
import SelfCDEval
import SelfCDRuns
import SelfCDStore
import SelfCDSupport

/// `selfcd check-calibration`: whether the bound of calibration holds as often as it says, on a stored run.
struct CheckCalibrationCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check-calibration",
    abstract: "Repeat a calibration on sets drawn from a stored run, and count how often its bound fails.",
    discussion: """
      The run's prompts are the pool, and its rates the truth. Sets are drawn from it with replacement, calibrated and \
      confirmed; nothing is generated. A repetition fails where a candidate that passed truly exceeds the bound. With \
      --group whole groups are drawn, and bounds are over groups as 'calibrate --group' has them.

      EXAMPLES
        selfcd eval --safe safe.jsonl --harmful harmful.jsonl --strategies guarded,self-cd --alpha 1,1.5,2 --run pool
        selfcd check-calibration pool --harmful 1000 --harmless 1000
      """, shouldDisplay: false)

  @Argument(help: .init("The stored run: its name, the beginning of it, or 'latest'.", valueName: "run"))
  var name: String

  @Option(help: .init("Harmful prompts in each part of a drawn set.", valueName: "n"))
  var harmful = 1000

  @Option(help: .init("Harmless prompts in each part of a drawn set.", valueName: "n"))
  var harmless = 1000

  @Option(help: .init("Sets to draw.", valueName: "n"))
  var repetitions = 200

  @Option(help: .init("The bound on the share of refusals lost.", valueName: "share"))
  var maxHarmIncrease = 0.01

  @Option(help: .init("The confidence of that bound.", valueName: "level"))
  var confidence = 0.95

  @Option(help: .init("How the level is shared.", valueName: "name"))
  var procedure = LearnThenTest.Procedure.fixedSequence

  @Option(
    help: .init(
      "The reference; the run's own if not given, and guarded where it has none.", valueName: "condition"))
  var reference: String?

  @Option(help: .init("Whose verdicts are counted; the run's first judge if not given.", valueName: "name"))
  var judge: String?

  @Option(help: .init("The column that says which prompts belong together.", valueName: "column"))
  var group: String?

  @Flag(help: "Draw groups, but test as if their prompts were independent: what --group is there against.")
  var ignoreGroups = false

  @Option(help: .init("The same seed draws the same sets.", valueName: "n"))
  var seed: UInt64 = 0

  @OptionGroup(title: "Run") var storeOptions: StoreOptions

  @Flag(help: "Print one JSON object instead of text.")
  var json = false

  func validate() throws {
    guard harmful >= 1, harmless >= 1, repetitions >= 1 else {
      throw ValidationError("--harmful, --harmless and --repetitions must be 1 or more.")
    }
    do { try settings.validate() } catch { throw ValidationError("\(error)") }
  }

  private var settings: CalibrationSettings {
    CalibrationSettings(maxHarmIncrease: maxHarmIncrease, confidence: confidence, procedure: procedure)
  }

  func run() async throws {
    let console = Console.standard
    let store = try storeOptions.openExisting()
    let name = try store.identifier(matching: name)
    let run = try store.run(id: name)
    let conditions = try store.conditions(runID: name)
    let reference = try reference ?? RunSettings(of: run).reference ?? Guarded.name
    guard conditions.contains(where: { $0.id == reference }) else {
      throw CommandError.invalid(
        "The run '\(name)' has no condition '\(reference)': \(conditions.map(\.id).joined(separator: ", ")).")
    }
    let candidates = conditions.filter { $0.id != reference }.sorted { first, second in
      (first.strategy, first.alpha ?? 0) < (second.strategy, second.alpha ?? 0)
    }.map { CalibrationResult.Candidate(id: $0.id, path: $0.strategy) }
    let judges = try store.judges(runID: name).map(\.name)
    let counted = try judge ?? RunSettings(of: run).judges.first ?? ""
    guard judges.contains(counted) else {
      throw CommandError.invalid(
        "The run '\(name)' has no verdict by '\(counted)'. Judges there are: "
          + "\(Set(judges).sorted().joined(separator: ", ")).")
    }
    let datasets = try store.datasets(runID: name)
    if let group, !datasets.flatMap(\.samples).contains(where: { $0.value(ofColumn: group) != nil }) {
      throw CommandError.invalid("The prompts of run '\(name)' have no column '\(group)'.")
    }
    let pool = ReplyOutcomes(
      try store.replies(runID: name, withSteps: false), in: Set(datasets.map(\.name)), reference: reference,
      candidates: candidates.map(\.id), judge: counted, group: group)
    let report = try CalibrationSimulation(
      pool: pool, candidates: candidates, settings: settings,
      size: .init(harmless: harmless, harmful: harmful), testsGroups: !ignoreGroups
    ).run(repetitions: repetitions, seed: seed)
    guard !json else { return try console.writeJSON(report) }
    let harmfulPool = pool.prompts.count(where: \.isHarmful)
    try console.writeLine(
      "pool: \(pool.prompts.count - harmfulPool) harmless, \(harmfulPool) harmful; drawn for each part: "
        + "\(harmless) harmless, \(harmful) harmful\(pool.groupCounts.map { ", of \($0.harmless) and \($0.harmful) groups" } ?? "")"
        + "; \(repetitions) repetitions")
    let lines =
      [["candidate", "truly lost, %", "chosen"]]
      + ([reference] + candidates.map(\.id)).map { id in
        [id, NumberFormat.decimal(100 * (report.truth[id] ?? 0), 2), "\(report.choices[id] ?? 0)"]
      }
    try console.write(EvaluationTable.table(lines, console: console))
    try console.writeLine(
      """

      bound \(NumberFormat.share(maxHarmIncrease)) at \(NumberFormat.share(confidence)), repetitions in which it fails:
        any candidate that passed at calibration  \(report.anyPassedExceeds) of \(repetitions) \
      (p \(NumberFormat.decimal(report.pValue, 3)) against \(NumberFormat.share(1 - confidence)))
        the best of those that passed             \(report.chosenAtCalibrationExceeds)
        the confirmed choice                      \(report.confirmedExceeds)
      further harmless prompts answered, on average: \(NumberFormat.decimal(100 * report.meanGain, 1)) points
      """)
  }
}
