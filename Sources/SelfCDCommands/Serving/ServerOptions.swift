import ArgumentParser
import Foundation
import Logging
import SelfCD
import SelfCDJudges
import SelfCDServer
import SelfCDSupport

/// How much the server tells.
enum LogLevel: String, CaseIterable, ExpressibleByArgument {
  case debug
  case info
  case warning
  case error

  var level: Logger.Level {
    switch self {
    case .debug: .debug
    case .info: .info
    case .warning: .warning
    case .error: .error
    }
  }
}

/// Where and how the server answers.
struct ServerOptions: ParsableArguments {
  @Option(help: .init("Address to listen on. Anything but loopback needs API keys.", valueName: "address"))
  var host = "127.0.0.1"

  @Option(name: [.short, .long], help: .init("Port; 0 takes a free one.", valueName: "n"))
  var port = 8080

  @Option(
    help: .init(
      """
      Listen on a Unix domain socket of this path instead, for programs of this machine such as a reverse proxy. Who may \
      connect follows from the umask.
      """, valueName: "path"))
  var unixSocket: String?

  @Flag(
    help: """
      Check everything short of loading a model, such as options, profiles, keys, model files and the port, and end \
      with status 0 if the server would start.
      """)
  var check = false

  @Option(
    help: .init(
      "A file with API keys, one 'NAME KEY' a line; or set the environment variable SELFCD_API_KEYS.",
      valueName: "file"))
  var apiKeys: String?

  @Option(help: .init("Another name that requests may give as their Host. Repeatable.", valueName: "name"))
  var allowedHost: [String] = []

  @Option(
    help: .init(
      """
      An origin whose pages may use the server, or an app or an extension: https://chat.example, app://obsidian.md, \
      chrome-extension://ID. Repeatable.
      """, valueName: "origin"))
  var corsOrigin: [String] = []

  @Option(help: .init("Requests that may wait for lanes; more are turned away.", valueName: "n"))
  var queue = 128

  @Option(help: .init("Seconds from a request to the end of its response.", valueName: "s"))
  var requestTimeout = 300.0

  @Option(help: .init("Seconds that a connection stays open on which nothing is asked for.", valueName: "s"))
  var idleTimeout = 60.0

  @Option(help: .init("Seconds that running requests get when the server is told to stop.", valueName: "s"))
  var grace = 10.0

  @Option(
    help: .init(
      """
      Memory that loaded models may take together, as in 8G; others are unloaded first. With several models, what is \
      free at start.
      """, valueName: "bytes"))
  var memoryBudget: String?

  @Flag(help: "Load even the first model only when it is asked for.")
  var lazy = false

  @Option(help: .init("Bytes of a request's body.", valueName: "n"))
  var maxBody = 1 << 20

  @Option(help: .init("Requests a minute of each client, unless its key says otherwise.", valueName: "n"))
  var requestsPerMinute: Int?

  @Option(help: .init("Tokens a minute of each client, prompts and replies.", valueName: "n"))
  var tokensPerMinute: Int?

  @Option(help: .init("Log-probabilities a minute of each client.", valueName: "n"))
  var logprobsPerMinute: Int?

  @Option(
    help: .init(
      "Counts refusals in /metrics: \(JudgeCatalogue.local.map(\.name).joined(separator: ", ")), or none.",
      valueName: "name"))
  var judge = JudgeCatalogue.local.first?.name ?? "none"

  @Option(help: .init("debug logs each request.", valueName: "level"))
  var logLevel = LogLevel.info

  @Flag(help: "Log the last message of each request. Off, since it is what people wrote.")
  var logPrompts = false

  func settings() -> ServerSettings {
    ServerSettings(
      host: host, port: port, unixSocket: unixSocket.map(UserFolders.current.expand),
      allowedHosts: allowedHost, corsOrigins: corsOrigin, maximumBody: maxBody,
      requestTimeout: requestTimeout, idleTimeout: idleTimeout, grace: grace, queueLimit: queue,
      limits: limits, logsPrompts: logPrompts)
  }

  private var limits: ClientLimits {
    ClientLimits(
      requestsPerMinute: requestsPerMinute, tokensPerMinute: tokensPerMinute,
      logProbabilitiesPerMinute: logprobsPerMinute)
  }

  /// - Throws: `ValidationError` for what is no number of bytes.
  func memoryBytes() throws -> Int? {
    guard let memoryBudget else { return nil }
    let units: [Character: Double] = ["K": 0x1p10, "M": 0x1p20, "G": 0x1p30, "T": 0x1p40]
    let unit = memoryBudget.last.flatMap { units[Character($0.uppercased())] }
    let number = unit == nil ? memoryBudget[...] : memoryBudget.dropLast()
    guard let value = Double(number), value > 0, value * (unit ?? 1) < 1e18 else {
      throw ValidationError("--memory-budget must be a number of bytes, as in 8G or 800M.")
    }
    return Int(value * (unit ?? 1))
  }

  func validate() throws {
    _ = try memoryBytes()
    guard requestTimeout > 0, idleTimeout > 0, grace >= 0, queue >= 0, maxBody >= 1 else {
      throw ValidationError(
        """
        --request-timeout, --idle-timeout and --max-body must be greater than 0, --grace and --queue 0 or more.
        """)
    }
  }

  /// Reads the keys, at start and at every reload.
  func keyReader() -> @Sendable () throws -> APIKeys {
    { [apiKeys, limits] in
      let variable = "SELFCD_API_KEYS"
      let text =
        try apiKeys.map { try InputText.read(file: $0) } ?? ProcessInfo.processInfo.environment[variable]
        ?? ""
      do {
        return try APIKeys(parsing: text, limits: limits, separatedBySemicolons: apiKeys == nil)
      } catch {
        throw CommandError.invalid("\(apiKeys ?? variable): \(error)")
      }
    }
  }

  /// - Throws: `JudgeError` for a name that is not known.
  func replyJudge() throws -> (any LocalReplyJudge)? {
    judge == "none" ? nil : try JudgeCatalogue.judge(named: judge)
  }
}

/// What clients may choose, and what they get without choosing.
struct PolicyOptions: ParsableArguments {
  /// Tokens of a reply where neither the operator nor the client says how many.
  private static let usualMaximum = 512

  @Option(
    name: [.short, .long],
    help: .init(
      "How to decode where nothing else is asked for, in place of a profile or of decoding as the model is.",
      valueName: "name"), transform: StrategyName.meant)
  var strategy: String?

  @Option(
    name: [.short, .long], parsing: .unconditional,
    help: .init("Strength of --strategy's contrast.", valueName: "number"))
  var alpha: Float?

  @Option(
    help: .init(
      "Strategies that clients may ask for: \(ServerPolicy.knownStrategies.joined(separator: ", ")), or all.",
      valueName: "names"))
  var allow: [String] = []

  @OptionGroup var ranges: RangeOptions

  @Option(
    help: .init(
      """
      The safety emphasis, a preset or a text: without a profile or --strategy the server decodes guarded by it. \
      Repeated, others that clients may name.
      """,
      valueName: "preset or text"))
  var guardedPrompt: [String] = []

  @Option(
    help: .init("A file with a safety emphasis, as --guarded-prompt. Repeatable.", valueName: "file"))
  var guardedPromptFile: [String] = []

  @Option(
    help: .init(
      StrategyParameter.emphasisPosition.help, valueName: StrategyParameter.emphasisPosition.valueName))
  var emphasisPosition: EmphasisPosition?

  @Flag(help: "Let clients bring guarded prompts of their own.")
  var allowOwnGuardedPrompt = false

  @Flag(
    help: """
      Let clients contrast with negative prompts of their own (selfcd.negative_prompt), within --guidance-range; beside \
      --strategy or without a profile. It can move the model away from refusing.
      """)
  var allowNegativePrompt = false

  @Flag(help: "Let clients add to the scores of tokens (logit_bias), which can undo how the server decodes.")
  var allowLogitBias = false

  @Flag(
    help: """
      Let clients say by a JSON schema or a grammar what the reply looks like (response_format, grammar). That can put \
      words into the model's mouth and leave it no way to refuse. A JSON object without a schema is always allowed.
      """)
  var allowGrammar = false

  @Flag(
    help: """
      Let clients begin the model's reply for it, with a chat that ends with the assistant's message. Words put into its \
      mouth can make it answer what it would refuse.
      """)
  var allowPrefill = false

  @Flag(help: "Give no log-probabilities and no explanations.")
  var noLogprobs = false

  @Flag(help: "Give no explanations of tokens.")
  var noExplain = false

  @Option(help: .init("Tokens of a reply where none are asked for.", valueName: "n"))
  var maxTokens = PolicyOptions.usualMaximum

  @Option(help: .init("Most tokens of a reply that can be asked for.", valueName: "n"))
  var maxTokensLimit = 4096

  @Option(help: .init("Most choices (n) of one request.", valueName: "n"))
  var maxChoices = 8

  @Flag(
    help: """
      Refuse requests with a field that this server does not know, or a limit of tokens that does not fit; else the field \
      is left aside and named in the response, and the limit is cut.
      """)
  var strict = false

  @Option(help: .init("Temperature where none is asked for; 0 is greedy.", valueName: "number"))
  var temperature: Float = 0

  /// Whether the profile that the embedded model comes with is wanted: not beside options that say how to decode, as in
  /// `generate`.
  var usesOwnProfile: Bool { strategy == nil && guardedPrompt.isEmpty && guardedPromptFile.isEmpty }

  /// - Throws: `ValidationError`.
  func make() throws -> ServerPolicy {
    let names = allow.flatMap { $0.split(separator: ",") }
      .map { StrategyName.meant($0.trimmingCharacters(in: .whitespaces)) }
    let known = ServerPolicy.knownStrategies
    if let unknown = names.first(where: { $0 != "all" && !known.contains($0) }) {
      throw ValidationError("--allow names '\(unknown)'. Known: \(known.joined(separator: ", ")), or all.")
    }
    let prompts = try guardedPrompt.map(emphasis) + guardedPromptFile.map(SafetyEmphasis.read(file:))
    let position = try emphasisPosition ?? EnvironmentParameters.given().emphasisPosition
    guard maxTokens >= 1, maxTokensLimit >= 1, maxChoices >= 1 else {
      throw ValidationError("--max-tokens, --max-tokens-limit and --max-choices must be 1 or more.")
    }
    // The default is no wish, and is cut to a lower limit.
    guard maxTokens <= maxTokensLimit || maxTokens == PolicyOptions.usualMaximum else {
      throw ValidationError(
        "--max-tokens is \(maxTokens), more than --max-tokens-limit, which is \(maxTokensLimit). Raise the limit as well."
      )
    }
    guard temperature.isFinite, (0...100).contains(temperature) else {
      throw ValidationError("--temperature must be from 0 to 100.")
    }
    if alpha != nil, strategy == nil { throw ValidationError("--alpha goes with --strategy.") }
    do {
      var policy = ServerPolicy(
        defaultStrategy: try defaultStrategy(prompts.first, position),
        strategies: Set(names.contains("all") ? known : names), ranges: try ranges.ranges(),
        overridesProfiles: strategy != nil,
        guardedPrompts: prompts, emphasisPosition: position,
        allowsOwnGuardedPrompt: allowOwnGuardedPrompt,
        allowsExplanations: !noExplain, allowsLogProbabilities: !noLogprobs,
        defaultMaximumTokens: min(maxTokens, maxTokensLimit),
        maximumTokens: maxTokensLimit, maximumChoices: maxChoices,
        defaultTemperature: temperature, isStrict: strict)
      policy.allowsLogitBias = allowLogitBias
      policy.allowsGrammar = allowGrammar
      policy.allowsPrefill = allowPrefill
      policy.allowsNegativePrompt = allowNegativePrompt
      return policy
    } catch let error as StrategyError {
      throw ValidationError("\(error)")
    }
  }

  private func emphasis(_ text: String) throws -> SafetyEmphasis {
    if let preset = SafetyEmphasis.preset(named: text) { return preset }
    guard text.contains(where: \.isWhitespace) else {
      throw ValidationError(
        """
        there is no guarded prompt named '\(text)'. Known: \
        \(SafetyEmphasis.presets.map(\.name).joined(separator: ", ")); or give a text of several words.
        """)
    }
    return SafetyEmphasis(text: text)
  }

  /// - Returns: nil where none is asked for.
  private func defaultStrategy(
    _ emphasis: SafetyEmphasis?, _ position: EmphasisPosition?
  ) throws -> (any DecodingStrategy)? {
    guard let name = strategy else { return nil }
    guard ServerPolicy.knownStrategies.contains(name) else {
      throw StrategyError.unknown(name: name, known: ServerPolicy.knownStrategies)
    }
    var given = StrategyParameters(alpha: alpha, emphasis: emphasis)
    given.emphasisPosition = position
    // The safety emphasis is for what clients name, too.
    return try given.keeping(StrategyParameters.taken(by: name) + [.alpha]).make(name)
  }
}
