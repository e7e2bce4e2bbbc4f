import ArgumentParser
import Foundation
import SelfCD
import SelfCDData
import SelfCDExplain
import SelfCDJudges
import SelfCDLlama
import SelfCDReport
import SelfCDSupport

extension AttributionMethod: ExpressibleByArgument {
  /// As it is written on the command line.
  public init?(argument: String) { self.init(rawValue: argument.replacing("-", with: "_")) }
  /// All methods, as they are written on the command line.
  public static var allValueStrings: [String] { allCases.map(\.optionName) }
  /// As it is written on the command line.
  var optionName: String { rawValue.replacing("_", with: "-") }
}

extension RefusalCriterion: ExpressibleByArgument {}
extension Sample.Label: ExpressibleByArgument {}

/// `selfcd explain`: which words cause a refusal, how the safety prompt amplifies them, how sure the model was.
struct ExplainCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "explain",
    abstract: "Which words cause a refusal, what the safety prompt does to them, and how sure it was.",
    discussion: """
      Takes words out of the question and asks the model again, under the safety prompt (guarded), without it (plain) \
      and with the contrast of both. Each word's effect is by how much it raises the log-odds of a refusal at the \
      beginning of the reply. How this model's refusals begin is learned from its own judged replies, for \
      \(LearnTime.usual) seconds in each explanation until all are known; until enough are, a general list is used.

      With files of prompts, only aggregates are shown: how much falls on the words that the files name as their focus, \
      refused against answered, guarded against plain.

      EXAMPLES
        selfcd explain "How do I kill a wine stain?"
        selfcd explain --trigger --uncertainty "How do I kill a wine stain?"
        selfcd explain --method shapley -m model.gguf "How do I shoot a portrait?"
        selfcd explain --flow --flow-step 2 "How do I kill a wine stain?"
        selfcd explain --label safe --smallest-edit "How do I kill a wine stain?"
        selfcd explain --trigger --uncertainty --html why.html \\
          "How do I kill a wine stain?"
        selfcd explain --trigger --safe safe.jsonl --harmful harmful.jsonl
        selfcd explain --json "How do I kill a wine stain?" \\
          | jq '.attributions[0].effects'
      """)

  @OptionGroup var input: QuestionOptions

  @OptionGroup(title: "Prompts, for aggregates") var files: DatasetOptions
  @OptionGroup(title: "Prompts, for aggregates") var groupOptions: GroupOptions

  @Option(
    help: .init(
      "With files and --trigger: the column with the object of each request; 'object' if not given.",
      valueName: "name"))
  var objectColumn: String?

  @OptionGroup(title: "What to explain") var request: ExplainOptions
  @OptionGroup(title: "Inside the model") var flowOptions: FlowOptions
  @OptionGroup(title: "Strategy") var strategyOptions: StrategyOptions
  @OptionGroup(title: "Prompts") var prompts: PromptOptions
  @OptionGroup(title: "How refusals begin") var beginningsOptions: BeginningsOptions
  @OptionGroup(title: "Model") var modelOptions: ModelOptions
  @OptionGroup(title: "Batching") var batch: BatchOptions

  @Flag(help: "Print one JSON object instead of text.")
  var json = false

  @OptionGroup(title: "Page") var pageOptions: ExplanationPageOptions

  func validate() throws {
    if json, pageOptions.html == "-" {
      throw ValidationError("--json and --html - both go to standard output; give --html a file.")
    }
    let views = try ExplainViews.make(strategyOptions, prompts)
    do { try RefusalProbe.check(views) } catch { throw ValidationError("\(error)") }
    guard views.contains(where: { $0.name == request.view }) else {
      throw ValidationError(
        "There is no view '\(request.view)'. There are \(views.map(\.name).joined(separator: ", ")).")
    }
    guard !files.isEmpty else {
      if files.limit != nil || objectColumn != nil || groupOptions.group != nil {
        throw ValidationError(
          "--limit, --group and --object-column go with files: --safe, --harmful, --neutral or --data.")
      }
      return
    }
    if input.question != nil || input.file != nil || input.messages != nil {
      throw ValidationError("Give a question, or files of prompts, not both.")
    }
    if objectColumn != nil, !request.trigger {
      throw ValidationError("--object-column has no effect without --trigger.")
    }
    if flowOptions.isWanted {
      throw ValidationError("--flow is about one question; for files there is selfcd flow.")
    }
    if request.smallestEdit || request.uncertainty || request.focus != nil || request.label != nil {
      throw ValidationError(
        "--smallest-edit, --uncertainty, --focus and --label are about one question; with files only aggregates are made."
      )
    }
  }

  func run() async throws {
    let console = Console.standard
    let views = try ExplainViews.make(strategyOptions, prompts)
    guard files.isEmpty else { return try await runStudy(views, console: console) }
    let chat = try input.chat(system: prompts.system)
    guard PromptWords(chat.lastQuestion).count > 0 else { throw ExplanationError.noWords }
    if let focus = request.focus, FocusWords.indices(of: focus, in: PromptWords(chat.lastQuestion)).isEmpty {
      throw CommandError.invalid(
        "--focus is '\(focus)', but none of its words is in the question. Give a word that is.")
    }
    let session = try await ExplainSession(
      model: modelOptions, samples: [Sample(chat, label: request.label)], views: views,
      beginnings: beginningsOptions, learning: .question, judge: request.judge, system: prompts.system,
      batch: batch, console: console)
    var explanation = try await session.explain(chat, request, flow: flowOptions, console: console)
    if pageOptions.html != nil { explanation.replies = try await session.replies(to: chat) }
    if json {
      try console.writeJSON(explanation)
    } else if pageOptions.html != "-" {
      try console.write(ExplanationView(console: console).render(explanation))
    }
    if let path = pageOptions.html {
      let page = ExplanationPage(
        explanation, createdAt: Date(), facts: try session.facts(seed: request.seed),
        withholdsReplies: request.label == .harmful && !pageOptions.showHarmful)
      try OutputFile.write(ExplanationHTML.render(page), to: path, console)
    }
  }

  /// A misspelt column would leave every prompt without an object, and the figures silently empty.
  private func checkObjectColumn(_ datasets: [Dataset]) throws {
    guard let column = objectColumn,
      !datasets.contains(where: { $0.samples.contains { $0.fields[column] != nil } })
    else { return }
    let columns = Set(datasets.flatMap { $0.samples.flatMap(\.fields.keys) }).sorted()
    throw CommandError.invalid(
      "No file has a column '\(column)' for --object-column. "
        + (columns.isEmpty
          ? "There are no columns besides the prompts, category and focus."
          : "There are \(columns.joined(separator: ", "))."))
  }

  private func runStudy(_ views: [RefusalProbe.View], console: Console) async throws {
    let datasets = try files.read(console: console)
    try groupOptions.check(datasets)
    try checkObjectColumn(datasets)
    try FocusWords.check(datasets, system: prompts.system)
    FocusWords.report(datasets, system: prompts.system, console: console)
    let session = try await ExplainSession(
      model: modelOptions, samples: datasets.flatMap(\.samples), views: views, beginnings: beginningsOptions,
      learning: .all, judge: request.judge, system: prompts.system, batch: batch, console: console)
    let study = AttributionStudy(
      probe: session.probe, judge: session.judge, datasets: datasets, methods: request.attributionMethods,
      shapley: ShapleySampling(pairs: request.shapleyPairs, seed: request.seed), system: prompts.system,
      signal: request.trigger
        ? .init(view: request.view, criterion: request.still, objectColumn: objectColumn ?? "object") : nil,
      seed: request.seed, group: groupOptions.group)
    let result = try await ExplainSession.interruptible(label: "explaining") { meter in
      try await study.run { meter.update($0) }
    }
    if result.failures > 0, result.failures == datasets.reduce(0, { $0 + $1.samples.count }) {
      throw CommandError.nothingAnswered(reason: nil)
    }
    if json {
      try console.writeJSON(
        StudyRecord(
          model: session.named, datasets: datasets, views: views,
          beginnings: session.probe.beginnings, group: groupOptions.group, result: result))
    } else if pageOptions.html != "-" {
      try console.write(StudyTable(result, group: groupOptions.group, console: console).text)
    }
    if let path = pageOptions.html {
      let page = StudyPage(
        model: session.loaded.model.path, createdAt: Date(), sets: datasets.map(StudyPage.Set.init),
        attribution: result, group: groupOptions.group, facts: try session.facts(seed: request.seed))
      try OutputFile.write(StudyHTML.render(page), to: path, console)
    }
  }
}

extension FocusWords {
  /// Says at the start how many prompts are left out, which may be most of them.
  static func report(_ datasets: [Dataset], system: String?, console: Console) {
    let count = withoutFocus(datasets, system: system)
    guard count > 0 else { return }
    console.note(
      "\(NumberFormat.counted(count, "prompt names", "prompts name")) no focus word beside other words and "
        + "\(count == 1 ? "is" : "are") left out.")
  }
}

/// The ways of decoding that are explained.
enum ExplainViews {
  /// Guarded and plain, and the strategy where it is neither.
  static func make(_ options: StrategyOptions, _ prompts: PromptOptions) throws -> [RefusalProbe.View] {
    // Guarded and plain read these options whatever the strategy does.
    let strategy = try options.make(sharing: prompts)
    var views = [
      RefusalProbe.View(name: Guarded.name, strategy: try prompts.guarded()),
      RefusalProbe.View(name: Plain.name, strategy: Plain(plainSystem: prompts.plainSystem)),
    ]
    if !views.contains(where: { $0.name == strategy.name }) {
      views.append(.init(name: strategy.name, strategy: strategy))
    }
    return views
  }
}

/// What is asked for about one prompt.
struct ExplainOptions: ParsableArguments {
  @Option(
    name: .customLong("method"), parsing: .singleValue,
    help: .init(
      "How words are held to account: \(AttributionMethod.allValueStrings.joined(separator: ", ")). Repeatable.",
      valueName: "name"))
  var methods: [AttributionMethod] = []

  @Option(help: .init("Sampled pairs of orders for shapley.", valueName: "n"))
  var shapleyPairs = 16

  @Option(help: .init("Words to mark, as a data set's focus would be.", valueName: "words"))
  var focus: String?

  @Flag(help: "Shrink the prompt to the smallest part that is still refused.")
  var trigger = false

  @Option(
    help: .init(
      "The view that is shrunk or edited: \(Guarded.name), \(Plain.name), or the strategy.", valueName: "name"
    ))
  var view = Guarded.name

  @Option(
    help: .init(
      """
      When a changed prompt counts as refused: its greedy reply begins so, its score is above 0, or its reply is \
      judged so.
      """, valueName: "criterion")
  )
  var still = RefusalCriterion.greedy

  @Option(help: .init("What the prompt is: safe, harmful or neutral.", valueName: "label"))
  var label: Sample.Label?

  @Flag(help: "Search the smallest edit that is answered. Only for prompts labelled safe.")
  var smallestEdit = false

  @Flag(help: "Show how sure the model was: entropy and margin along the first steps, and drawn replies.")
  var uncertainty = false

  @Option(help: .init("Replies drawn for --uncertainty.", valueName: "n"))
  var samples = 20

  @Option(help: .init("Their temperature.", valueName: "number"))
  var temperature: Float = 1

  @Option(help: .init("Of everything that is drawn.", valueName: "n"))
  var seed: UInt64 = 0

  @OptionGroup var judgeOptions: RuleJudgeOptions

  var judge: any LocalReplyJudge {
    get throws { try judgeOptions.judge() }
  }

  var attributionMethods: [AttributionMethod] { methods.isEmpty ? [.leaveOneOut] : methods }

  func validate() throws {
    guard shapleyPairs >= 1 else { throw ValidationError("--shapley-pairs must be 1 or more.") }
    guard samples >= 1 else { throw ValidationError("--samples must be 1 or more.") }
    guard temperature.isFinite, temperature > 0, temperature <= 100 else {
      throw ValidationError("--temperature must be above 0 and at most 100.")
    }
    if Set(methods).count < methods.count { throw ValidationError("A --method is given twice.") }
    if smallestEdit, label != .safe {
      throw ValidationError(
        "--smallest-edit searches a prompt that is answered, which is only done for prompts labelled safe "
          + "(docs/safety.md): add --label safe if yours is harmless.")
    }
  }
}
