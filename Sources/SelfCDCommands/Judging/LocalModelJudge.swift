import Foundation
import SelfCD
import SelfCDEval
import SelfCDJudges
import SelfCDLlama

/// `--judge local-model`: a GGUF model in this process as judge.
enum LocalModelJudge {
  /// A judge whose model is loaded at its first question, when the judged one is not needed any more or not at all.
  /// - Parameters:
  ///   - model: As `--model` takes it.
  ///   - budget: The most that all questions together may spend.
  /// - Throws: `ModelFileError` and its siblings for a model that cannot be read.
  static func make(model: String, budget: JudgeSpendingLimit, console: Console) async throws
    -> LanguageModelJudge
  {
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

/// Loads its model for the first request.
private actor DeferredModelTransport: ChatTransport {
  private let load: @Sendable () async throws -> ChatModel
  private var loading: Task<ChatModelTransport, any Error>?

  init(_ load: @escaping @Sendable () async throws -> ChatModel) {
    self.load = load
  }

  func send(_ request: ChatRequest) async throws(ChatTransportFailure) -> ChatResponse {
    let load = load
    let task = loading ?? Task { ChatModelTransport(try await load()) }
    loading = task
    let transport: ChatModelTransport
    do {
      transport = try await task.value
    } catch {
      throw ChatTransportFailure(detail: "\(error)", isRetryable: false)
    }
    return try await transport.send(request)
  }
}
