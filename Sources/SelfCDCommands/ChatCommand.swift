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
    case .alpha(let alpha?):
      let (changed, name) = try choosing(alpha: alpha)
      guard try StrategyParameters.taken(by: name).contains(.alpha) else {
        throw ChatSlashError.noStrength(strategy: name, remedy: Self.contrastRemedy)
      }
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

  private static let contrastRemedy =
    "'/strategy \(SelfContrastive.name) NUMBER' contrasts with that strength"

  /// The options with another strength, and the strategy that they ask for.
  private func choosing(alpha: Float) throws -> (options: StrategyOptions, strategy: String) {
    var changed = strategyOptions
    // A profile that keeps a strategy without α has none to change; then Self-CD is meant, as without a profile.
    if usesProfile, let own = profile?.strategy { changed.strategy = own.isContrastive ? own.name : nil }
    changed.alpha = alpha
    return (options: changed, strategy: try changed.answeringName(prompts: prompts))
  }

  /// The strength in force, and how to set it.
  private func strengthInForce() throws -> String {
    let current = try strategy()
    if let alpha = current.parameters.alpha {
      let limit = NumberFormat.parameter(SelfContrastive.alphaLimit)
      return "α is \(NumberFormat.parameter(alpha)) (\(current.name)). '/alpha NUMBER' sets it, "
        + "from -\(limit) to \(limit)."
    }
    let name = try choosing(alpha: 1).strategy
    let remedy =
      try StrategyParameters.taken(by: name).contains(.alpha)
      ? "'/alpha NUMBER' contrasts with \(name) at that strength" : Self.contrastRemedy
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
    session.keep(reply)
  }
}
