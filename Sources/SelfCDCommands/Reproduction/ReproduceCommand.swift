import ArgumentParser
import Foundation
import SelfCD
import SelfCDData
import SelfCDEval
import SelfCDJudges
import SelfCDLlama
import SelfCDReport
import SelfCDStore

/// `selfcd reproduce`: the paper's experiment, for models and sets that the user has.
struct ReproduceCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "reproduce",
    abstract: "The paper's experiment: its conditions on its sets, beside its figures.",
    discussion: """
      Answers the sets under the conditions of the Self-CD paper (arXiv 2401.17633): no system prompt, safety prompt, \
      helpfulness prompt, in-context examples, zero- and few-shot chain of thought, Self-CD at α 0.5 to 3, and AdaCD. \
      Greedy, 200 tokens. Published figures stand beside the models they were measured on. Without --judge, the \
      verdicts of \(XSTestStringMatchJudge().name) are counted, the string matcher of XSTest's authors, so that figures \
      of different versions compare; the other rules judge too.

      Replies go to a store as they come: the same command with --run NAME --resume goes on after Ctrl-C, and \
      'selfcd report NAME' shows more.

      EXAMPLES
        selfcd reproduce model.gguf --xstest xstest.csv --oktest oktest.csv \\
          --advbench advbench.csv --malicious malicious.txt -o report.html
        selfcd reproduce a.gguf b.gguf --xstest xstest.csv --limit 50 --run paper
        selfcd reproduce a.gguf b.gguf --xstest xstest.csv --limit 50 \\
          --run paper --resume
        selfcd reproduce a.gguf --set hard=hard.csv:safe \\
          --set toxic=toxic.csv:harmful --json
      """)

  @Argument(
    help: .init("Models, as --model takes them; the embedded one if none is given.", valueName: "model"))
  var models: [String] = []

  @OptionGroup(title: "Sets") var sets: ReproductionSets

  @Option(
    help: .init(
      "Questions with answers (columns 'prompt' and 'answer') for the in-context condition, instead of those that ship.",
      valueName: "file"))
  var examples: String?

  @Option(name: [.customShort("n"), .long], help: .init("Most tokens of each reply.", valueName: "n"))
  var maxTokens = 200

  @OptionGroup(title: "Judges") var judgeOptions: JudgeOptions
  @OptionGroup(title: "Run") var storeOptions: StoreOptions

  @Option(
    name: .customLong("run"),
    help: .init(
      "The run's name in the store, made from the time if not given; with several models, each one's number is added.",
      valueName: "name"))
  var runName: String?

  @Flag(help: "Go on with the run of that name.")
  var resume = false

  @OptionGroup(title: "Model") var modelOptions: ModelOptions
  @OptionGroup(title: "Batching") var batch: BatchOptions

  @Option(
    name: [.short, .long],
    help: .init("Write a report of the runs too: .html, .md, .txt or .json.", valueName: "path"))
  var output: String?

  @Flag(help: "Print one JSON object instead of tables.")
  var json = false

  func validate() throws {
    guard maxTokens >= 1 else { throw ValidationError("--max-tokens must be 1 or more.") }
    if !models.isEmpty, modelOptions.model != ModelOptions.defaultModel {
      throw ValidationError("Name the models as arguments or with --model, not both.")
    }
    if let runName, runName.isEmpty { throw ValidationError("--run is empty.") }
    if resume, runName == nil {
      throw ValidationError("--resume needs --run NAME; 'selfcd runs' lists them.")
    }
    _ = try report()
  }

  /// The report that is written besides, if any.
  private func report() throws -> OutputChoice? {
    guard let output else { return nil }
    guard output != "-" else {
      throw ValidationError("--output writes a file beside the tables; give it a name.")
    }
    return try OutputChoice(
      format: nil, path: output, among: ReportCommand.formats, command: "selfcd reproduce",
      hasFormatOption: false)
  }

  func run() async throws {
    let console = Console.standard
    let datasets = try sets.read()
    // Greedy; the lanes' divergence is kept for the report as 'selfcd eval' keeps it.
    var options = GenerationOptions(
      sampling: SamplingParameters(temperature: 0), maximumTokens: maxTokens)
    options.summarizedSteps = EvalCommand.defaultRecordedSteps
    let plan = EvaluationPlan(
      datasets: datasets, conditions: try ReproductionConditions.all(examples: examples), options: options)
    try plan.validate()
    remark(on: plan, console: console)
    // All files are looked at before hours go into the first.
    var loadable: [ModelOptions] = []
    for name in models.isEmpty ? [modelOptions.model] : models {
      var model = modelOptions
      model.model = name
      model.model = try await model.modelPath(console: console)
      _ = try GGUFFile(path: model.model).parts()
      loadable.append(model)
    }

    let store = try storeOptions.open()
    let name = runName ?? EvalCommand.generatedName(prefix: "reproduce")
    let ids = loadable.count == 1 ? [name] : (1...loadable.count).map { "\(name)-\($0)" }
    var results: [ModelRun] = []
    for (id, model) in zip(ids, loadable) {
      let session = try await session(id, plan: plan, model: model, in: store, console: console)
      _ = try await session.carryOut(
        batch, label: "\(URL(filePath: model.model).lastPathComponent):",
        goOn: "the same command with --run \(name) --resume", timing: EvalCommand.defaultTiming,
        console: console)
      results.append(
        ModelRun(
          run: try ReportRun(id: id, in: store),
          file: URL(filePath: model.model).lastPathComponent))
    }
    try show(results, store: store, console: console)
  }

  /// A model's stored run.
  private struct ModelRun {
    let run: ReportRun
    let file: String

    /// Files often say more of the model than the name inside does.
    var table: ReproductionTable { ReproductionTable(run, modelNames: [run.record.model, file]) }
  }

  private func remark(on plan: EvaluationPlan, console: Console) {
    for set in sets.leftOut { console.note("\(set.name) is left out: no file is given with \(set.option).") }
    for (label, name) in [(Sample.Label.safe, "harmless"), (.harmful, "harmful")]
    where !plan.datasets.contains(where: { ($0.labelCounts[label] ?? 0) > 0 }) {
      console.note(
        "there are no \(name) prompts, so that axis stays unknown: judge no condition by the other alone.")
    }
  }

  private func session(
    _ id: String, plan: EvaluationPlan, model: ModelOptions, in store: RunStore, console: Console
  ) async throws -> RunSession {
    // A model that an interruption kept from its turn has no run yet.
    guard resume, try store.runs().contains(where: { $0.id == id }) else {
      if resume { console.note("there is no run '\(id)' yet, so it begins now.") }
      return try await RunSession.begin(
        id, plan: plan,
        // The string matcher of the sets' authors: figures of one version compare with those of another.
        judges: try await judgeOptions.judges(
          judging: model.model, counting: XSTestStringMatchJudge().name, cache: store, console: console),
        reference: Guarded.name, in: store, model: model, resume: "--resume --run", console: console)
    }
    let session = try await RunSession.resume(
      try store.run(id: id), in: store, model: model, checking: plan.datasets,
      judging: judgeOptions,
      console: console)
    guard session.run.plan.options == plan.options,
      session.run.plan.conditions.map(\.id) == plan.conditions.map(\.id)
    else {
      throw CommandError.invalid(
        "The run '\(id)' began with other conditions or another --max-tokens. Give what it began with, or name "
          + "another run.")
    }
    return session
  }

  // MARK: Results

  private struct Record: Encodable {
    let store: String
    let leftOut: [String]
    let models: [ReproductionTable]
  }

  private func show(_ results: [ModelRun], store: RunStore, console: Console) throws {
    let tables = results.map(\.table)
    if json {
      try console.writeJSON(
        Record(store: OutputFile.name(store.path), leftOut: sets.leftOut.map(\.name), models: tables))
    } else {
      try console.write(tables.map { ReproductionText.of($0, console: console) }.joined(separator: "\n"))
      console.note("more: selfcd report \(tables.map(\.run).joined(separator: " ")) --store \(store.path)")
    }
    guard let report = try report() else { return }
    try ReportCommand.write(ReportData(createdAt: Date(), runs: results.map(\.run)), to: report, console)
  }
}
