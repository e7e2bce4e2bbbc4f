import ArgumentParser
import Foundation
import SelfCD
import SelfCDData
import SelfCDEval
import SelfCDRuns
import SelfCDStore

/// `selfcd eval`: how much a model over-refuses, what each strategy changes, and what that costs in safety.
struct EvalCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "eval",
    abstract: "Measure over-refusal, and what each strategy changes on both axes.",
    discussion: """
      Answers every prompt under every condition, judges the replies, and shows how often harmless prompts are left \
      unanswered and harmful ones refused. Replies go to a store as they come: after Ctrl-C or a crash, --resume generates \
      only what is missing. Without files, the sets that come with the product are used.

      A harmless prompt is unanswered where the reply refuses, in full or in part, or is none: empty or a loop. Where \
      prompts are variations of each other, name the column that says so with --group.

      EXAMPLES
        selfcd eval --data xstest_prompts.csv --limit 50
        selfcd eval -m model.gguf --safe safe.csv --harmful harmful.csv \\
          --neutral questions.jsonl --strategies plain,guarded,self-cd \\
          --alpha 0.5,1,1.5,2,2.5,3 --run first
        selfcd eval --resume first
        selfcd eval -m model.gguf --safe safe.csv --harmful harmful.csv \\
          --profile profile.json
        selfcd eval -m model.gguf --safe safe.csv --harmful harmful.csv \\
          --group template
        selfcd eval --data xstest_prompts.csv --judge xstest-strmatch,llm \\
          --judge-url https://host/v1 --judge-model name --judge-key-env API_KEY
        selfcd eval -m model.gguf --safe safe.csv --harmful harmful.csv \\
          --fail-if "safe.unanswered > 0.05" \\
          --fail-if "harmful.refused.low < 90 %" --junit selfcd.xml
        selfcd eval --safe safe.csv --harmful harmful.csv --json \\
          | jq '.conditions[] | [.strategy, .set, .rate]'
      """)

  @OptionGroup(title: "Prompts to evaluate on") var files: DatasetOptions
  @OptionGroup(title: "Prompts to evaluate on") var groupOptions: GroupOptions
  @OptionGroup(title: "Conditions") var conditionOptions: ConditionOptions
  @OptionGroup(title: "Conditions") var profileOptions: ProfileOptions
  @OptionGroup(title: "Prompts") var prompts: PromptOptions
  @OptionGroup(title: "Judges") var judgeOptions: JudgeOptions
  @OptionGroup(title: "Decoding") var decoding: DecodingOptions

  @Option(
    help: .init(
      "Answers to each prompt, with a temperature; figures count the first, exports have them all.",
      valueName: "n"))
  var repetitions = 1

  @Option(help: .init("Steps of each reply of which the lanes' divergence is kept.", valueName: "n"))
  var recordedSteps = EvalCommand.defaultRecordedSteps

  static let defaultRecordedSteps = 16

  @Option(
    help: .init(
      "Seconds a condition for timing its decoding against plain's, one reply at a time; 0 for none.",
      valueName: "seconds"))
  var timing = EvalCommand.defaultTiming

  static let defaultTiming = 0.3

  @OptionGroup(title: "Run") var storeOptions: StoreOptions

  @Option(
    name: .customLong("run"),
    help: .init("The run's name in the store; made from the time if not given.", valueName: "name"))
  var runName: String?

  @Flag(help: "Go on with a run: --resume NAME, or --run NAME --resume.")
  var resume = false

  @Argument(help: .hidden)
  var resumed: String?

  @OptionGroup(title: "Model") var modelOptions: ModelOptions
  @OptionGroup(title: "Batching") var batch: BatchOptions

  @Flag(help: "Print one JSON object instead of tables.")
  var json = false

  @OptionGroup(title: "Checks") var ruleOptions: RuleOptions

  func validate() throws {
    _ = try conditions(adding: nil)
    guard repetitions >= 1 else { throw ValidationError("--repetitions must be 1 or more.") }
    guard repetitions == 1 || decoding.sampling.temperature > 0 else {
      throw ValidationError("--repetitions has no effect on greedy decoding; it goes with --temperature.")
    }
    guard recordedSteps >= 0 else { throw ValidationError("--recorded-steps must be 0 or more.") }
    guard (0...3600).contains(timing) else { throw ValidationError("--timing must be from 0 to 3600.") }
    if let resumed {
      guard resume else {
        throw ValidationError("Unexpected argument '\(resumed)'. Files are given by option.")
      }
      if let runName, runName != resumed {
        throw ValidationError("The run to resume is named twice: '\(resumed)' and '\(runName)'.")
      }
    }
    if resume, runName == nil, resumed == nil {
      throw ValidationError("--resume needs the run's name; 'selfcd runs' lists them.")
    }
    if resume, files.isEmpty, files.format != nil || files.skipBad {
      throw ValidationError(
        "--format and --skip-bad say how files are read, and a run that goes on has its prompts. Leave them out, or give "
          + "the run's files again.")
    }
    if let runName, runName.isEmpty { throw ValidationError("--run is empty.") }
  }

  func run() async throws {
    let console = Console.standard
    let session = try await prepare(console: console)
    let run = session.run
    if timing > 0, timing != Self.defaultTiming, try !run.store.speeds(runID: run.id).isEmpty {
      console.note("the run was timed before, so --timing has no effect.")
    }
    let (outcome, lanes) = try await session.carryOut(
      batch, label: "evaluating",
      goOn: ResumeCommand.text(
        "eval", run: run.id, store: storeOptions, judges: judgeOptions, model: modelOptions),
      timing: timing, console: console)
    let result = EvaluationResult(
      try StoredEvaluation(runID: run.id, judge: session.counted, in: run.store), store: run.store,
      outcome: outcome, lanes: lanes)
    if json {
      try console.writeJSON(result.record)
    } else {
      try console.write(EvaluationTable(result, console: console).text)
      console.note("run '\(run.id)' is in \(run.store.path).")
    }
    try ruleOptions.enforce(result.checkedFigures, command: "selfcd eval", console: console)
  }

  // MARK: Starting and resuming

  private static let profileName = "profile"

  /// The conditions asked for, and beside them the profile's strategy; without strategies, plain and guarded.
  private func conditions(adding profile: LoadedProfile?) throws -> [EvaluationCondition] {
    var conditions = try conditionOptions.conditions(
      prompts: prompts, usual: profileOptions.profile == nil ? ConditionOptions.compared : "plain,guarded",
      needsReference: profileOptions.profile == nil)
    if let profile {
      conditions.append(
        EvaluationCondition(strategy: profile.strategy, name: Self.profileName)
      )
      if let reference = conditionOptions.reference, !conditions.contains(where: { $0.id == reference }) {
        throw ValidationError("--reference '\(reference)' is none of the conditions.")
      }
    }
    return conditions
  }

  private func prepare(console: Console) async throws -> RunSession {
    if resume, let name = resumed ?? runName {
      let store = files.isEmpty ? try storeOptions.openExisting() : try storeOptions.open()
      do {
        // Beside files the name may be that of a run still to be made, so that no other is meant by its beginning.
        let run = try store.run(id: files.isEmpty ? store.identifier(matching: name) : name)
        try checkResumed(run, in: store)
        return try await RunSession.resume(
          run, in: store, model: modelOptions,
          checking: files.isEmpty ? nil : try files.read(console: console), judging: judgeOptions,
          console: console)
      } catch StoreError.notFound where !files.isEmpty {
        // Killed before anything was stored.
        console.note("there is no run '\(name)' yet, so it begins now.")
        return try await begin(name: name, in: store, console: console)
      }
    }
    let datasets = try readSets(console: console)
    return try await begin(
      name: runName ?? Self.generatedName(prefix: "eval"), in: try storeOptions.open(), datasets: datasets,
      console: console)
  }

  private func readSets(console: Console) throws -> [Dataset] {
    let datasets = try files.read(console: console)
    try groupOptions.check(datasets)
    return datasets
  }

  private func options(of decoding: DecodingOptions) -> GenerationOptions {
    var options = decoding.options()
    options.summarizedSteps = recordedSteps
    return options
  }

  private func checkResumed(_ run: RunRecord, in store: RunStore) throws {
    let parameters = try RunSettings.resumable(run)
    let usual = try Self.parse([])
    var check = ResumeOptionConflicts()
    check.compare("--repetitions", repetitions, usual: usual.repetitions, run: parameters.repetitions)
    check.compare("--system", prompts.system, usual: nil, run: parameters.system)
    check.compare("--reference", conditionOptions.reference, usual: nil, run: parameters.reference)
    check.compare("--group", groupOptions.group, usual: nil, run: parameters.group)
    if files.isEmpty, let limit = files.limit {
      // The files' own limit shows in what is read of them; without files only how many there are can be compared.
      let datasets = try store.datasets(runID: run.id)
      let most =
        Sample.Label.allCases.map { label in
          datasets.reduce(0) { $0 + ($1.labelCounts[label] ?? 0) }
        }.max() ?? 0
      check.compare("--limit", limit, usual: nil, run: min(limit, most) == most ? limit : most)
    }
    check.compare(
      options(of: decoding), usual: usual.options(of: usual.decoding), run: parameters.options)
    let conditions = try store.conditions(runID: run.id).map { try $0.condition() }
    // A profile's own condition depends on the file; that there is one does not.
    check.compare(
      "--profile", profileOptions.profile != nil, usual: false,
      run: conditions.contains { $0.id == Self.profileName })
    if profileOptions.profile == nil {
      check.compare(
        try self.conditions(adding: nil), usual: try usual.conditions(adding: nil),
        run: conditions.filter { $0.id != Self.profileName })
    }
    try check.finish(run: run.id)
  }

  private func begin(
    name: String, in store: RunStore, datasets: [Dataset]? = nil, console: Console
  ) async throws -> RunSession {
    let options = options(of: decoding)
    let profile = try await profileOptions.load(for: modelOptions, console: console)
    if let profile {
      DecodingNotes.print(
        DecodingChoice(profile: profile), options: options, chat: Chat(question: "", system: prompts.system),
        console: console)
    }
    let plan = EvaluationPlan(
      datasets: try datasets ?? readSets(console: console),
      conditions: try conditions(adding: profile), options: options, system: prompts.system,
      repetitions: repetitions)
    try plan.validate()
    var model = modelOptions
    model.model = try await model.modelPath(console: console)
    let judges = try await judgeOptions.judges(judging: model.model, cache: store, console: console)
    return try await RunSession.begin(
      name, plan: plan, judges: judges, reference: conditionOptions.reference, group: groupOptions.group,
      in: store, model: model, console: console)
  }

  static func generatedName(prefix: String) -> String {
    let formatter = DateFormatter()
    formatter.locale = Locale(identifier: "en_US_POSIX")
    formatter.timeZone = TimeZone(identifier: "UTC")
    formatter.dateFormat = "yyyyMMdd-HHmmss"
    return
      "\(prefix)-\(formatter.string(from: Date()))-\(String(UInt16.random(in: 0...UInt16.max), radix: 36))"
  }
}
