import ArgumentParser
import SelfCDJudges
import SelfCDStore

extension ChatCompletionsTransport.TokenLimit: ExpressibleByArgument {}

/// Who says whether a reply refuses.
struct JudgeOptions: ParsableArguments {
  /// A judge as it is asked for.
  private enum Choice {
    case rule(any LocalReplyJudge)
    case model(ModelJudge)

    var model: ModelJudge? {
      switch self {
      case .rule: nil
      case .model(let model): model
      }
    }
  }

  @Option(
    help: .init(
      """
      Judges: \(JudgeCatalogue.local.map(\.name).joined(separator: ", ")), \
      \(ModelJudge.allCases.map { "\($0.name) (\($0.summary))" }.joined(separator: ", ")). Repeatable, or \
      with commas between; the first one's verdicts are counted. Those that need no model if not given.
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
      if let model = ModelJudge(rawValue: name) {
        choices.append(.model(model))
      } else if let rule = JudgeCatalogue.local.first(where: { $0.name == name }) {
        choices.append(.rule(rule))
      } else {
        throw .unknownJudge(
          name: name, known: JudgeCatalogue.local.map(\.name) + ModelJudge.allCases.map(\.name))
      }
    }
    return choices
  }

  /// The options as they were given, where they name a judge that is a model; what it was reached by is not stored.
  var argumentsOfModels: [String] {
    let asked = (try? choices()) ?? []
    guard asked.contains(where: { $0.model != nil }) else { return [] }
    return judge.flatMap { ["--judge", $0] } + ModelJudge.allCases.flatMap { $0.arguments(of: self) }
      + (judgeBudget.map { ["--judge-budget", String($0)] } ?? [])
  }

  func validate() throws {
    do {
      let asked = try choices().compactMap(\.model)
      for model in ModelJudge.allCases { try model.validate(self, isAsked: asked.contains(model)) }
      guard !asked.isEmpty || judgeBudget == nil else {
        throw ValidationError("--judge-budget is given without a judge that costs calls.")
      }
      if let judgeBudget, judgeBudget < 0 { throw ValidationError("--judge-budget must be 0 or more.") }
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
      case .model(let model):
        let judge = try await model.judge(self, judging: judged, console: console)
        // The cache stands behind the removal of reasoning: the same answer after other thoughts is known.
        judges.append(FinalAnswerJudge(CachedJudge(judge, cache: try cache())))
      }
    }
    return judges
  }
}
