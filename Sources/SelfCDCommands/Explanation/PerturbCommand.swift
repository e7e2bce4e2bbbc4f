import ArgumentParser
import Foundation
import SelfCD
import SelfCDData
import SelfCDEval
import SelfCDExplain
import SelfCDJudges
import SelfCDLlama
import SelfCDReport
import SelfCDSupport

/// `selfcd perturb`: what small, fixed changes of prompts do to refusals, on both axes.
struct PerturbCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "perturb",
    abstract: "What small, fixed changes of the prompts do to refusal rates, on both axes.",
    discussion: """
      Answers the same prompts as they are and with each change of a fixed, published list: single characters, expected \
      answers, harmful words, requests and examples beside them. Counts refusals before and after, paired. Nothing is \
      fitted to the model, and only rates are shown (docs/safety.md). Without files, the matched pairs that come with \
      the product are used.

      EXAMPLES
        selfcd perturb --limit 50
        selfcd perturb -m model.gguf --safe safe.csv --harmful harmful.csv --json
        selfcd perturb --only space --only input-space --data xstest_prompts.csv
        selfcd perturb --safe safe.jsonl --harmful harmful.jsonl \\
          --html perturbed.html
        selfcd perturb --list
      """)

  @OptionGroup(title: "Prompts to perturb") var files: DatasetOptions
  @OptionGroup(title: "Prompts to perturb") var groupOptions: GroupOptions

  @Option(
    parsing: .singleValue,
    help: .init("Only this change; --list shows them. Repeatable.", valueName: "name"))
  var only: [String] = []

  @Flag(help: "List the changes and end.")
  var list = false

  @OptionGroup(title: "Strategy") var strategyOptions: StrategyOptions
  @OptionGroup(title: "Prompts") var prompts: PromptOptions

  @Option(name: [.customShort("n"), .long], help: .init("Most tokens of a reply.", valueName: "n"))
  var maxTokens = 48

  @OptionGroup var judgeOptions: RuleJudgeOptions

  @OptionGroup(title: "Model") var modelOptions: ModelOptions
  @OptionGroup(title: "Batching") var batch: BatchOptions

  @Flag(help: "Print one JSON object instead of tables.")
  var json = false

  @Option(help: .init("Write a self-contained page with charts; '-' is standard output.", valueName: "path"))
  var html: String?

  func validate() throws {
    guard maxTokens >= 1 else { throw ValidationError("--max-tokens must be 1 or more.") }
    _ = try ExplainViews.make(strategyOptions, prompts)
    _ = try changes()
    if html == "" { throw ValidationError("--html needs the name of a file, or '-'.") }
    if html != nil, list { throw ValidationError("--list has no page.") }
    if json, html == "-" {
      throw ValidationError("--json and --html - both go to standard output; give --html a file.")
    }
  }

  private func changes() throws -> [Perturbation] {
    let known = Perturbation.all.map(\.id)
    if let unknown = only.first(where: { !known.contains($0) }) {
      throw ValidationError("There is no change '\(unknown)'. There are \(known.joined(separator: ", ")).")
    }
    return Perturbation.all.filter { only.isEmpty || only.contains($0.id) }
  }

  func run() async throws {
    let console = Console.standard
    if list {
      let changes = try changes()
      if json { return try console.writeJSON(changes) }
      return try console.write(
        EvaluationTable.table(
          [["change", "what it does", "keeps the meaning", "after"]]
            + changes.map { [$0.id, $0.summary, $0.keepsMeaning ? "yes" : "no", $0.source] },
          console: console))
    }
    let views = try ExplainViews.make(strategyOptions, prompts)
    let judge = try judgeOptions.judge()
    let datasets =
      files.isEmpty ? try AnalyseCommand.matchedPairs(limit: files.limit) : try files.read(console: console)
    try groupOptions.check(datasets)
    var fitting = EvaluationPlan(
      datasets: datasets, conditions: views.map { .init(strategy: $0.strategy, name: $0.name) },
      options: .init(maximumTokens: maxTokens), system: prompts.system)
    try fitting.validate()
    // Room for what the changes add.
    fitting.options.maximumTokens += 256
    var model = modelOptions
    model.model = try await modelOptions.modelPath(console: console)
    let (fitted, lanes) = try batch.fitted(model, to: fitting, console: console)
    let loaded = try await ModelLoading.load(
      fitted.repeatable, lanes: lanes, unifiedCache: true, console: console)
    guard let renderer = loaded.chat.renderer as? any PromptRenderer & ReplyTokenizer else {
      throw CommandError.invalid("This model's prompts cannot be changed: there is no tokenizer for replies.")
    }
    let study = PerturbationStudy(
      model: loaded.chat, renderer: AnswerRenderer(renderer), views: views, datasets: datasets,
      perturbations: try changes(), judge: judge, system: prompts.system, maximumTokens: maxTokens,
      group: groupOptions.group)
    let result = try await ExplainSession.interruptible(label: "perturbing") { meter in
      try await study.run { meter.update($0) }
    }
    if result.failures > 0, result.rows.isEmpty { throw CommandError.nothingAnswered(reason: nil) }
    if result.failures > 0 {
      console.note(
        "\(NumberFormat.counted(result.failures, "reply", "replies")) could not be generated and "
          + "\(result.failures == 1 ? "is" : "are") left out.")
    }
    if json {
      try console.writeJSON(
        Record(
          model: try NamedModel(path: model.model, adapters: model.adapterOptions.adapters),
          datasets: datasets, group: groupOptions.group, result: result))
    } else if html != "-" {
      try console.write(Self.table(result, group: groupOptions.group, console: console))
    }
    if let html {
      let page = StudyPage(
        model: model.model, createdAt: Date(), sets: datasets.map(StudyPage.Set.init), perturbations: result,
        group: groupOptions.group,
        facts: try PageFacts.of(
          loaded.model, views: views, system: prompts.system, seed: nil))
      try OutputFile.write(StudyHTML.render(page), to: html, console)
    }
  }

  /// As `--json` prints it.
  struct Record: Encodable {
    let model: NamedModel
    let codeVersion = SelfCDVersion.current
    let datasets: [DatasetRecord]
    /// The column whose groups are resampled.
    let group: String?
    let result: PerturbationStudy.Result

    private enum Key: String, CodingKey { case model, codeVersion, datasets, group }

    init(model: NamedModel, datasets: [Dataset], group: String?, result: PerturbationStudy.Result) {
      self.model = model
      self.group = group
      self.datasets = datasets.map(DatasetRecord.init)
      self.result = result
    }

    func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: Key.self)
      try container.encode(model, forKey: .model)
      try container.encode(codeVersion, forKey: .codeVersion)
      try container.encode(datasets, forKey: .datasets)
      try container.encodeIfPresent(group, forKey: .group)
      // Beside the others, not a level below.
      try result.encode(to: encoder)
    }
  }

  /// - Parameter group: The column whose groups are resampled; nil where prompts are taken as independent.
  static func table(_ result: PerturbationStudy.Result, group: String? = nil, console: Console) -> String {
    var blocks: [String] = []
    for set in Sample.Label.allCases {
      let rows = result.rows.filter { $0.set == set }
      guard !rows.isEmpty else { continue }
      var views: [String] = []
      for row in rows where !views.contains(row.view) { views.append(row.view) }
      var lines = [["\(set.rawValue): refused, %"] + views]
      for change in [nil] + result.perturbations.map({ Optional($0) }) {
        let mark = change.map { $0.keepsMeaning ? "" : " †" } ?? ""
        lines.append(
          [(change?.id ?? "as they are") + mark]
            + views.map { view in
              rows.first { $0.view == view && $0.perturbation == change?.id }
                .map { cell($0.refusals, $0.paired) } ?? "–"
            })
      }
      blocks.append(EvaluationTable.table(lines, console: console))
    }
    return blocks.joined(separator: "\n") + "\n" + console.wrapped(notes(result, group: group))
  }

  /// A rate with its interval, or with its change against the same prompts under another condition.
  static func cell(_ refusals: RefusalRate, _ paired: PairedComparison?) -> String {
    let percent = EvaluationTable.percent
    let rate = percent(refusals.rate)
    guard let paired else {
      return refusals.hasInterval
        ? "\(rate) [\(percent(refusals.low)), \(percent(refusals.high))]" : "\(rate) [–]"
    }
    let difference = paired.difference
    let interval = paired.hasInterval ? "\(points(difference.low)), \(points(difference.high))" : "–"
    return
      "\(rate) (\(points(difference.estimate)) [\(interval)])\(paired.adjustedPValue < 0.05 ? "*" : "")"
  }

  private static func notes(_ result: PerturbationStudy.Result, group: String?) -> String {
    let (intervals, test) =
      group == nil ? ("Tango", "McNemar") : ("over \(MeanText.resampled(by: group))", "sign-flip test")
    var notes =
      "In brackets the change in points with its 95 % interval (\(intervals)), each for its own row; "
      + "* \(test), corrected for all changes (Holm), p < 0.05, so that an interval without 0 need not have a star; "
      + "judge \(result.judge); list version \(result.listVersion).\n"
    if result.rows.contains(where: { !$0.refusals.hasInterval }) { notes += MeanText.oneGroup + "\n" }
    // Only where a row carries the mark.
    if !result.rows.isEmpty, result.perturbations.contains(where: { !$0.keepsMeaning }) {
      notes += "† changes what is asked: there a refusal may be right.\n"
    }
    return notes
  }

  private static func points(_ share: Double) -> String {
    let text = EvaluationTable.percent(abs(share))
    return text == "0.0" ? "0" : (share < 0 ? "-" : "+") + text
  }
}
