import ArgumentParser
import Foundation
import SelfCD
import SelfCDLlama

/// `selfcd chat`: a conversation; the strategy can be switched at any turn.
struct ChatCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "chat",
    abstract: "Talk to a model; switch the strategy on the fly.",
    discussion: """
      Lines that begin with '/' are commands; /help lists them. Ctrl-C stops a reply, Ctrl-D ends the chat. What was \
      said before stays in the model's cache, so that each turn only computes what is new. Without --strategy it decodes \
      as 'generate' does.

      EXAMPLES
        selfcd chat
        selfcd chat -m model.gguf -s guarded --system "Answer in one sentence."
        printf 'How do I kill time?\\n/strategy guarded\\n/retry\\n' | selfcd chat
      """)

  @OptionGroup(title: "Strategy") var strategyOptions: StrategyOptions
  @OptionGroup(title: "Strategy") var profileOptions: ProfileOptions
  @OptionGroup(title: "Prompts") var prompts: PromptOptions
  @OptionGroup(title: "Decoding") var decoding: DecodingOptions
  @OptionGroup(title: "Model") var modelOptions: ModelOptions

  func validate() throws {
    try profileOptions.check(strategyOptions, prompts: prompts)
    _ = try strategyOptions.answering(prompts: prompts).make(prompts: prompts)
  }

  func run() async throws {
    let console = Console.standard
    let choice = try await DecodingChoice.make(
      profile: profileOptions, strategy: strategyOptions, prompts: prompts, model: modelOptions,
      console: console)
    // Two lanes, and two more that keep the conversation under another strategy until it is switched back to.
    let loaded = try await ModelLoading.load(modelOptions, lanes: 4, console: console)
    DecodingNotes.print(
      choice, options: decoding.options(), chat: Chat(question: "", system: prompts.system), console: console)
    var loop = ChatLoop(
      console: console, model: loaded.chat, profile: choice.profile, strategyOptions: strategyOptions,
      prompts: prompts, options: decoding.options())
    try await loop.run()
  }
}

/// An interactive chat: reads lines, answers messages, obeys commands.
struct ChatLoop {
  let console: Console
  let profile: LoadedProfile?
  var strategyOptions: StrategyOptions
  var prompts: PromptOptions
  private let session: ChatSession
  /// Whether the profile's strategy is in force; commands replace it.
  private var usesProfile: Bool

  init(
    console: Console, model: ChatModel, profile: LoadedProfile?, strategyOptions: StrategyOptions,
    prompts: PromptOptions, options: GenerationOptions
  ) {
    self.console = console
    self.profile = profile
    usesProfile = profile != nil
    self.strategyOptions = strategyOptions
    self.prompts = prompts
    session = ChatSession(model, options: options, system: prompts.system)
  }

  mutating func run() async throws {
    Interruption.install()
    let isInteractive = isatty(STDIN_FILENO) == 1
    if isInteractive {
      console.note(
        "\(StrategyTitle.of(try strategy())); /help lists the commands.")
    }
    while true {
      if isInteractive { FileHandle.standardError.write(Data("> ".utf8)) }
      guard let line = readLine() else { break }
      let text = line.trimmingCharacters(in: .whitespacesAndNewlines)
      if text.isEmpty { continue }
      let before = session.turns
      do {
        if text.hasPrefix("/") {
          guard let command = ChatSlashCommand(parsing: text) else {
            console.report("unknown command '\(TerminalText.singleLine(text))'; /help lists them.")
            continue
          }
          if try await perform(command) == .end { break }
        } else {
          session.strategy = try strategy()
          try await show(try session.ask(text))
        }
      } catch let error as CommandError where error != .interrupted {
        throw error
      } catch {
        // A wrong parameter or a chat that grew too long ends the turn, not the conversation.
        session.turns = before
        console.report(TerminalText.sanitized("\(error)"))
      }
    }
    if isInteractive { FileHandle.standardError.write(Data("\n".utf8)) }
  }

  private enum Continuation { case goOn, end }

  private mutating func perform(_ command: ChatSlashCommand) async throws -> Continuation {
    switch command {
    case .help: console.note(ChatSlashCommand.helpText)
    case .quit: return .end
    case .reset:
      session.reset()
      console.note("the conversation starts afresh.")
    case .strategy("profile", nil):
      guard let profile else {
        console.report("there is no profile; start with --profile.")
        break
      }
      usesProfile = true
      note(DecodingChoice(profile: profile))
    case .strategy(let text, let alpha):
      let name = StrategyName.meant(text)
      var changed = strategyOptions
      changed.strategy = name
      changed.alpha = alpha
      changed.parameters.keep(try StrategyParameters.taken(by: name))
      // A threshold means something else to another strategy.
      if try name != strategyOptions.answeringName(prompts: prompts) {
        changed.parameters.texts[.agreement] = nil
      }
      try change(to: changed)
    case .alpha(let alpha):
      var changed = strategyOptions
      // A profile that keeps a strategy without α has none to change; then Self-CD is meant, as without a profile.
      if usesProfile, let own = profile?.strategy, own.isContrastive { changed.strategy = own.name }
      changed.alpha = alpha
      try change(to: changed)
    case .system(let text):
      prompts.system = text.isEmpty ? nil : text
      session.system = prompts.system
      console.note(
        text.isEmpty ? "no system prompt of your own." : "system prompt set; it stays in both lanes.")
    case .retry:
      session.strategy = try strategy()
      guard let handle = try session.retry() else {
        console.report("there is no question to answer again.")
        break
      }
      try await show(handle)
    }
    return .goOn
  }

  private mutating func change(to changed: StrategyOptions) throws {
    let strategy = try changed.answering(prompts: prompts).make(sharing: prompts)
    console.note("now \(StrategyTitle.of(strategy)).")
    note(DecodingChoice(strategy: strategy, source: .asked))
    strategyOptions = changed
    usesProfile = false
  }

  private func note(_ choice: DecodingChoice) {
    DecodingNotes.print(
      choice, options: session.options, chat: Chat(question: "", system: prompts.system), console: console)
  }

  private func strategy() throws -> any DecodingStrategy {
    if usesProfile, let profile { return profile.strategy }
    return try strategyOptions.answering(prompts: prompts).make(sharing: prompts)
  }

  private mutating func show(_ handle: GenerationHandle) async throws {
    defer { Interruption.reset() }
    let console = console
    let reply = try await Interruption.cancelling([handle]) {
      try await ReplyPrinter(console: console, isStreaming: true).print(handle)
    }
    session.keep(reply)
  }
}

/// A line of the chat that is meant for the program.
enum ChatSlashCommand: Equatable {
  case help
  case quit
  case reset
  case retry
  case strategy(name: String, alpha: Float?)
  case alpha(Float)
  case system(String)

  static let helpText = """
    commands:
      /strategy NAME [ALPHA]   one of \(StrategyCatalogue.names.joined(separator: ", ")), or profile
      /alpha NUMBER            strength of the contrast
      /system [TEXT]           your own system prompt; none without a text
      /retry                   answer the last question again
      /reset                   forget the conversation
      /quit
    """

  init?(parsing line: String) {
    let parts = line.split(separator: " ", maxSplits: 1)
    let argument = parts.count > 1 ? parts[1].trimmingCharacters(in: .whitespaces) : ""
    switch parts.first {
    case "/help", "/?": self = .help
    case "/quit", "/exit": self = .quit
    case "/reset": self = .reset
    case "/retry": self = .retry
    case "/system": self = .system(argument)
    case "/alpha":
      guard let alpha = Float(argument) else { return nil }
      self = .alpha(alpha)
    case "/strategy":
      let words = argument.split(separator: " ")
      guard let name = words.first, words.count <= 2 else { return nil }
      let alpha = words.count == 2 ? Float(words[1]) : nil
      if words.count == 2, alpha == nil { return nil }
      self = .strategy(name: String(name), alpha: alpha)
    default: return nil
    }
  }
}
