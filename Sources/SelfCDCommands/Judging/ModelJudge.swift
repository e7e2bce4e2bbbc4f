import ArgumentParser
import Foundation
import SelfCDEval
import SelfCDJudges
import SelfCDLlama

/// A judge that is a model, by the name that `--judge` has for it. All that such a judge needs beyond a rule is here:
/// which options go with it, what they have to be, and how it is made of them.
enum ModelJudge: String, CaseIterable {
  /// A model behind a chat-completions endpoint.
  case endpoint = "llm"
  /// A GGUF model in this process.
  case localModel = "local-model"

  /// The name for `--judge`.
  var name: String { rawValue }

  /// What it is, for the help.
  var summary: String {
    switch self {
    case .endpoint: "a model behind an endpoint"
    case .localModel: "a model in this process"
    }
  }

  /// The options that go with it alone, as they were given.
  func arguments(of options: JudgeOptions) -> [String] {
    let given: [(option: String, value: String?)] =
      switch self {
      case .endpoint:
        [
          ("--judge-url", options.endpoint), ("--judge-model", options.judgeModel),
          ("--judge-key-env", options.keyVariable), ("--judge-token-field", options.tokenLimit?.rawValue),
          ("--judge-attempts", options.judgeAttempts.map { String($0) }),
        ]
      case .localModel: [("--judge-gguf", options.localModel)]
      }
    let flags = self == .endpoint && options.allowsOpenConnection ? ["--judge-allow-http"] : []
    return given.flatMap { option, value -> [String] in value.map { [option, $0] } ?? [] } + flags
  }

  /// Checks the options that go with it alone.
  /// - Parameter isAsked: Whether it is among the judges.
  /// - Throws: `ValidationError` for options without their judge, and a judge without its options; `RemoteError` and
  ///   `JudgeError` for values that cannot be.
  func validate(_ options: JudgeOptions, isAsked: Bool) throws {
    guard isAsked else {
      guard arguments(of: options).isEmpty else {
        let subject = self == .endpoint ? "Options of an endpoint are" : "--judge-gguf is"
        throw ValidationError("\(subject) given without --judge \(name).")
      }
      return
    }
    guard self == .endpoint else { return }
    guard let endpoint = options.endpoint else {
      throw ValidationError("--judge llm needs --judge-url, the endpoint's base such as https://host/v1.")
    }
    guard let model = options.judgeModel, !model.isEmpty else {
      throw ValidationError("--judge llm needs --judge-model, the model's name at the endpoint.")
    }
    _ = try ChatCompletionsTransport(base: endpoint)
    if let attempts = options.judgeAttempts { _ = try RetryPolicy(attempts: attempts) }
  }

  /// The judge. No model is loaded or asked yet.
  /// - Parameter judged: The file of the model whose replies are judged; nil where nothing says which one it was.
  /// - Throws: `RemoteError` for an endpoint that cannot be used, what is wrong with the file of a local model.
  func judge(
    _ options: JudgeOptions, judging judged: String?, console: Console
  ) async throws -> LanguageModelJudge {
    let budget = JudgeSpendingLimit(calls: options.judgeBudget)
    switch self {
    case .endpoint: return try Self.remote(options, budget: budget)
    case .localModel:
      guard let model = options.localModel ?? judged else {
        throw ValidationError(
          "--judge local-model needs --judge-gguf here: nothing says which model wrote these replies.")
      }
      return try await Self.local(model, budget: budget, console: console)
    }
  }

  private static func remote(
    _ options: JudgeOptions, budget: JudgeSpendingLimit
  ) throws -> LanguageModelJudge {
    let transport = try ChatCompletionsTransport(
      base: options.endpoint ?? "",
      key: try options.keyVariable.map { name throws(RemoteError) in try APIKey(variable: name) },
      tokenLimit: options.tokenLimit ?? .maxTokens, allowsOpenConnection: options.allowsOpenConnection)
    return LanguageModelJudge(
      model: options.judgeModel ?? "", transport: transport,
      retry: try options.judgeAttempts.map { attempts throws(JudgeError) in
        try RetryPolicy(attempts: attempts)
      } ?? RetryPolicy(),
      budget: budget)
  }

  /// A judge whose model is loaded at its first question, when the judged one is not needed any more or not at all.
  /// - Parameter model: As `--model` takes it.
  static func local(
    _ model: String, budget: JudgeSpendingLimit, console: Console
  ) async throws -> LanguageModelJudge {
    var options = try ModelOptions.parse(["--model", model])
    options.model = try await options.modelPath(console: console)
    // Now and not after an hour of generating; of a split model all parts.
    _ = try GGUFFile(path: options.model).parts()
    let file = URL(filePath: options.model)
    // The hash keeps apart the verdicts of different models with one name.
    let hash = try ModelIdentity(path: options.model).sha256.prefix(12)
    let found = options
    return LanguageModelJudge(
      model: "local/\(file.deletingPathExtension().lastPathComponent)@\(hash)",
      transport: DeferredModelTransport {
        try await ModelLoading.load(found, lanes: 1, console: console).chat
      },
      // Greedy decoding repeats itself.
      retry: .once, budget: budget)
  }
}
