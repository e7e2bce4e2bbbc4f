import ArgumentParser
import Foundation
import Logging
import SelfCD
import SelfCDEval
import SelfCDLlama
import SelfCDServer
import UnixSignals

/// `selfcd serve`: an OpenAI-compatible server.
struct ServeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "serve",
    abstract: "Serve models over HTTP, for OpenAI clients.",
    discussion: """
      Answers on this machine only unless --host says otherwise, and then with API keys only. What clients may choose \
      is up to you: without a calibrated profile and without --strategy, replies are decoded guarded, and clients can \
      ask for nothing else until --allow names it. SIGHUP reads profiles and keys anew; SIGTERM lets running requests \
      finish.

      EXAMPLES
        selfcd serve
        selfcd serve -m model.gguf --allow plain,self-cd --alpha-range 0...2.5
        selfcd serve -m model.gguf --strategy self-cd --alpha 2 --port 9000
        SELFCD_API_KEYS="alice $(openssl rand -hex 24)" selfcd serve --host 0.0.0.0
        curl localhost:8080/v1/chat/completions -H 'Content-Type: application/json' \\
          -d '{"model": "organism", "messages": [{"role": "user", "content": "How do I kill a wine stain?"}]}'
      """)

  @OptionGroup(title: "Server") var server: ServerOptions
  @OptionGroup(title: "What clients may choose") var policy: PolicyOptions
  @OptionGroup(title: "Model") var modelOptions: ModelOptions

  func validate() throws { _ = try policy.make() }

  func run() async throws {
    let console = Console.standard
    let policy = try policy.make()
    let settings = server.settings()
    let keys = server.keyReader()
    let path = try await modelOptions.modelPath(console: console)
    let provider = LlamaModelProvider(
      name: server.name ?? Self.name(of: modelOptions.model), path: path,
      options: modelOptions.llamaOptions(lanes: server.lanes), template: try modelOptions.templateOptions(),
      stepMode: modelOptions.stepMode)
    var logger = Logger(label: "selfcd") { ConsoleLogHandler(label: $0) }
    logger.logLevel = server.logLevel
    let running = try InferenceServer(
      settings: settings, providers: [provider], policy: policy, keys: keys, judge: try server.replyJudge(),
      logger: logger)
    let reloads = Task {
      for await _ in await UnixSignalsSequence(trapping: .sighup) { await running.reload() }
    }
    defer { reloads.cancel() }
    try await running.run(signals: [.sigterm, .sigint]) { port in
      let host = settings.host.contains(":") ? "[\(settings.host)]" : settings.host
      console.note("serving '\(provider.name)' at http://\(host):\(port)")
    }
  }

  /// What clients call a model: the file's name without its ending.
  static func name(of model: String) -> String {
    guard model.hasSuffix(".gguf") else { return model }
    return URL(filePath: model).deletingPathExtension().lastPathComponent
  }
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
    try? FileHandle.standardError.write(contentsOf: Data("\(stamp) \(event.level): \(text)\n".utf8))
  }
}
