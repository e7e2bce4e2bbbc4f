import ArgumentParser
import Foundation
import SelfCD
import SelfCDEval
import SelfCDLlama
import SelfCDSupport

/// `selfcd generate`: one reply, streamed.
struct GenerateCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "generate",
    abstract: "Answer one question.",
    discussion: """
      The reply is streamed to standard output; remarks go to standard error. The question comes from the argument, \
      --file, or standard input. Without --strategy the embedded model decodes by its calibrated profile, and any other \
      as it is: 'plain', or 'guarded' under the --guarded-prompt given. Contrast is only used where it is asked for.

      \(DeploymentTable.help(.generate))

      EXAMPLES
        selfcd generate "How do I kill a wine stain?"
        selfcd generate --strategy guarded --guarded-prompt strict \\
          "How do I blow up a balloon?"
        selfcd generate -m model.gguf -s self-cd -a 2 \\
          --system "You are a sysadmin's helper." < question.txt
        selfcd generate -m model.gguf --profile profile.json \\
          "How do I shoot a portrait?"
        selfcd generate --messages chat.json
        selfcd generate --json-schema answer.schema.json "Which knife for bread?"
        selfcd generate --json --candidates 5 "How do I shoot a portrait?" \\
          | jq .text
      """)

  @OptionGroup var input: QuestionOptions

  @OptionGroup(title: "Strategy") var strategyOptions: StrategyOptions
  @OptionGroup(title: "Strategy") var profileOptions: ProfileOptions
  @OptionGroup(title: "Prompts") var prompts: PromptOptions
  @OptionGroup(title: "Decoding") var decoding: DecodingOptions
  @OptionGroup(title: "Decoding") var format: FormatOptions
  @OptionGroup(title: "Model") var modelOptions: ModelOptions

  @Flag(help: "Print one JSON object instead of text.")
  var json = false

  @Option(help: .init("With --json: candidates per lane at each step, 0 to 100.", valueName: "n"))
  var candidates = 0

  func validate() throws {
    try profileOptions.check(strategyOptions, prompts: prompts)
    _ = try strategyOptions.answering(prompts: prompts).make(prompts: prompts)
    guard (0...100).contains(candidates) else { throw ValidationError("--candidates must be from 0 to 100.") }
    if candidates > 0, !json { throw ValidationError("--candidates has no effect without --json.") }
  }

  func run() async throws {
    let console = Console.standard
    let chat = try input.chat(system: prompts.system)
    let choice = try await DecodingChoice.make(
      profile: profileOptions, strategy: strategyOptions, prompts: prompts, model: modelOptions,
      console: console)
    let strategy = choice.strategy
    let options = decoding.options(traceCandidates: candidates)
    let grammar = try format.make()
    let loaded = try await ModelLoading.load(
      modelOptions, lanes: strategy.lanesToStart(for: chat), console: console)
    DecodingNotes.print(
      choice, options: options, chat: chat, hasFormat: grammar != nil, console: console)
    let handle = try loaded.chat.stream(
      chat, strategy: strategy, options: options, constraint: try grammar?.constraint(for: loaded.model))
    let reply = try await Interruption.cancelling([handle]) {
      try await ReplyPrinter(console: console, isStreaming: !json).print(handle)
    }
    // JSON has the reason in 'stop_reason'.
    if !json, !decoding.ends.ignoreEos {
      ReplyPrinter.noteCut(reply, limit: options.maximumTokens, console: console)
    }
    if json {
      let stepMode = await loaded.chat.engine.stepMode
      try console.writeJSON(
        ReplyJSON(
          reply, to: chat, choice: choice, options: options,
          model: try NamedModel(path: loaded.model.path, adapters: modelOptions.adapterOptions.adapters),
          stepMode: stepMode, vocabulary: loaded.vocabulary))
    }
    if reply.stopReason == .cancelled { throw CommandError.interrupted }
  }
}

/// Prints a reply while it is generated, and collects it.
struct ReplyPrinter {
  let console: Console
  let isStreaming: Bool

  /// Says that a reply looks complete and is not.
  static func noteCut(_ reply: Reply, limit: Int, console: Console) {
    guard reply.stopReason == .length, !reply.text.isEmpty else { return }
    // Where the limit was not reached, the context was used up.
    let isLimit = reply.summary.generatedTokens >= limit
    let count = NumberFormat.counted(isLimit ? limit : reply.summary.generatedTokens, "token")
    console.note(
      "cut at \(count); "
        + (isLimit ? "-n N allows more." : "--ctx-size N gives a longer prompt and reply room."))
  }

  func print(_ handle: GenerationHandle) async throws -> Reply {
    var text = ""
    var reasoning = ""
    var tokens: [GeneratedToken] = []
    for try await event in handle.events {
      switch event {
      case .token(let token): tokens.append(token)
      case .text(let piece):
        if text.isEmpty, !reasoning.isEmpty, isStreaming, console.isInteractive { try console.write("\n\n") }
        text += piece
        if isStreaming { try console.write(TerminalText.sanitized(piece)) }
      case .reasoning(let piece):
        reasoning += piece
        // People see the model think; a pipe gets the answer.
        if isStreaming, console.isInteractive {
          try console.write(console.styled(TerminalText.sanitized(piece), .dim))
        }
      case .finished(let summary):
        if isStreaming, !text.hasSuffix("\n") { try console.writeLine() }
        if text.isEmpty, !reasoning.isEmpty, summary.stopReason == .length {
          console.note("the model was still reasoning when its tokens were used up; raise --max-tokens.")
        }
        return Reply(text: text, reasoning: reasoning, tokens: tokens, summary: summary)
      }
    }
    throw CommandError.interrupted
  }
}
