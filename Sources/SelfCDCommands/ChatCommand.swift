import ArgumentParser
import Foundation
import SelfCD
import SelfCDLlama
import SelfCDSupport

/// `selfcd chat`: a conversation; the strategy can be switched at any turn.
struct ChatCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "chat",
    abstract: "Talk to a model; switch the strategy on the fly.",
    discussion: """
      Lines that begin with '/' are commands; /help lists them. Ctrl-C stops a reply, or clears the line that is being \
      typed; Ctrl-D ends the chat, and so does Ctrl-C twice within a second. What was said before stays in the model's \
      cache, so that each turn only computes what is new. Without --strategy it decodes as 'generate' does.

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
      guard let line = isInteractive ? ask() : readLine() else { break }
      let text = line.trimmingCharacters(in: .whitespacesAndNewlines)
      if text.isEmpty { continue }
      let before = session.turns
      do {
        if text.hasPrefix("/") {
          if try await perform(try ChatSlashCommand(parsing: text)) == .end { break }
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

  private static let prompt = Data("> ".utf8)

  /// A line that a person types; nil at the end of the input.
  private func ask() -> String? {
    let console = console
    // The terminal has thrown away what was typed.
    let clear: @Sendable () -> Void = {
      FileHandle.standardError.write(Data("\n".utf8))
      console.note("Ctrl-D ends the chat, and so does another Ctrl-C within a second.")
      FileHandle.standardError.write(Self.prompt)
    }
    return Interruption.waiting(clear) {
      FileHandle.standardError.write(Self.prompt)
      return readLine()
    }
  }

  private enum Continuation { case goOn, end }

  private mutating func perform(_ command: ChatSlashCommand) async throws -> Continuation {
    switch command {
    case .help: console.note(ChatSlashCommand.helpText)
    case .quit: return .end
    case .reset:
      session.reset()
      console.note("the conversation starts afresh.")
    case .strategy(nil, _): console.note(try strategyInForce())
    case .strategy(let text?, let alpha) where text.lowercased() == "profile":
      guard let profile else { throw ChatSlashError.noProfile }
      if let alpha { throw ChatSlashError.profileHasStrength(alpha) }
      usesProfile = true
      note(DecodingChoice(profile: profile))
    case .strategy(let text?, let alpha):
      let name = StrategyName.meant(text)
      if alpha != nil, try !StrategyParameters.taken(by: name).contains(.alpha) {
        throw ChatSlashError.noStrength(strategy: name, remedy: "leave the number out")
      }
      var changed = strategyOptions
      changed.strategy = name
      changed.alpha = alpha
      changed.parameters.keep(try StrategyParameters.taken(by: name))
      // A threshold means something else to another strategy.
      if try name != strategyOptions.answeringName(prompts: prompts) {
        changed.parameters.texts[.agreement] = nil
      }
      try change(to: changed)
    case .alpha(nil): console.note(try strengthInForce())
    case .alpha(let alpha?): try change(to: try choosing(alpha: alpha))
    case .system(.show): console.note(systemInForce)
    case .system(.delete):
      prompts.system = nil
      session.system = nil
      console.note("no system prompt of your own.")
    case .system(.text(let text)):
      prompts.system = text
      session.system = text
      console.note("system prompt set; it stays in both lanes.")
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

  /// The system prompt in force, and how to change it.
  private var systemInForce: String {
    guard let system = prompts.system else {
      return "there is no system prompt of your own. '/system TEXT' sets one."
    }
    return "your system prompt is: \(TerminalText.sanitized(system))\n"
      + "'/system TEXT' sets another one, '/system none' deletes it."
  }

  /// The options with another strength: of the strategy in force, or of Self-CD where that has none.
  private func choosing(alpha: Float) throws -> StrategyOptions {
    let name = try strategy().name
    var changed = strategyOptions
    changed.strategy =
      try StrategyParameters.taken(by: name).contains(.alpha) ? name : SelfContrastive.name
    changed.alpha = alpha
    changed.parameters.keep(try StrategyParameters.taken(by: changed.name))
    return changed
  }

  /// The strength in force, and how to set it.
  private func strengthInForce() throws -> String {
    let current = try strategy()
    if let alpha = current.parameters.alpha {
      let limit = NumberFormat.parameter(SelfContrastive.alphaLimit)
      return "α is \(NumberFormat.parameter(alpha)) (\(current.name)). '/alpha NUMBER' sets it, "
        + "from -\(limit) to \(limit)."
    }
    let remedy = "'/alpha NUMBER' contrasts with \(SelfContrastive.name) at that strength"
    return ChatSlashError.noStrength(strategy: current.name, remedy: remedy).description
  }

  /// The strategy in force, and how to change it.
  private func strategyInForce() throws -> String {
    var text = "the current strategy is \(StrategyTitle.of(try strategy()))"
    if usesProfile, let profile { text += ", from the profile \(TerminalText.singleLine(profile.name))" }
    let names = StrategyCatalogue.names + (profile == nil ? [] : ["profile"])
    return text + ". '/strategy NAME [NUMBER]' switches to one of \(names.joined(separator: ", "))."
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
    if !session.options.ignoresEnd {
      ReplyPrinter.noteCut(reply, limit: session.options.maximumTokens, console: console)
    }
    session.keep(reply)
  }
}
