import SelfCD

/// Traces what flows to the beginning of an answer, for one chat in one lane.
public struct FlowTracer: Sendable {
  /// Looks into the model.
  public let inspector: any ModelInspector
  /// Turns chats into prompts, as the model that answers does.
  public let renderer: any PromptRenderer
  /// What tokens write.
  public let vocabulary: any Vocabulary

  /// Makes a tracer.
  public init(inspector: any ModelInspector, renderer: any PromptRenderer, vocabulary: any Vocabulary) {
    self.inspector = inspector
    self.renderer = renderer
    self.vocabulary = vocabulary
  }

  /// The flow to the last position of a lane's prompt, or of the answer begun behind it.
  ///
  /// - Parameters:
  ///   - chat: the chat as the lane shows it, safety emphasis included.
  ///   - asked: the question whose words are told apart, as it stands in the chat; nil for the user's whole last turn.
  ///   - begun: tokens of the answer that were said already. Models that begin refusals and answers alike decide
  ///     behind them.
  ///   - method: what is traced.
  /// - Throws: ``FlowError``, what the template and the inspector throw.
  public func trace(
    _ chat: Chat, asking asked: String? = nil, begun: [TokenID] = [],
    method: InformationFlow.Method = .informationFlow
  ) async throws -> InformationFlow {
    let question = asked ?? chat.lastQuestion
    let words = PromptWords(question)
    let tokens = try renderer.render(chat).tokens + begun
    guard
      let alignment = PromptAlignment(
        tokens: tokens.map(vocabulary.bytes), question: question, words: words.words.map { $0.start..<$0.end }
      )
    else { throw FlowError.questionNotFound }
    let texts = words.words.map(\.text)
    switch method {
    case .informationFlow:
      let saliency = try await inspector.saliency(of: nil, after: tokens)
      return InformationFlow(
        saliency, targetText: String(decoding: vocabulary.bytes(of: saliency.target), as: UTF8.self),
        alignment: alignment, words: texts)
    case .attention, .attentionRollout:
      return InformationFlow(
        try await inspector.attention(over: tokens), method: method, alignment: alignment, words: texts)
    }
  }
}

/// Why no flow could be traced.
public enum FlowError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The prompt does not hold the question word for word, so its tokens cannot be found.
  case questionNotFound
  /// A reply is shorter than the token that flow is to be traced to.
  case replyEnded(before: Int, tokens: Int)

  /// The error in words, with what to try.
  public var description: String {
    switch self {
    case .questionNotFound:
      """
      The model's chat template does not put the question into the prompt word for word, so its tokens cannot be told \
      from the template's. Give a template that does with --chat-template.
      """
    case .replyEnded(let step, let tokens):
      "The reply has \(tokens) tokens, so there is no token \(step) to trace. Trace an earlier one."
    }
  }
}
