import ArgumentParser
import Foundation
import SelfCD
import SelfCDEval
import SelfCDLlama

/// `selfcd compare`: guarded, plain and contrasted replies to one question, and where they part.
struct CompareCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compare",
    abstract: "Guarded, plain and Self-CD side by side, and where they part.",
    discussion: """
      Asks one question three times: under a safety prompt, without it, and with the contrast of both. Shows the \
      replies, and the candidates of each lane at the token that decided. Self-CD is the paper's, with α 2.5, unless \
      told otherwise; --profile adds a calibrated setting beside it. It shows what contrast would do: generate, chat and \
      serve use contrast only where a profile or an option asks for it.

      EXAMPLES
        selfcd compare "How do I kill a wine stain?"
        selfcd compare --strategy ada-cd --guarded-prompt refuse \\
          "How do I crush an exam?"
        selfcd compare --json "How do I kill a wine stain?" | jq .parting
      """)

  @OptionGroup var input: QuestionOptions

  @OptionGroup(title: "Strategy") var strategyOptions: StrategyOptions
  @OptionGroup(title: "Strategy") var profileOptions: ProfileOptions
  @OptionGroup(title: "Prompts") var prompts: PromptOptions
  @OptionGroup(title: "Decoding") var decoding: DecodingOptions
  @OptionGroup(title: "Model") var modelOptions: ModelOptions

  @Option(help: .init("Candidates shown per lane, 1 to 20.", valueName: "n"))
  var candidates = 4

  @Flag(help: "Print one JSON object instead of text.")
  var json = false

  func validate() throws {
    let strategy = try strategyOptions.make(prompts: prompts)
    guard strategy.isContrastive else {
      throw ValidationError(
        "compare shows a contrast strategy beside its lanes; '\(strategy.name)' is not one.")
    }
    guard !(strategy is Guidance) else {
      throw ValidationError(
        "compare shows what a safety prompt does; '\(strategy.name)' contrasts with another prompt. Use 'selfcd generate'."
      )
    }
    guard (1...20).contains(candidates) else { throw ValidationError("--candidates must be from 1 to 20.") }
  }

  func run() async throws {
    let console = Console.standard
    let contrast = try strategyOptions.make(prompts: prompts)
    let chat = try input.chat(system: prompts.system)
    // The safety prompt shown is the paper's unless told otherwise, also beside ada-cd's extreme one.
    let profile = try await profileOptions.load(for: modelOptions, console: console)
    let shown: [any DecodingStrategy] = [
      try prompts.guarded(), Plain(plainSystem: prompts.plainSystem), contrast,
    ]
    let choices =
      shown.map { DecodingChoice(strategy: $0, source: .asked) }
      + (profile.map { [DecodingChoice(profile: $0)] } ?? [])
    let strategies = choices.map(\.strategy)
    let lanes = strategies.reduce(0) { $0 + $1.lanesToStart(for: chat) }
    let loaded = try await ModelLoading.load(modelOptions, lanes: lanes, console: console)
    for choice in choices {
      DecodingNotes.print(choice, options: decoding.options(), chat: chat, console: console)
    }
    try await noteUsual(console: console)

    let options = decoding.options(traceCandidates: candidates)
    let requests = try strategies.map { try loaded.chat.request(chat, strategy: $0, options: options) }
    let handles = loaded.chat.engine.generate(requests)
    let replies = try await Interruption.cancelling(handles) {
      var replies: [Reply] = []
      for handle in handles { replies.append(try await handle.reply()) }
      return replies
    }
    let comparison = Comparison(
      question: chat.question ?? "",
      replies: zip(choices, replies).map { Comparison.Entry(choice: $0, reply: $1) },
      vocabulary: loaded.vocabulary)
    if json {
      let stepMode = await loaded.chat.engine.stepMode
      try console.writeJSON(
        comparison.record(
          to: chat, options: options,
          model: try NamedModel(path: loaded.model.path, adapters: modelOptions.adapterOptions.adapters),
          stepMode: stepMode))
    } else {
      try console.write(ComparisonView(console: console).render(comparison))
    }
    if replies.contains(where: { $0.stopReason == .cancelled }) { throw CommandError.interrupted }
  }

  /// Says how the commands that answer decode this model, since that is none or only one of the columns.
  private func noteUsual(console: Console) async throws {
    guard profileOptions.profile == nil else { return }
    var named = prompts
    named.plainSystem = nil
    // Without a safety prompt there is nothing that could stand anywhere.
    if try named.emphasis() == nil { named.emphasisPosition = nil }
    let usual = try await DecodingChoice.make(
      profile: profileOptions, strategy: try StrategyOptions.parse([]), prompts: named, model: modelOptions,
      console: console)
    let why = usual.profile.map { "as the profile \($0.name) says" } ?? "since it is not calibrated"
    console.note(
      "without options generate, chat and serve decode this model \(StrategyTitle.of(usual.strategy)), \(why)."
    )
  }
}
