import ArgumentParser
import Foundation
import SelfCD
import SelfCDExplain

/// `selfcd explain-system`: which sentence of a system prompt raises refusals, and what it does for harmful prompts.
struct ExplainSystemCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "explain-system",
    abstract: "Which sentence of a system prompt causes refusals, on both axes.",
    discussion: """
      Leaves each sentence of your system prompt out and asks the same prompts again: how likely a refusal becomes, with \
      every other sentence as it was. Sentences come in the order of what that does to harmless prompts; what it does to \
      harmful ones stands beside it, and is unknown without --harmful. The sentences that raise refusals most are left \
      out in pairs too: one may cover for another. With --generate, a judge reads real replies as well.

      Without --strategy the model decodes with your system prompt and nothing besides ('plain'), or under the \
      --guarded-prompt given ('guarded'). How its refusals begin is learned from its own judged replies first, under the \
      system prompt and without it, and kept for the next time.

      EXAMPLES
        selfcd explain-system --system-file prompt.txt --safe safe.csv \\
          --harmful harmful.csv
        selfcd explain-system -m model.gguf --system-file prompt.txt \\
          --data xstest.csv --generate
        selfcd explain-system --system "Be brief. If in doubt, refuse." \\
          --safe safe.csv --json
      """)

  @Option(help: .init("A file with the system prompt to study, instead of --system.", valueName: "file"))
  var systemFile: String?

  @OptionGroup(title: "Prompts to ask") var files: DatasetOptions
  @OptionGroup(title: "Prompts to ask") var groupOptions: GroupOptions

  @Option(
    help: .init(
      "The sentences that raise refusals most: so many are left out in pairs, and have replies with --generate.",
      valueName: "n"))
  var top = 3

  @Flag(
    help: """
      Generate and judge real replies: with the whole system prompt, without it, and without each of the --top sentences.
      """)
  var generate = false

  @Option(
    name: [.customShort("n"), .long],
    help: .init("Most tokens of a reply, with --generate; 48 if not given.", valueName: "n"))
  var maxTokens: Int?

  @Option(help: .init("Of the bootstrap.", valueName: "n"))
  var seed: UInt64 = 0

  @OptionGroup var judgeOptions: RuleJudgeOptions

  @OptionGroup(title: "Strategy") var strategyOptions: StrategyOptions
  @OptionGroup(title: "Prompts") var prompts: PromptOptions
  @OptionGroup(title: "How refusals begin") var beginningsOptions: BeginningsOptions
  @OptionGroup(title: "Model") var modelOptions: ModelOptions
  @OptionGroup(title: "Batching") var batch: BatchOptions

  @Flag(help: "Print one JSON object instead of tables.")
  var json = false

  /// The view that beginnings are learned from besides the one that is studied.
  private static let bare = "no system prompt"

  func validate() throws {
    guard (prompts.system == nil) != (systemFile == nil) else {
      throw ValidationError("Give the system prompt to study with --system or --system-file, one of them.")
    }
    guard !files.isEmpty else {
      throw ValidationError(
        "Give prompts to ask: harmless ones with --safe, and harmful ones with --harmful to see what is lost."
      )
    }
    guard top >= 0 else { throw ValidationError("--top must be 0 or more.") }
    if let maxTokens {
      guard generate else { throw ValidationError("--max-tokens has no effect without --generate.") }
      guard maxTokens >= 1 else { throw ValidationError("--max-tokens must be 1 or more.") }
    }
    let view = try view()
    do { try RefusalProbe.check([view]) } catch { throw ValidationError("\(error)") }
  }

  /// The way of decoding that is studied.
  private func view() throws -> RefusalProbe.View {
    let strategy = try strategyOptions.answering(prompts: prompts).make(prompts: prompts)
    if let plain = strategy as? Plain, plain.plainSystem != nil {
      throw ValidationError(
        "With 'plain', --plain-system (or \(StrategyParameter.plainSystem.environmentVariable)) stands in place of the "
          + "system prompt, so that there is none to study. Leave it out.")
    }
    return RefusalProbe.View(name: strategy.name, strategy: strategy)
  }

  func run() async throws {
    let console = Console.standard
    let text = try (systemFile.map { try InputText.read(file: $0) } ?? prompts.system ?? "")
      .trimmingCharacters(in: .whitespacesAndNewlines)
    let prompt = SystemPromptSentences(text)
    let datasets = try files.read(console: console)
    try SystemPromptStudy.check(prompt, datasets)
    try groupOptions.check(datasets)
    let view = try view()
    let bare = RefusalProbe.View(name: Self.bare, strategy: Plain(plainSystem: ""))
    let judge = try judgeOptions.judge()
    let session = try await ExplainSession(
      model: modelOptions, samples: datasets.flatMap(\.samples), views: [view, bare],
      beginnings: beginningsOptions, learning: .all, judge: judge, system: prompt.text, batch: batch,
      console: console)
    let study = SystemPromptStudy(
      probe: session.probe, view: view.name, prompt: prompt, datasets: datasets, top: top,
      generation: generate ? .init(judge: judge, maximumTokens: maxTokens ?? 48) : nil, seed: seed,
      group: groupOptions.group)
    let result = try await ExplainSession.interruptible(label: "leaving sentences out:") { meter in
      try await study.run { meter.update($0) }
    }
    if json {
      try console.writeJSON(
        SystemPromptRecord(
          model: OutputFile.name(session.loaded.model.path), datasets: datasets, view: view,
          beginnings: session.probe.beginnings, group: groupOptions.group, result: result))
    } else {
      try console.write(SystemPromptTable(result, group: groupOptions.group, console: console).text)
    }
  }
}
