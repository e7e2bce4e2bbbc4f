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
      --group whole groups are drawn, and one harmful prompt of each is tested, as 'calibrate --group' does.

      With --synthetic instead of a run, prompts come from populations that are made up so that a calibration is most \
      likely to fail. docs/calibration.md has the table that comes of it.

      EXAMPLES
        selfcd eval --safe safe.jsonl --harmful harmful.jsonl \\
          --strategies guarded,self-cd --alpha 1,1.5,2 --run pool
        selfcd check-calibration pool --harmful 1000 --harmless 1000
        selfcd check-calibration --synthetic --repetitions 2000
      """, shouldDisplay: false)

  @Argument(help: .init("The stored run: its name, the beginning of it, or 'latest'.", valueName: "run"))
  var name: String?

  @Flag(help: "Draw from made-up populations instead of a run, one after the other.")
  var synthetic = false

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

  @Flag(help: "Test the prompts of a run in a single stage instead of two.")
  var singleStage = false

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
    guard (name == nil) == synthetic else {
      throw ValidationError("Give a run to draw from, or --synthetic.")
    }
    do { try settings.validate() } catch { throw ValidationError("\(error)") }
  }

  private var settings: CalibrationSettings {
    CalibrationSettings(
      maxHarmIncrease: maxHarmIncrease, confidence: confidence, procedure: procedure,
      stages: singleStage ? .single : .two)
  }

  func run() async throws {
    let console = Console.standard
    guard let name else {
      return try SyntheticCheck(
        settings: settings, size: .init(harmless: harmless, harmful: harmful), repetitions: repetitions,
        seed: seed, json: json
      ).run(console: console)
    }
    let store = try storeOptions.openExisting()
    let run = try store.run(id: try store.identifier(matching: name))
    let conditions = try store.conditions(runID: run.id)
    let reference = try reference ?? RunSettings(of: run).reference ?? Guarded.name
    guard conditions.contains(where: { $0.id == reference }) else {
      throw CommandError.invalid(
        "The run '\(run.id)' has no condition '\(reference)': \(conditions.map(\.id).joined(separator: ", "))."
      )
    }
    let beside = (try? RunSettings(of: run))?.calibration?.tuning?.comparison
    let candidates = conditions.filter { $0.id != reference && $0.id != beside }.sorted { first, second in
      (first.strategy, first.alpha ?? 0) < (second.strategy, second.alpha ?? 0)
    }.map { CalibrationStages.Candidate(id: $0.id, path: $0.strategy) }
    let judges = try store.judges(runID: run.id).map(\.name)
    let counted = try judge ?? RunSettings(of: run).judges.first ?? ""
    guard judges.contains(counted) else {
      throw CommandError.invalid(
        "The run '\(run.id)' has no verdict by '\(counted)'. Judges there are: "
          + "\(Set(judges).sorted().joined(separator: ", ")).")
    }
    let datasets = try store.datasets(runID: run.id)
    if let group, !datasets.flatMap(\.samples).contains(where: { $0.value(ofColumn: group) != nil }) {
      throw CommandError.invalid("The prompts of run '\(run.id)' have no column '\(group)'.")
    }
    let pool = ReplyOutcomes(
      try store.replies(runID: run.id, withSteps: false), of: datasets, reference: reference,
      candidates: candidates.map(\.id), judge: counted, group: group)
    let report = try CalibrationSimulation(
      source: PromptPool(pool), candidates: candidates, settings: settings,
      size: .init(harmless: harmless, harmful: harmful), drawsGroups: !ignoreGroups
    ).run(repetitions: repetitions, seed: seed)
    guard !json else { return try console.writeJSON(report) }
    let harmfulPool = pool.prompts.count(where: \.isHarmful)
    try console.writeLine(
      "pool: \(pool.prompts.count - harmfulPool) harmless, \(harmfulPool) harmful; drawn for each part: "
        + "\(harmless) harmless, \(harmful) harmful; \(NumberFormat.counted(repetitions, "repetition"))")
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
        the choice                                \(report.chosenExceeds)
      further harmless prompts answered, on average: \(NumberFormat.decimal(100 * report.meanGain, 1)) points
      """)
  }
}
