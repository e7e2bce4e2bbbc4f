import SelfCD

/// Puts chat requests to a model in this process, so that the model under test, or another one, can be the judge
/// where no reply may leave the machine.
public struct ChatModelTransport: ChatTransport {
  private let model: ChatModel

  /// Makes a transport to `model`; a request's `model` name is not looked at.
  public init(_ model: ChatModel) {
    self.model = model
  }

  /// Answers with the model as it is: no safety prompt, no contrast.
  /// - Throws: `ChatTransportFailure`; another attempt would give the same, so none is retryable.
  public func send(_ request: ChatRequest) async throws(ChatTransportFailure) -> ChatResponse {
    let chat = Chat(
      messages: request.messages.map { turn in
        switch turn.role {
        case .system: .system(turn.content)
        case .user: .user(turn.content)
        case .assistant: .assistant(turn.content)
        }
      })
    let options = GenerationOptions(
      sampling: SamplingParameters(temperature: Float(request.temperature)), maximumTokens: request.maxTokens)
    do {
      let reply = try await model.reply(to: chat, strategy: Plain(), options: options)
      let read = reply.summary.promptTokens.values.reduce(0, +)
      return ChatResponse(text: reply.text, tokens: read + reply.summary.generatedTokens)
    } catch {
      throw ChatTransportFailure(detail: "\(error)", isRetryable: false)
    }
  }
}

extension LanguageModelJudge {
  /// A model in this process as judge, with the rubric that endpoints get.
  /// - Parameters:
  ///   - model: The loaded model.
  ///   - name: What it is called in the run record; verdicts are cached under it, so it should tell files apart.
  ///   - rubric: What is asked.
  public static func local(
    _ model: ChatModel, name: String, rubric: JudgeRubric = JudgeRubric()
  ) -> LanguageModelJudge {
    LanguageModelJudge(
      model: "local/" + name, transport: ChatModelTransport(model), rubric: rubric,
      // Greedy decoding repeats itself.
      retry: .once)
  }
}
