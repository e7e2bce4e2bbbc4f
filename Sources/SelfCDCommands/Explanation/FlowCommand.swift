import ArgumentParser
import SelfCD
import SelfCDEval
import SelfCDExplain
import SelfCDLlama
import SelfCDStatistics
import SelfCDSupport

extension InformationFlow.Method: ExpressibleByArgument {}

/// `selfcd flow`: whether the flow of information to a refusal comes from the trigger word, over data sets.
struct FlowCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "flow",
    abstract: "How much flows from the trigger word to a refusal, over data sets.",
    discussion: """
      For prompts whose focus word is known, traces what flows from each word of the question to the position behind \
      the prompt, in the guarded and in the plain lane, and compares prompts that are refused when guarded and answered \
      when plain. information-flow is |Σ_h A ⊙ ∂L/∂A| of the answer token's loss, by gradients; attention and \
      attention-rollout need no gradient and say where the model looks. Without files, the bundled prompts that name a \
      focus word are used, and the others left out; --limit takes fewer. For one question: selfcd explain --flow.

      EXAMPLES
        selfcd flow --safe xstest.csv --limit 100
        selfcd flow --safe safe.jsonl --harmful harmful.jsonl --step 2 \\
          -m model.gguf
        selfcd flow --safe safe.jsonl --method attention-rollout --json \\
          | jq '.result.contrasts'
      """)

  @OptionGroup(title: "Prompts with a focus word") var files: DatasetOptions
  @OptionGroup(title: "Prompts with a focus word") var groupOptions: GroupOptions
  @OptionGroup(title: "Prompts") var prompts: PromptOptions

  @Option(
    help: .init(
      "What is traced: \(InformationFlow.Method.allCases.map(\.rawValue).joined(separator: ", ")).",
      valueName: "name"))
  var method = InformationFlow.Method.informationFlow

  @Option(
    help: .init(
      "The answer token that flow is traced to; the ones before are the lane's own.", valueName: "n"))
  var step = 1

  @Option(name: [.customShort("n"), .long], help: .init("Most tokens of a reply.", valueName: "n"))
  var maxTokens = 48

  @Option(help: .init("Of the bootstrap.", valueName: "n"))
  var seed: UInt64 = 0

  @OptionGroup var judgeOptions: RuleJudgeOptions

  @OptionGroup(title: "Model") var modelOptions: ModelOptions
  @OptionGroup(title: "Batching") var batch: BatchOptions

  @Flag(help: "Print one JSON object instead of tables.")
  var json = false

  func validate() throws {
    guard maxTokens >= 1 else { throw ValidationError("--max-tokens must be 1 or more.") }
    guard (1...maxTokens).contains(step) else {
      throw ValidationError("--step must be from 1 to --max-tokens, \(maxTokens).")
    }
    _ = try prompts.emphasis()
  }

  func run() async throws {
    let console = Console.standard
    let datasets = try files.read(console: console)
    try groupOptions.check(datasets)
    try FocusWords.check(datasets, system: prompts.system)
    FocusWords.report(datasets, system: prompts.system, console: console)
    let views = [
      RefusalProbe.View(name: Guarded.name, strategy: try prompts.guarded()),
      RefusalProbe.View(name: Plain.name, strategy: Plain(plainSystem: prompts.plainSystem)),
    ]
    var model = modelOptions
    model.model = try await modelOptions.modelPath(console: console)
    let plan = EvaluationPlan(
      datasets: datasets, conditions: views.map { EvaluationCondition(strategy: $0.strategy, name: $0.name) },
      options: GenerationOptions(maximumTokens: maxTokens), system: prompts.system)
    try plan.validate()
    let (fitted, lanes) = try batch.fitted(model, to: plan, console: console)
    let loaded = try await ModelLoading.load(
      fitted.repeatable, lanes: lanes, unifiedCache: true, console: console)
    let asked = Inspection.answering(loaded)
    let study = FlowStudy(
      model: asked, tracer: Inspection.tracer(loaded, asked),
      judge: try judgeOptions.judge(),
      datasets: datasets, views: views, method: method, step: step, system: prompts.system,
      maximumTokens: maxTokens, seed: seed, group: groupOptions.group)
    let result = try await Inspection.cancellable(label: "tracing") { progress in
      try await study.run { progress("", $0) }
    }
    if result.failures > 0, result.failures == datasets.reduce(0, { $0 + $1.samples.count }) {
      throw CommandError.nothingAnswered(reason: result.firstFailure)
    }
    if result.failures > 0 {
      console.note(
        "\(NumberFormat.counted(result.failures, "prompt was", "prompts were")) left out; the first: "
          + TerminalText.singleLine(result.firstFailure ?? "unknown"))
    }
    if json {
      try console.writeJSON(
        FlowRecord(
          model: try NamedModel(path: model.model, adapters: model.adapterOptions.adapters),
          group: groupOptions.group, result: result))
    } else {
      try console.write(FlowTable(result: result, group: groupOptions.group, console: console).text)
    }
  }
}

/// What looking into a loaded model needs, and how it is watched and stopped.
enum Inspection {
  /// What an interruption leaves of work whose results are not stored.
  static let nothing = "nothing is kept, and the command starts over."

  /// The model asked where its answer begins, behind its reasoning.
  static func answering(_ loaded: LoadedModel) -> ChatModel {
    guard let renderer = loaded.chat.renderer as? any PromptRenderer & ReplyTokenizer else {
      return loaded.chat
    }
    return ChatModel(engine: loaded.chat.engine, renderer: AnswerRenderer(renderer))
  }

  static func inspector(_ loaded: LoadedModel) -> LlamaInspector {
    LlamaInspector(model: loaded.model, options: loaded.model.options)
  }

  static func tracer(_ loaded: LoadedModel, _ asked: ChatModel) -> FlowTracer {
    FlowTracer(
      inspector: inspector(loaded), renderer: asked.renderer, vocabulary: loaded.vocabulary)
  }

  /// Runs long work with a progress line; an interruption ends it.
  static func cancellable<R: Sendable>(
    label: String,
    _ body: @escaping @Sendable (@escaping @Sendable (String, Double) -> Void) async throws -> R
  ) async throws -> R {
    let meter = ProgressLine(label: label)
    defer { meter.clear() }
    let start = ContinuousClock.now
    return try await Interruption.cancellable(meter, leaving: nothing) {
      try await body { what, share in
        let elapsed = start.duration(to: .now)
        let left =
          share > 0.02 && what.isEmpty
          ? ", \(NumberFormat.duration(elapsed * ((1 - share) / share))) left" : ""
        meter.update(text: "\(what.isEmpty ? "" : what + " ")\(Int(share * 100)) %\(left)")
      }
    }
  }
}

struct FlowRecord: Encodable {
  let version = 2
  let model: NamedModel
  /// The column whose groups are resampled.
  let group: String?
  let result: FlowStudy.Result
}

/// A flow study for a terminal.
struct FlowTable {
  let result: FlowStudy.Result
  let group: String?
  let console: Console

  var text: String {
    var lines = [["share of focus words", "prompts", "share", "equal", "other word", "first", "question"]]
    for group in result.groups {
      let outcome = group.refused.map { $0 ? ", refused" : ", answered" } ?? ""
      lines.append([
        "\(group.set.rawValue), \(group.view)\(outcome)", "\(group.n)",
        MeanText.cell(group.share, Self.number), Self.number(group.uniform), Self.number(group.other),
        EvaluationTable.percent(group.first) + " %", Self.number(group.question),
      ])
    }
    var text = EvaluationTable.table(lines, console: console) + "\n"
    if !result.contrasts.isEmpty {
      var lines = [
        ["the same prompts", "prompts", "guarded, refused", "plain, answered", "equal", "difference"]
      ]
      for contrast in result.contrasts {
        lines.append([
          contrast.set.rawValue, "\(contrast.n)", Self.number(contrast.guardedShare),
          Self.number(contrast.plainShare), Self.number(contrast.uniform),
          MeanText.cell(contrast.difference, Self.number),
        ])
      }
      text += EvaluationTable.table(lines, console: console) + "\n"
    }
    text += layers
    text += note
    return text
  }

  private var layers: String {
    let groups = result.groups.filter { $0.refused == nil }
    guard let count = groups.first?.layers.count, count <= 48 else { return "" }
    var lines = [["by layer, from 0"] + groups.map { "\($0.set.rawValue), \($0.view)" }]
    for layer in 0..<count {
      lines.append(["\(layer)"] + groups.map { Self.number($0.layers[layer]) })
    }
    return EvaluationTable.table(lines, console: console) + "\n"
  }

  private var note: String {
    var parts = [
      "\(FlowText.title(result.method)) to answer token \(result.step). share: the focus words' part of the flow from "
        + "the question's words; equal: their part if it were the same from every word; other word: the mean part of "
        + "a word that is none; first: prompts in which most flows from a focus word; question: the question's part of "
        + "the flow from the whole prompt. 95 % intervals (bootstrap over \(MeanText.resampled(by: group)))."
    ]
    let means = result.groups.map(\.share) + result.contrasts.map(\.difference)
    if let remark = MeanText.remark(means, group: group) { parts.append(remark) }
    if let agreement = result.agreement { parts.append(FlowText.agreement(agreement)) }
    if result.withoutFocus > 0 {
      parts.append(
        "\(NumberFormat.counted(result.withoutFocus, "prompt names", "prompts name")) no focus word and "
          + "\(result.withoutFocus == 1 ? "is" : "are") left out.")
    }
    return parts.map { console.wrapped($0) + "\n" }.joined()
  }

  private static func number(_ value: Double) -> String { NumberFormat.decimal(value, 3) }
}

/// How flows are named for people.
enum FlowText {
  static func title(_ method: InformationFlow.Method) -> String {
    switch method {
    case .informationFlow: "information flow (gradient × attention)"
    case .attention: "attention, no gradient"
    case .attentionRollout: "attention rollout, no gradient"
    }
  }

  static func agreement(_ agreement: AttentionSaliency.Agreement) -> String {
    "The gradient's own pass differs from the model's by at most \(bound(agreement.attention)) in attention and "
      + "\(bound(agreement.nextToken)) in the next token (total variation)."
  }

  /// Three decimals, rounded up.
  private static func bound(_ value: Double) -> String {
    NumberFormat.decimal(max(0.001, (value * 1000).rounded(.up) / 1000), 3)
  }
}
