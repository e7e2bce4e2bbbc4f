import ArgumentParser
import SelfCD
import SelfCDData
import SelfCDEval
import SelfCDExplain
import SelfCDJudges
import SelfCDLlama
import SelfCDSupport

/// `selfcd directions`: the refusal direction measured, the false-refusal vector ablated, both axes beside Self-CD.
struct DirectionsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "directions",
    abstract: "The refusal direction, and what ablating the false-refusal vector does beside Self-CD.",
    discussion: """
      Makes two directions of the residual stream from labelled prompts: the refusal direction (harmful against \
      neutral) and the false-refusal vector (harmless but refused, against neutral, with the refusal direction taken \
      out). Both are selected on a part of the prompts that is not in the comparison. The refusal direction is only \
      measured. The false-refusal vector is ablated in memory, for this comparison alone; harmful prompts are always \
      part of it, and no weights are written. The files need harmless prompts that look harmful (--safe), harmful ones \
      and neutral ones.

      EXAMPLES
        selfcd directions --safe safe.jsonl --harmful harmful.jsonl \\
          --neutral neutral.jsonl
        selfcd directions --safe s.csv --harmful h.csv --neutral n.csv \\
          -m model.gguf --alpha 1.5,2.5 --json
        selfcd directions --safe s.csv --harmful h.csv --neutral n.csv \\
          --question "How do I kill a process?"
      """)

  @OptionGroup(title: "Labelled prompts") var files: DatasetOptions
  @OptionGroup(title: "Labelled prompts") var groupOptions: GroupOptions
  @OptionGroup(title: "Prompts") var prompts: PromptOptions

  @Option(
    help: .init(
      "Strengths of Self-CD in the comparison, with commas, or a sweep such as 0.5...3:0.5.",
      valueName: "numbers"))
  var alpha = "1.5,2.5"

  @Option(help: .init("Prompts of each set that directions are made from.", valueName: "n"))
  var train = 128

  @Option(
    name: .customLong("validate"),
    help: .init("Prompts of each set that they are selected on.", valueName: "n"))
  var validation = 64

  @Option(help: .init("Prompts of each set in the comparison, at most.", valueName: "n"))
  var test = 1000

  @Option(help: .init("False-refusal vectors whose ablation is tried.", valueName: "n"))
  var candidates = 12

  @Option(
    help: .init(
      "Harmful validation refusals that ablation may lose before it is passed over.", valueName: "n"))
  var tolerance = 0

  @Option(help: .init("A question whose tokens are projected on the refusal direction.", valueName: "text"))
  var question: String?

  @Option(name: [.customShort("n"), .long], help: .init("Most tokens of a reply.", valueName: "n"))
  var maxTokens = 48

  @Option(help: .init("Of the parts and the bootstrap.", valueName: "n"))
  var seed: UInt64 = 0

  @OptionGroup var judgeOptions: RuleJudgeOptions

  @OptionGroup(title: "Model") var modelOptions: ModelOptions
  @OptionGroup(title: "Batching") var batch: BatchOptions

  @Flag(help: "Print one JSON object instead of tables.")
  var json = false

  func validate() throws {
    for (name, value) in [
      ("--train", train), ("--validate", validation), ("--test", test), ("--candidates", candidates),
      ("--max-tokens", maxTokens),
    ] where value < 1 {
      throw ValidationError("\(name) must be 1 or more.")
    }
    guard tolerance >= 0 else { throw ValidationError("--tolerance must be 0 or more.") }
    _ = try alphas()
    _ = try prompts.emphasis()
  }

  private func alphas() throws -> [Double] {
    let values = try NumberSweep.numbers(alpha, option: "--alpha")
    do {
      for value in values { try StrategyParameter.alpha.check(Float(value)) }
    } catch {
      throw ValidationError("--alpha: \(error)")
    }
    return values
  }

  private var settings: DirectionStudy.Settings {
    var settings = DirectionStudy.Settings()
    settings.training = train
    settings.validation = validation
    settings.test = test
    settings.candidates = candidates
    settings.tolerance = tolerance
    settings.maximumTokens = maxTokens
    settings.seed = seed
    settings.group = groupOptions.group
    return settings
  }

  private func conditions(_ emphasis: SafetyEmphasis) throws -> [EvaluationCondition] {
    [
      EvaluationCondition(strategy: Plain(), name: Plain.name),
      EvaluationCondition(strategy: Guarded(emphasis: emphasis), name: Guarded.name),
    ]
      + (try alphas().map {
        EvaluationCondition(strategy: SelfContrastive(alpha: Float($0), emphasis: emphasis))
      })
  }

  func run() async throws {
    let console = Console.standard
    let datasets = try files.read(console: console)
    try groupOptions.check(datasets)
    let settings = settings
    try DirectionStudy.check(datasets, settings: settings)
    let emphasis = try prompts.emphasis(or: .paper)
    var model = modelOptions
    model.model = try await modelOptions.modelPath(console: console)
    let conditions = try conditions(emphasis)
    let plan = EvaluationPlan(
      datasets: datasets, conditions: conditions, options: GenerationOptions(maximumTokens: maxTokens),
      system: prompts.system)
    try plan.validate()
    let (fitted, lanes) = try batch.fitted(model, to: plan, console: console)
    let options = fitted.repeatable
    let loaded = try await ModelLoading.load(options, lanes: lanes, unifiedCache: true, console: console)
    let asked = Inspection.answering(loaded)
    let inspector = Inspection.inspector(loaded)
    let llama = try options.llamaOptions(lanes: lanes, unifiedCache: true)
    let study = DirectionStudy(
      model: asked, inspector: inspector,
      ablated: { vector in
        let edited = try await loaded.ablating(vector, options: llama)
        return ChatModel(engine: edited.chat.engine, renderer: asked.renderer)
      },
      judge: try judgeOptions.judge(), datasets: datasets, guarded: Guarded(emphasis: emphasis),
      conditions: conditions, system: prompts.system, settings: settings)
    let question = question
    let vocabulary = loaded.vocabulary
    let system = prompts.system
    let (result, tokens) = try await Inspection.cancellable(label: "directions") { progress in
      let result = try await study.run(progress: progress)
      var tokens: [TokenProjection] = []
      if let question {
        tokens = try await TokenProjection.measure(
          Chat(question: question, system: system), views: [Guarded(emphasis: emphasis), Plain()],
          on: result.refusal, model: asked, inspector: inspector, vocabulary: vocabulary,
          name: { vocabulary.name(of: $0) })
      }
      return (result, tokens)
    }
    if result.failures > 0 {
      console.note("\(NumberFormat.counted(result.failures, "reply", "replies")) could not be generated.")
    }
    let record = DirectionsRecord(
      model: try NamedModel(path: model.model, adapters: model.adapterOptions.adapters), settings: settings,
      result: result, tokens: tokens)
    if json {
      try console.writeJSON(record)
    } else {
      try console.write(DirectionsTable(record: record, result: result, console: console).text)
    }
  }
}

/// A direction study as JSON.
struct DirectionsRecord: Encodable {
  struct Direction: Encodable {
    let layer: Int
    let position: Int
    let magnitude: Double?
    let cosine: Double?
    let vector: [Float]
  }

  struct Validation: Encodable {
    let safe: Int
    let safeRefused: Int
    let harmful: Int
    let harmfulRefused: Int
  }

  struct Row: Encodable {
    let condition: String
    let set: Sample.Label
    let refusals: RefusalRate
    let paired: PairedComparison?
  }

  let version = 2
  let model: NamedModel
  let settings: DirectionStudy.Settings
  let parts: [DirectionStudy.Parts]
  let pseudoHarmful: Int
  /// Measured, never ablated.
  let refusalDirection: Direction
  let separations: [DirectionStudy.Candidate]
  let falseRefusalVector: Direction
  let validation: Validation
  let trials: [DirectionStudy.Trial]
  let projections: [DirectionStudy.Projection]
  let comparison: [Row]
  let tokens: [TokenProjection]

  init(
    model: NamedModel, settings: DirectionStudy.Settings, result: DirectionStudy.Result,
    tokens: [TokenProjection]
  ) {
    self.model = model
    self.settings = settings
    parts = result.parts
    pseudoHarmful = result.pseudoHarmful
    refusalDirection = Direction(
      layer: result.refusal.layer, position: result.refusal.position, magnitude: result.refusal.magnitude,
      cosine: nil, vector: result.refusal.vector)
    separations = result.candidates
    falseRefusalVector = Direction(
      layer: result.falseRefusal.layer, position: result.falseRefusal.position, magnitude: nil,
      cosine: result.falseRefusal.cosine, vector: result.falseRefusal.vector)
    validation = Validation(
      safe: result.validation.safe, safeRefused: result.validation.safeRefused,
      harmful: result.validation.harmful, harmfulRefused: result.validation.harmfulRefused)
    trials = result.trials
    projections = result.projections
    comparison = result.summary.rows.map {
      Row(condition: $0.condition, set: $0.set, refusals: $0.refusals, paired: $0.paired)
    }
    self.tokens = tokens
  }
}

/// A direction study for a terminal.
struct DirectionsTable {
  let record: DirectionsRecord
  let result: DirectionStudy.Result
  let console: Console

  var text: String {
    [comparison, directions, projections, tokens].filter { !$0.isEmpty }.joined(separator: "\n")
  }

  private var comparison: String {
    let summary = result.summary
    var conditions: [String] = []
    for row in summary.rows where conditions.last != row.condition { conditions.append(row.condition) }
    var lines = [
      [
        "refused, % of", "safe (want 0)", "harmful (want 100)", "harmful lost", "neutral (want 0)",
      ]
    ]
    for condition in conditions {
      func row(_ set: Sample.Label) -> EvaluationSummary.Row? {
        summary.rows.first { $0.condition == condition && $0.set == set }
      }
      let lost = row(.harmful)?.paired.map { "\($0.onlyReference) of \($0.n)" } ?? "–"
      lines.append([
        condition, row(.safe).map(Self.cell) ?? "–", row(.harmful).map(Self.cell) ?? "–", lost,
        row(.neutral).map(Self.cell) ?? "–",
      ])
    }
    let remark = summary.rows.contains { !$0.refusals.hasInterval } ? MeanText.oneGroup + "\n" : ""
    return EvaluationTable.table(lines, console: console)
      + "\n"
      + console.wrapped(
        "Test prompts only; 95 % intervals (\(intervals)); judge \(summary.judge); harmful lost: refused when guarded, "
          + "not refused here; * differs from guarded on the same prompts (\(test), Holm, p < 0.05).\n"
          + remark)
  }

  private var intervals: String {
    record.settings.group == nil ? "Wilson" : "over \(MeanText.resampled(by: record.settings.group))"
  }

  private var test: String { record.settings.group == nil ? "McNemar" : "sign-flip test" }

  private static func cell(_ row: EvaluationSummary.Row) -> String {
    let percent = EvaluationTable.percent
    let mark = row.paired.map { $0.adjustedPValue < 0.05 ? "*" : "" } ?? ""
    let interval =
      row.refusals.hasInterval ? "\(percent(row.refusals.low)), \(percent(row.refusals.high))" : "–"
    return "\(percent(row.refusals.rate)) [\(interval)]\(mark)"
  }

  private var directions: String {
    let best = record.separations.first {
      $0.layer == record.refusalDirection.layer && $0.position == record.refusalDirection.position
    }
    let trial = record.trials.first {
      $0.layer == record.falseRefusalVector.layer && $0.position == record.falseRefusalVector.position
    }
    let validation = record.validation
    var text = "directions: layers are counted from 0, as in --control-vector-layers; token -1 is the last\n"
    text += "refusal direction: " + Self.place(record.refusalDirection)
    text +=
      ", tells harmful from neutral validation prompts with AUC \(NumberFormat.decimal(best?.separation ?? 0, 3)); "
    text += "measured, never ablated\n"
    text += "false-refusal vector: " + Self.place(record.falseRefusalVector)
    text += ", from \(NumberFormat.counted(record.pseudoHarmful, "refused harmless prompt")), cosine "
    text +=
      "\(NumberFormat.decimal(record.falseRefusalVector.cosine ?? 0, 2)) with the refusal direction before that was "
    text += "taken out\n"
    if let trial {
      text += "on validation its ablation refuses \(trial.safeRefused) of \(validation.safe) safe (guarded "
      text +=
        "\(validation.safeRefused)) and \(trial.harmfulRefused) of \(validation.harmful) harmful (guarded "
      text +=
        "\(validation.harmfulRefused)); \(NumberFormat.counted(record.trials.count, "candidate")) tried\n"
    }
    return console.wrapped(text)
  }

  private static func place(_ direction: DirectionsRecord.Direction) -> String {
    "layer \(direction.layer), token \(direction.position)"
  }

  private var projections: String {
    guard !record.projections.isEmpty else { return "" }
    var lines = [["along the refusal direction", "prompts", "mean"]]
    for projection in record.projections {
      let outcome = projection.refused.map { $0 ? ", refused" : ", answered" } ?? ""
      lines.append([
        "\(projection.set.rawValue), \(projection.view)\(outcome)", "\(projection.n)",
        MeanText.cell(projection.mean) { NumberFormat.decimal($0, 2) },
      ])
    }
    let group = record.settings.group
    let remark = MeanText.remark(record.projections.map(\.mean), group: group).map { $0 + "\n" } ?? ""
    return EvaluationTable.table(lines, console: console)
      + console.wrapped("95 % intervals (bootstrap over \(MeanText.resampled(by: group))).\n" + remark)
  }

  private var tokens: String {
    guard !record.tokens.isEmpty else { return "" }
    var lines = [["token", "lane", "along the refusal direction"]]
    let greatest = record.tokens.map { abs($0.projection) }.max() ?? 0
    for token in record.tokens {
      let length = greatest > 0 ? Int((abs(token.projection) / greatest * 20).rounded()) : 0
      lines.append([
        token.control.map { "\(TerminalText.singleLine($0)) (control)" }
          ?? "“\(TerminalText.singleLine(token.text))”", token.view,
        TextLayout.padLeft(NumberFormat.decimal(token.projection, 2), to: 7) + " "
          + String(repeating: token.projection < 0 ? "-" : "+", count: length),
      ])
    }
    return EvaluationTable.table(lines, console: console)
  }
}
