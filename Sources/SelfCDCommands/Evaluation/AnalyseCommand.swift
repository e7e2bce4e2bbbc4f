import ArgumentParser
import SelfCD
import SelfCDData
import SelfCDEval

/// `selfcd analyse`: what a safety prompt does to a model, as the Self-CD paper looked at it.
struct AnalyseCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "analyse",
    abstract: "What safety prompts do: refusal rates, perplexity of refusals, divergence of the lanes.",
    discussion: """
      Puts the same prompts to the model without a system prompt, with a neutral one and with safety emphases of \
      rising strength, and counts refusals. Scores fixed refusals in the plain and in the guarded lane, and shows how \
      far the lanes diverge at each step of the reply. Without files, the matched pairs that come with the product \
      are used. Prompts that should be refused, given with --harmful, show the other axis.

      EXAMPLES
        selfcd analyse --limit 50
        selfcd analyse -m model.gguf --safe safe.csv --harmful harmful.csv
        selfcd analyse --safe safe.csv --guarded-prompt strict --json \\
          | jq '.perplexity[] | [.text, .ratio]'
      """)

  @OptionGroup(title: "Prompts to analyse on") var files: DatasetOptions
  @OptionGroup(title: "Prompts to analyse on") var groupOptions: GroupOptions
  @OptionGroup(title: "Prompts") var prompts: PromptOptions

  @Option(name: [.customShort("n"), .long], help: .init("Most tokens of a reply.", valueName: "n"))
  var maxTokens = 100

  @Option(help: .init("Steps of each reply at which the lanes are compared.", valueName: "n"))
  var steps = 12

  @OptionGroup var judgeOptions: RuleJudgeOptions

  @OptionGroup(title: "Model") var modelOptions: ModelOptions
  @OptionGroup(title: "Batching") var batch: BatchOptions

  @Flag(help: "Print one JSON object instead of tables.")
  var json = false

  func validate() throws {
    guard maxTokens >= 1 else { throw ValidationError("--max-tokens must be 1 or more.") }
    guard steps >= 1 else { throw ValidationError("--steps must be 1 or more.") }
    guard prompts.plainSystem == nil else {
      throw ValidationError("--plain-system has no effect here: emphases are added to one and the same chat.")
    }
    _ = try prompts.emphasis()
  }

  func run() async throws {
    let console = Console.standard
    let datasets = try datasets(console: console)
    try groupOptions.check(datasets)
    let plan = PromptAnalysisPlan(
      datasets: datasets, emphasis: try prompts.emphasis(or: .paper), system: prompts.system,
      maximumTokens: maxTokens, steps: steps, group: groupOptions.group)
    try plan.evaluation.validate()
    var model = modelOptions
    model.model = try await modelOptions.modelPath(console: console)
    var fitting = plan.evaluation
    // No token is shorter than a byte, so the refusals fit as well.
    fitting.options.maximumTokens = max(maxTokens, plan.texts.map(\.utf8.count).max() ?? 0)
    let (fitted, lanes) = try batch.fitted(model, to: fitting, console: console)
    let loaded = try await ModelLoading.load(
      fitted.repeatable, lanes: lanes, unifiedCache: true, console: console)
    let analyzer = PromptAnalyzer(
      model: loaded.chat, tokenizer: loaded.renderer, plan: plan, judge: try judgeOptions.judge())
    let analysis = try await Self.run(analyzer)
    for failure in analysis.failures.prefix(3) {
      console.note(
        "left out \(failure.key.dataset)/\(failure.key.sample) (\(failure.key.condition)): "
          + TerminalText.singleLine(failure.reason))
    }
    if analysis.failures.count > 3 { console.note("\(analysis.failures.count) were left out in all.") }
    if !analysis.isInterrupted, analysis.perplexities.isEmpty, analysis.summary.rows.isEmpty,
      let failure = analysis.failures.first
    {
      throw CommandError.nothingAnswered(reason: failure.reason)
    }
    let result = AnalysisResult(
      analysis, plan: plan,
      model: try NamedModel(path: model.model, adapters: model.adapterOptions.adapters))
    if json {
      try console.writeJSON(result.record)
    } else {
      try console.write(AnalysisTable(result, console: console).text)
    }
    // What there is costs minutes to get again, so it is shown, as what it is.
    if analysis.isInterrupted { throw CommandError.interrupted }
  }

  private func datasets(console: Console) throws -> [Dataset] {
    files.isEmpty ? try Self.matchedPairs(limit: files.limit) : try files.read(console: console)
  }

  /// The bundled pairs around the same words, a set for each label.
  static func matchedPairs(limit: Int?) throws -> [Dataset] {
    let benchmark = try BundledBenchmark()
    let pairs = BundledBenchmark.Selection(parts: [.pairs])
    return [
      try benchmark.dataset(labelled: .safe, selection: pairs),
      try benchmark.dataset(labelled: .harmful, selection: pairs),
    ].limited(to: limit)
  }

  private static func run(_ analyzer: PromptAnalyzer) async throws -> PromptAnalysis {
    let meter = ProgressLine(label: "analysing")
    defer { meter.clear() }
    return try await Interruption.cancellable {
      try await analyzer.run { done, planned in meter.update(text: "\(done)/\(planned)") }
    }
  }
}
