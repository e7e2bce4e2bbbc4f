import SelfCDData

/// Carries one chat request to an OpenAI-compatible endpoint. Judges know this protocol and no network code.
public protocol ChatTransport: Sendable {
  /// Sends `request` once, without retries of its own.
  /// - Throws: `ChatTransportFailure` for anything an endpoint or the way to it can do wrong.
  func send(_ request: ChatRequest) async throws(ChatTransportFailure) -> ChatResponse
}

/// A request to a chat model.
public struct ChatRequest: Codable, Sendable, Hashable {
  /// The model's name at the endpoint.
  public var model: String
  /// The conversation.
  public var messages: [Sample.Turn]
  /// The sampling temperature; judges use 0.
  public var temperature: Double
  /// The most tokens to write.
  public var maxTokens: Int

  /// Makes a request.
  public init(model: String, messages: [Sample.Turn], temperature: Double, maxTokens: Int) {
    self.model = model
    self.messages = messages
    self.temperature = temperature
    self.maxTokens = maxTokens
  }
}

/// What a chat model answered.
public struct ChatResponse: Codable, Sendable, Hashable {
  /// The text.
  public var text: String
  /// Tokens read and written, where the endpoint says; else 0.
  public var tokens: Int

  /// Makes a response.
  public init(text: String, tokens: Int = 0) {
    self.text = text
    self.tokens = tokens
  }
}

/// Why a request got no answer.
public struct ChatTransportFailure: Error, Codable, Sendable, Hashable {
  /// The HTTP status; nil where there was no answer at all.
  public var status: Int?
  /// What happened, for people. Never contains keys.
  public var detail: String
  /// The wait the server asks for (`Retry-After`), in seconds.
  public var retryAfter: Double?
  /// Whether another attempt may succeed.
  public var isRetryable: Bool

  /// Makes a failure.
  /// - Parameters:
  ///   - status: The HTTP status; nil where there was no answer at all.
  ///   - detail: What happened, for people.
  ///   - retryAfter: The wait the server asks for, in seconds.
  ///   - isRetryable: Whether another attempt may succeed; without it, after an answer with a passing fault or no
  ///     answer at all.
  public init(status: Int? = nil, detail: String, retryAfter: Double? = nil, isRetryable: Bool? = nil) {
    self.status = status
    self.detail = detail
    self.retryAfter = retryAfter
    self.isRetryable = isRetryable ?? status.map(RetryPolicy.isRetryable) ?? true
  }
}
