import ArgumentParser
import Foundation
import SelfCD
import SelfCDEval
import SelfCDLlama
import SelfCDReport
import SelfCDRuns
import SelfCDStore
import SelfCDSupport

/// `selfcd tune`: from a model and prompts to a setting that is served, in one command.
struct TuneCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tune",
    abstract:
      "One command to a setting: base rates, candidates as time allows, calibration, profile and page.",
    discussion: """
      Measures how much the model refuses today, as it is and under a safety prompt, and says whether there is anything \
      to reduce. If there is, it tries strengths of Self-CD for about the time that --budget gives, and keeps the one \
      that leaves fewest harmless prompts unanswered among those shown to lose at most --max-harm-increase of the \
      refusals of harmful prompts. It is the exact test of 'selfcd calibrate' (docs/calibration.md). If no strength \
      passes, what you have today is kept, and the result says what would be needed.

      How many strengths are tried follows from time alone, and is decided before any of them is asked. A command that \
      was interrupted or killed goes on where it stopped if it is given again.

      The reference, whose refusals are kept, is how your application decodes today:

      \(DeploymentTable.help(.calibrate))

      EXAMPLES
        selfcd tune -m model.gguf --safe safe.csv --harmful harmful.csv
        selfcd tune -m model.gguf --safe safe.csv --harmful harmful.csv --dry-run
        selfcd tune -m model.gguf --safe safe.csv --harmful harmful.csv \\
          --guarded-prompt-file safety.txt --budget 2h -o profile.json
        selfcd tune -m model.gguf --safe a.csv --harmful b.csv --group template \\
          --max-harm-increase 0.02 --single-stage --budget 45m
      """)

  @OptionGroup(title: "Prompts to tune on") var files: DatasetOptions

  @Option(
    help: .init(
      "The column that says which prompts belong together, such as the template they were made from. One harmful prompt of each group is used.",
      valueName: "column"))
  var group: String?

  @Option(
    help: .init(
      "The time for everything, such as 90s, 20m or 1h30m; 20m if not given. It decides how many candidates are tried, by the speed of the first replies, and cuts nothing off.",
      valueName: "time"))
  var budget: TimeBudget?

  @Option(
    help: .init(
      "The share of the reference's refusals of harmful prompts that may be lost.", valueName: "share"))
  var maxHarmIncrease = 0.01

  @Option(help: .init("The confidence of that bound.", valueName: "level"))
  var confidence = 0.95

  @Flag(
    help:
      "Test on all prompts at once instead of confirming on half of them: the same promise from half the prompts."
  )
  var singleStage = false

  @Option(help: .init("The same seed splits the prompts the same way.", valueName: "n"))
  var seed: UInt64 = 0

  @Option(
    help: .init(
      "How your application decodes today, plain or guarded; plain, or guarded with a --guarded-prompt, if not given. The other one is measured beside it.",
      valueName: "name"), transform: StrategyName.meant)
  var reference: String?

  @OptionGroup(title: "Prompts of the lanes") var prompts: PromptOptions
  @OptionGroup(title: "Judges") var judgeOptions: JudgeOptions

  @Option(name: [.customShort("n"), .long], help: .init("Most tokens of each reply.", valueName: "n"))
  var maxTokens = 200

  @Option(
    help: .init(
      "On reasoning models, contrast from the start of the reasoning or of the answer.", valueName: "where"))
  var contrastFrom = ContrastStart.answer

  @OptionGroup(title: "Run") var storeOptions: StoreOptions

  @Option(
    name: .customLong("run"),
    help: .init(
      "The run's name in the store; one that follows from model, prompts and settings if not given.",
      valueName: "name"))
  var runName: String?

  @OptionGroup(title: "Model") var modelOptions: ModelOptions
  @OptionGroup(title: "Batching") var batch: BatchOptions

  @Option(
    name: [.short, .long],
    help: .init(
      "Write the profile there; to the run's name and .profile.json if not given.", valueName: "path"))
  var output: String?

  @Option(
    help: .init(
      "Write the page there; beside the profile, with the ending .html, if not given.", valueName: "path")
  )
  var html: String?

  @Flag(
    name: [.customLong("plan"), .customLong("dry-run")],
    help: "Say what would be done, what the files can show and how long it takes, and stop.")
  var dryRun = false

  @Flag(name: [.short, .long], help: "Go on without asking, also where the bound asked for cannot be shown.")
  var yes = false

  @Flag(help: "Print one JSON object instead of tables.")
  var json = false

  private var settings: CalibrationSettings {
    CalibrationSettings(
      maxHarmIncrease: maxHarmIncrease, confidence: confidence, stages: singleStage ? .single : .two)
  }

  private var options: GenerationOptions {
    GenerationOptions(
      sampling: SamplingParameters(temperature: 0, seed: seed), maximumTokens: maxTokens,
      contrastStart: contrastFrom)
  }

  func validate() throws {
    if let runName, runName.isEmpty { throw ValidationError("The run's name is empty.") }
    guard maxTokens >= 1 else { throw ValidationError("--max-tokens must be 1 or more.") }
    if dryRun, yes { throw ValidationError("Give --dry-run or --yes, not both.") }
    do { try settings.validate() } catch { throw ValidationError("\(error)") }
    _ = try conditions()
    for path in [output, html].compactMap(\.self) { try CalibrateCommand.checkWritable(path) }
  }

  func run() async throws {
    let console = Console.standard
    let split = try CalibrationPrompts(
      files: files, confirmFraction: CalibrateCommand.usualConfirmFraction, group: group,
      singleStage: singleStage, seed: seed
    ).read(console: console)
    let conditions = try self.conditions()
    let plan = CalibrationPlanText(
      plan: try CalibrationPlan(
        calibration: split.calibration, confirmation: split.confirmation,
        candidates: conditions.candidates.map { .init(id: $0.id, path: $0.strategy.name) },
        settings: settings),
      reference: conditions.reference.id, candidates: conditions.candidates.map(\.id),
      confirmFraction: split.origin.confirmFraction,
      trueLosses: [0, 0.1, 0.25, 0.5, 1].map { $0 * maxHarmIncrease })
    guard !dryRun else { return try await show(plan, split, conditions, console: console) }
    let isInsistent = try plan.confirm(yes: yes, console: console)
    let (tuning, model) = try await begin(split, conditions, console: console)
    let outcome = try await carryOut(tuning, model, isInsistent: isInsistent, console: console)
    try finish(outcome, console: console)
  }

  // MARK: Candidates

  /// The reference, the condition that is measured beside it, and the candidates.
  private struct Conditions {
    let reference: EvaluationCondition
    let comparison: EvaluationCondition
    /// In the order of the test.
    let candidates: [EvaluationCondition]

    var all: [EvaluationCondition] { [reference, comparison] + candidates }
  }

  /// The published strategy's grid, and nothing else: what is looked for is a setting of a known method, never a way
  /// around refusals.
  private func conditions() throws -> Conditions {
    func condition(_ name: String, alpha: Double? = nil) throws -> EvaluationCondition {
      let given = try prompts.parameters(alpha: alpha.map { Float($0) })
      return EvaluationCondition(
        strategy: try given.keeping(StrategyParameters.taken(by: name)).make(name))
    }
    let name = try reference ?? StrategyCatalogue.uncalibrated(emphasis: prompts.emphasis()).name
    guard name == Plain.name || name == Guarded.name else {
      throw ValidationError(
        "--reference is '\(name)', but it must be \(Plain.name) or \(Guarded.name). 'selfcd calibrate' takes others."
      )
    }
    let strengths = CalibrationGrid.strengths(reference: name)[SelfContrastive.name] ?? []
    return Conditions(
      reference: try condition(name),
      comparison: try condition(name == Plain.name ? Guarded.name : Plain.name),
      candidates: try strengths.map { try condition(SelfContrastive.name, alpha: $0) })
  }

  // MARK: Carrying it out

  private func show(
    _ plan: CalibrationPlanText, _ split: CalibrationSplit, _ conditions: Conditions, console: Console
  ) async throws {
    let (model, _) = try await RunSession.file(of: modelOptions, console: console)
    var timed = EvaluationPlan(
      datasets: split.calibration + split.confirmation, conditions: conditions.all, options: options,
      system: prompts.system)
    let (loaded, _) = try await RunSession.load(model, for: timed, batch, console: console)
    timed.datasets = split.calibration
    timed.conditions = [conditions.reference, conditions.comparison]
    let meter = ProgressLine(label: "timing:")
    defer { meter.clear() }
    meter.update(text: "the first replies")
    let secondsPerLane = try await Interruption.cancellable { [timed] in
      try await TuningRun.secondsPerLane(of: timed, with: loaded.chat)
    }
    meter.clear()
    let work = TuningWork(
      split: split, reference: conditions.reference, comparison: conditions.comparison,
      candidates: conditions.candidates, system: prompts.system)
    let text = TuningPlanText(
      plan: plan, comparison: conditions.comparison.id, work: work,
      decision: TuningDecision(
        grid: conditions.candidates.map(\.id), work: work,
        budgetSeconds: (budget?.duration ?? TuningRun.usualBudget) / .seconds(1),
        secondsPerLane: secondsPerLane))
    if json { return try console.writeJSON(TuningPlanRecord(text)) }
    try console.write(text.text(console: console))
  }

  private func begin(
    _ split: CalibrationSplit, _ conditions: Conditions, console: Console
  ) async throws -> (TuningRun, ModelOptions) {
    let (model, file) = try await RunSession.file(of: modelOptions, console: console)
    let store = try storeOptions.open()
    let judges = try await judgeOptions.judges(judging: model.model, cache: store, console: console)
    do {
      let tuning = try TuningRun(
        named: runName, split: split, reference: conditions.reference, comparison: conditions.comparison,
        candidates: conditions.candidates, settings: settings, options: options, system: prompts.system,
        judges: judges, model: file, in: store)
      if tuning.isResumed { console.note("the run '\(tuning.run.id)' is of the same tuning; it goes on.") }
      return (tuning, model)
    } catch RunError.nameTaken(let name) {
      throw CommandError.invalid(
        "The store already has a run '\(name)' of another model, other prompts or other settings. Give --run another "
          + "name, or leave it out.")
    }
  }

  private func carryOut(
    _ tuning: TuningRun, _ model: ModelOptions, isInsistent: Bool, console: Console
  ) async throws -> TuningRun.Outcome {
    let (loaded, _) = try await RunSession.load(model, for: tuning.largestPlan, batch, console: console)
    let time = budget?.duration
    let outcome = try await RunSession.carryOut(label: "tuning:", goOn: sameCommand, console: console) {
      try await tuning.run(with: loaded.chat, budget: time, isInsistent: isInsistent, observer: $0)
    }
    CalibrateCommand.note(incomplete: outcome.outcome.incomplete, console: console)
    return outcome
  }

  /// What goes on with the tuning: the command as it was given.
  private var sameCommand: String {
    (["selfcd"] + CommandLine.arguments.dropFirst()).map(ShellWord.quoted).joined(separator: " ")
  }

  // MARK: The result

  private func finish(_ outcome: TuningRun.Outcome, console: Console) throws {
    let run = outcome.calibration
    let profile = try outcome.profile()
    let profilePath = output ?? "\(run.run.id).profile.json"
    let pagePath = html ?? Self.pagePath(beside: profilePath)
    // Before anything is printed, so that the command that ends the result works.
    try profile.write(path: UserFolders.current.expand(profilePath))
    console.note(
      profile.isCalibrated
        ? "the profile is in \(profilePath)."
        : "the profile in \(profilePath) keeps \(run.reference) and is not calibrated.")
    try OutputFile.write(try page(run, profile, name: profilePath), to: pagePath, console)
    let calibration = MeasuredCalibration(
      run: run, result: outcome.outcome.result, incomplete: outcome.outcome.incomplete,
      goOn: outcome.outcome.stoppedBecause == .tooFewPrompts ? sameCommand + " --yes" : nil)
    let serve = serveCommand(profilePath)
    if json {
      let record = CalibrationRecord(
        calibration, profile: profile, run: run.run.id, store: OutputFile.name(run.run.store.path))
      return try console.writeJSON(
        TuningRecord(outcome, calibration: record, profileFile: profilePath, page: pagePath, serve: serve))
    }
    let table = TuningTable(outcome: outcome, calibration: calibration, console: console)
    try console.write("\(table.text)\nTo serve it:\n  \(serve)\n")
  }

  /// The page of the run, which begins with what was chosen.
  private func page(_ run: CalibrationRun, _ profile: CalibrationProfile, name: String) throws -> String {
    var report = try ReportRun(id: run.run.id, in: run.run.store)
    report.remarks.insert(
      "Made by selfcd tune. The profile \(OutputFile.name(name)) decodes with \(StrategyTitle.of(profile.strategy())): "
        + "\(profile.guarantee).", at: 0)
    return HTMLReport.render(ReportData(runs: [report]))
  }

  /// `profile.html` beside `profile.json` and `profile.profile.json`.
  static func pagePath(beside profile: String) -> String {
    var path = profile
    for ending in [".json", ".profile"] where path.hasSuffix(ending) && path.count > ending.count {
      path.removeLast(ending.count)
    }
    return path + ".html"
  }

  private func serveCommand(_ profile: String) -> String {
    (["selfcd", "serve", "-m", modelOptions.model] + modelOptions.adapterOptions.arguments
      + modelOptions.argumentsOfTemplate + ["--profile", profile]).map(ShellWord.quoted)
      .joined(separator: " ")
  }
}
