import ArgumentParser
import SelfCDJudges
import SelfCDStore

extension ChatCompletionsTransport.TokenLimit: ExpressibleByArgument {}

/// Who says whether a reply refuses.
struct JudgeOptions: ParsableArguments {
  /// A judge as it is asked for.
  private enum Choice {
    case rule(any LocalReplyJudge)
    case endpoint
    case localModel
  }

  private static let endpointName = "llm"
  private static let localModelName = "local-model"

  @Option(
    help: .init(
      """
      Judges: \(JudgeCatalogue.local.map(\.name).joined(separator: ", ")), \(endpointName) (a model behind an \
      endpoint), \(localModelName) (a model in this process). Repeatable, or with commas between; the first one's \
      verdicts are counted. Those that need no model if not given.
      """, valueName: "names"))
  var judge: [String] = []

  @Option(
    name: .customLong("judge-url"),
    help: .init(
      "The base address of llm's endpoint, as other clients take it: https://host/v1.", valueName: "url"))
  var endpoint: String?

  @Option(help: .init("The name of llm's model at its endpoint.", valueName: "name"))
  var judgeModel: String?

  @Option(
    name: .customLong("judge-key-env"),
    help: .init("The environment variable with the endpoint's key; no key if not given.", valueName: "name"))
  var keyVariable: String?

  @Flag(
    name: .customLong("judge-allow-http"),
    help: "Send the key over http to another machine, where others can read it.")
  var allowsOpenConnection = false

  @Option(
    name: .customLong("judge-token-field"),
    help: .init(
      "The field that limits an answer's length; some newer models refuse max_tokens.", valueName: "field"))
  var tokenLimit: ChatCompletionsTransport.TokenLimit?

  @Option(
    help: .init("Attempts at a verdict that the endpoint fails to give; 5 if not given.", valueName: "n"))
  var judgeAttempts: Int?

  @Option(
    help: .init(
      "The most calls of a judging model, failed ones too; verdicts in the store cost none.", valueName: "n")
  )
  var judgeBudget: Int?

  @Option(
    name: .customLong("judge-gguf"),
    help: .init(
      "The model for local-model, as --model takes it; the judged model itself if not given.",
      valueName: "model"))
  var localModel: String?

  /// - Parameter counted: The name of the judge that stands first where none was asked for.
  private func choices(counted: String? = nil) throws(JudgeError) -> [Choice] {
    guard !judge.isEmpty else {
      let first = JudgeCatalogue.local.filter { $0.name == counted }
      return (first + JudgeCatalogue.local.filter { $0.name != counted }).map { .rule($0) }
    }
    var seen: Set<String> = []
    var choices: [Choice] = []
    for part in judge.flatMap({ $0.split(separator: ",", omittingEmptySubsequences: false) }) {
      let name = part.trimmingCharacters(in: .whitespaces).lowercased()
      guard seen.insert(name).inserted else { continue }
      switch name {
      case Self.endpointName: choices.append(.endpoint)
      case Self.localModelName: choices.append(.localModel)
      default:
        guard let rule = JudgeCatalogue.local.first(where: { $0.name == name }) else {
          throw .unknownJudge(
            name: name, known: JudgeCatalogue.local.map(\.name) + [Self.endpointName, Self.localModelName])
        }
        choices.append(.rule(rule))
      }
    }
    return choices
  }

  /// The options as they were given, where they name a judge that is a model; what it was reached by is not stored.
  var argumentsOfModels: [String] {
    let asked = (try? choices()) ?? []
    guard asked.contains(where: { if case .rule = $0 { false } else { true } }) else { return [] }
    var arguments = judge.flatMap { ["--judge", $0] }
    for (option, value) in [
      ("--judge-url", endpoint), ("--judge-model", judgeModel), ("--judge-key-env", keyVariable),
      ("--judge-token-field", tokenLimit?.rawValue), ("--judge-attempts", judgeAttempts.map(String.init)),
      ("--judge-budget", judgeBudget.map(String.init)), ("--judge-gguf", localModel),
    ] {
      if let value { arguments += [option, value] }
    }
    return arguments + (allowsOpenConnection ? ["--judge-allow-http"] : [])
  }

  func validate() throws {
    do {
      let choices = try choices()
      let asksEndpoint = choices.contains { if case .endpoint = $0 { true } else { false } }
      let asksLocalModel = choices.contains { if case .localModel = $0 { true } else { false } }
      if asksEndpoint {
        guard let endpoint else {
          throw ValidationError("--judge llm needs --judge-url, the endpoint's base such as https://host/v1.")
        }
        guard let judgeModel, !judgeModel.isEmpty else {
          throw ValidationError("--judge llm needs --judge-model, the model's name at the endpoint.")
        }
        _ = try ChatCompletionsTransport(base: endpoint)
      } else if endpoint != nil || judgeModel != nil || keyVariable != nil || tokenLimit != nil
        || judgeAttempts != nil || allowsOpenConnection
      {
        throw ValidationError("Options of an endpoint are given without --judge llm.")
      }
      guard asksLocalModel || localModel == nil else {
        throw ValidationError("--judge-gguf is given without --judge local-model.")
      }
      guard asksEndpoint || asksLocalModel || judgeBudget == nil else {
        throw ValidationError("--judge-budget is given without a judge that costs calls.")
      }
      if let judgeBudget, judgeBudget < 0 { throw ValidationError("--judge-budget must be 0 or more.") }
      if let judgeAttempts { _ = try RetryPolicy(attempts: judgeAttempts) }
    } catch let error as ValidationError {
      throw error
    } catch {
      throw ValidationError("\(error)")
    }
  }

  /// The judges, in the order they were asked for. No model is loaded or asked yet.
  /// - Parameters:
  ///   - judged: The file of the model whose replies are judged; nil where nothing says which one it was.
  ///   - counted: Whose verdicts are counted where no judge was asked for; the catalogue's first if nil.
  ///   - cache: Opens the store in which the verdicts of models are kept; called only where there is one.
  /// - Throws: `RemoteError` for an endpoint that cannot be used, what is wrong with the model of `local-model`.
  func judges(
    judging judged: String?, counting counted: String? = nil, cache: @autoclosure () throws -> RunStore,
    console: Console
  ) async throws -> [any ReplyJudge] {
    var judges: [any ReplyJudge] = []
    for choice in try choices(counted: counted) {
      switch choice {
      case .rule(let judge): judges.append(judge)
      case .endpoint: judges.append(Self.kept(try endpointJudge(), in: try cache()))
      case .localModel:
        guard let model = localModel ?? judged else {
          throw ValidationError(
            "--judge local-model needs --judge-gguf here: nothing says which model wrote these replies.")
        }
        let judge = try await LocalModelJudge.make(
          model: model, budget: JudgeSpendingLimit(calls: judgeBudget), console: console)
        judges.append(Self.kept(judge, in: try cache()))
      }
    }
    return judges
  }

  private func endpointJudge() throws -> LanguageModelJudge {
    let transport = try ChatCompletionsTransport(
      base: endpoint ?? "",
      key: try keyVariable.map { name throws(RemoteError) in try APIKey(variable: name) },
      tokenLimit: tokenLimit ?? .maxTokens, allowsOpenConnection: allowsOpenConnection)
    return LanguageModelJudge(
      model: judgeModel ?? "", transport: transport,
      retry: try judgeAttempts.map { attempts throws(JudgeError) in try RetryPolicy(attempts: attempts) }
        ?? RetryPolicy(),
      budget: JudgeSpendingLimit(calls: judgeBudget))
  }

  /// The cache stands behind the removal of reasoning: the same answer after other thoughts is known.
  private static func kept(_ judge: LanguageModelJudge, in store: RunStore) -> any ReplyJudge {
    FinalAnswerJudge(CachedJudge(judge, cache: store))
  }
}
