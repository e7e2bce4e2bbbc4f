import ArgumentParser
import Foundation
import Logging
import SelfCD
import SelfCDLlama
import SelfCDLlamaServer
import SelfCDServer
import SelfCDSupport
import UnixSignals

/// `selfcd serve`: an OpenAI-compatible server.
struct ServeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "serve",
    abstract: "Serve models over HTTP, for OpenAI clients.",
    discussion: """
      Answers on this machine only unless --host says otherwise, and then with API keys only. What clients may choose \
      is up to you: a model decodes as its profile says, without one as it is, or as --strategy says, and clients can ask \
      for nothing else but 'guarded' until --allow names it. SIGHUP reads profiles and keys anew; SIGTERM and Ctrl-C \
      let running requests finish, and a second one ends the server at once. docs/server.md has the interface, \
      docs/threat-model.md what it is safe against.

      \(DeploymentTable.help(.serve))

      EXAMPLES
        selfcd serve
        selfcd serve -m model.gguf --allow plain,self-cd --alpha-range 0...2.5
        selfcd serve -m model.gguf --strategy self-cd --alpha 2 --port 9000
        selfcd serve --config serve.json
        selfcd serve --config serve.json --check
        selfcd serve --unix-socket /run/selfcd/selfcd.sock
        SELFCD_API_KEYS="alice $(openssl rand -hex 24)" selfcd serve \\
          --host 0.0.0.0
        curl localhost:8080/v1/chat/completions \\
          -H 'Content-Type: application/json' \\
          -d '{"messages": [{"role": "user", "content": "How do I kill time?"}]}'
      """)

  @OptionGroup var globals: ServeGlobals
  @OptionGroup(title: "Model") var served: ServedModelOptions

  func run() async throws {
    guard let config = globals.config else { return try await Self.serve([served], globals) }
    let file = try ServeFile(path: UserFolders.current.expand(config))
    let arguments = file.arguments(besides: Self.given) + Self.given
    guard !file.models.isEmpty else {
      let command = try Self.parse(arguments)
      return try await Self.serve([command.served], command.globals)
    }
    // Without a model's options, so that one that would have no effect is an error.
    try await Self.serve(
      try file.models.enumerated().map { index, options in
        do {
          return try ServedModelOptions.parse(options)
        } catch {
          throw CommandError.invalid(
            "\(config): models[\(index)]: \(ServedModelOptions.message(for: error))")
        }
      }, try ServeGlobals.parse(arguments))
  }

  /// The command's own arguments, as they were given.
  private static var given: [String] {
    let arguments = CommandLine.arguments
    guard let start = arguments.firstIndex(of: "serve") else { return [] }
    return Array(arguments[(start + 1)...])
  }

  private static func serve(_ models: [ServedModelOptions], _ globals: ServeGlobals) async throws {
    let (server, policy) = (globals.server, globals.policy)
    guard policy.strategy == nil || models.allSatisfy(\.profile.isEmpty) else {
      throw ValidationError("--strategy and --profile both say how to decode by default. Give one of them.")
    }
    let console = Console.standard
    var settings = server.settings()
    let rules = try policy.make()
    let judge = try server.replyJudge()
    // What takes longest comes last: a model may have to be fetched.
    var providers: [LlamaModelProvider] = []
    for model in models {
      providers.append(try await model.provider(usesOwnProfile: policy.usesOwnProfile, console: console))
    }
    settings.memoryBudget =
      try server.memoryBytes() ?? (models.count > 1 ? MemoryEstimate.available : nil)
    var logger = Logger(label: "selfcd") { ConsoleLogHandler(label: $0) }
    logger.logLevel = server.logLevel.level
    let isAsked = policy.strategy != nil
    let running = try InferenceServer(
      settings: settings, providers: providers, policy: rules, keys: server.keyReader(), judge: judge,
      logger: logger)
    if server.check {
      try await running.checkSetup()
      for line in ServingNotes.choices(running) { print(line) }
      print("The server would start.")
      return
    }
    let reloads = Task {
      for await _ in await UnixSignalsSequence(trapping: .sighup) { await running.reload() }
    }
    defer { reloads.cancel() }
    let names = TerminalText.singleLine(providers.map(\.name).joined(separator: ", "))
    let first = server.lazy ? nil : providers.first.map { TerminalText.singleLine($0.name) }
    let stop: @Sendable () -> Void = {
      console.note(ServingNotes.stopping(replies: running.repliesInProgress))
      Task { await running.stop() }
    }
    try await Interruption.handling(stop, signals: [SIGINT, SIGTERM]) { [settings, providers] in
      try await running.run(preloads: first != nil) { port in
        let address = ServingNotes.address(settings, port: port)
        console.note("serving \(names) at \(address)")
        for line in ServingNotes.lines(running, address: address) { console.note(line) }
        for line in ServedDecodingNotes.lines(providers, policy: rules, isAsked: isAsked) {
          console.note(line)
        }
      } onListening: { port in
        let place = settings.unixSocket.map(TerminalText.singleLine) ?? "port \(port)"
        if let first { console.note("listening on \(place), loading \(first)") }
      }
    }
  }
}

/// The options that hold for all models.
struct ServeGlobals: ParsableArguments {
  @Option(
    help: .init(
      """
      A JSON file of these options under their long names with underscores, such as "allow": ["plain"], and \
      "models": [{"model": …, "name": …}] for several. Options given here go before the file's.
      """, valueName: "file"))
  var config: String?

  @OptionGroup(title: "Server") var server: ServerOptions
  @OptionGroup(title: "What clients may choose") var policy: PolicyOptions

  func validate() throws { _ = try policy.make() }
}

/// Lines of the server's log: time, level, message, to standard error.
struct ConsoleLogHandler: LogHandler {
  let label: String
  var logLevel = Logger.Level.info
  var metadata: Logger.Metadata = [:]

  init(label: String) { self.label = label }

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    let text = TerminalText.singleLine("\(event.message)")
    let stamp = Date.now.formatted(.iso8601)
    // Nothing sensible can be done when even standard error is gone.
    try? FileHandle.standardError.write(contentsOf: Data("\(stamp) \(event.level): \(text)\n".utf8))
  }
}
