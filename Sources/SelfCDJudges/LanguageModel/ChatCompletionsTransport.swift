import Foundation
import SelfCDHTTP

/// Carries chat requests to any server with the chat-completions interface: OpenAI, vLLM, llama-server, ollama.
///
/// One call is one request; repeating, budget and caching are the judge's.
public struct ChatCompletionsTransport: ChatTransport {
  /// The field that limits an answer's length; newer models of OpenAI refuse the older one.
  public enum TokenLimit: String, Codable, Sendable, CaseIterable {
    /// What all servers know.
    case maxTokens = "max_tokens"
    /// What OpenAI's reasoning models want; it counts their reasoning.
    case maxCompletionTokens = "max_completion_tokens"
  }

  private static let largestAnswer = 8 << 20
  /// The address requests go to.
  public let url: URL
  private let key: APIKey?
  private let timeout: Double
  private let tokenLimit: TokenLimit
  private let client = HTTPClient()

  /// Makes a transport.
  /// - Parameters:
  ///   - base: The endpoint's base address, as other clients take it: `https://host/v1`.
  ///   - key: The user's key; nil for servers without.
  ///   - timeout: The longest duration of a call, in seconds.
  ///   - tokenLimit: The field that limits an answer's length.
  ///   - allowsOpenConnection: Whether a key may go over `http` to another machine.
  /// - Throws: ``RemoteError``.
  public init(
    base: String, key: APIKey? = nil, timeout: Double = 120, tokenLimit: TokenLimit = .maxTokens,
    allowsOpenConnection: Bool = false
  ) throws(RemoteError) {
    var text = base.trimmingCharacters(in: .whitespaces)
    while text.hasSuffix("/") { text.removeLast() }
    if !text.hasSuffix("/chat/completions") { text += "/chat/completions" }
    guard let url = URL(string: text), let scheme = url.scheme?.lowercased(), let host = url.host,
      ["http", "https"].contains(scheme), url.user == nil, url.query == nil
    else { throw .invalidAddress(base) }
    let isLocal = ["localhost", "127.0.0.1", "::1", "[::1]"].contains(host.lowercased())
    guard key == nil || scheme == "https" || isLocal || allowsOpenConnection else {
      throw .keyOverOpenConnection(host: host)
    }
    guard timeout > 0, timeout.isFinite else { throw .invalidTimeout(timeout) }
    self.url = url
    self.key = key
    self.timeout = timeout
    self.tokenLimit = tokenLimit
  }

  /// Sends `request` once.
  /// - Throws: `ChatTransportFailure`. A malformed answer counts as a passing fault: gateways make them under load.
  public func send(_ request: ChatRequest) async throws(ChatTransportFailure) -> ChatResponse {
    let (head, body) = try await exchange(try post(request))
    guard head.isSuccess else {
      throw ChatTransportFailure(
        status: head.status, detail: shown(Self.complaint(head, body)), retryAfter: head.retryAfter())
    }
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    guard let answer = try? decoder.decode(Answer.self, from: body) else {
      throw ChatTransportFailure(detail: "the answer is not a chat completion: \(shown(Self.excerpt(body)))")
    }
    guard let text = answer.choices.first?.message.text else {
      throw ChatTransportFailure(detail: "the answer has no text")
    }
    return ChatResponse(text: text, tokens: answer.usage?.totalTokens ?? 0)
  }

  // MARK: - Request

  private func post(_ request: ChatRequest) throws(ChatTransportFailure) -> HTTPRequest {
    var headers = ["Content-Type": "application/json", "Accept": "application/json", "User-Agent": "selfcd"]
    if let key { headers["Authorization"] = "Bearer \(key.secret)" }
    do {
      let body = try JSONEncoder().encode(Body(request: request, limit: tokenLimit))
      return HTTPRequest(
        .post, url, headers: headers, body: body, idleTimeout: timeout, totalTimeout: timeout)
    } catch {
      throw ChatTransportFailure(detail: "the request cannot be written: \(error)", isRetryable: false)
    }
  }

  private func exchange(
    _ request: HTTPRequest
  ) async throws(ChatTransportFailure) -> (head: HTTPHead, body: Data) {
    do {
      return try await client.data(request, limit: Self.largestAnswer)
    } catch let failure as HTTPFailure {
      throw ChatTransportFailure(detail: shown(failure.description), isRetryable: failure.isRetryable)
    } catch {
      throw ChatTransportFailure(detail: "cancelled", isRetryable: false)
    }
  }

  private struct Body: Encodable {
    private enum Key: String, CodingKey {
      case model
      case messages
      case temperature
      case maxTokens = "max_tokens"
      case maxCompletionTokens = "max_completion_tokens"
    }

    let request: ChatRequest
    let limit: TokenLimit

    func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: Key.self)
      try container.encode(request.model, forKey: .model)
      try container.encode(request.messages, forKey: .messages)
      try container.encode(request.temperature, forKey: .temperature)
      try container.encode(
        request.maxTokens, forKey: limit == .maxTokens ? .maxTokens : .maxCompletionTokens)
    }
  }

  // MARK: - Answer

  private struct Answer: Decodable {
    struct Choice: Decodable {
      let message: Message
    }
    struct Message: Decodable {
      let content: String?
      let refusal: String?
      /// OpenAI puts a model's refusal to answer beside the content; to a judge it is an unreadable answer.
      var text: String? { content ?? refusal }
    }
    struct Usage: Decodable {
      let totalTokens: Int?
    }
    let choices: [Choice]
    let usage: Usage?
  }

  private static func complaint(_ head: HTTPHead, _ body: Data) -> String {
    struct Wrapped: Decodable {
      struct Inner: Decodable { let message: String }
      let error: Inner
    }
    struct Flat: Decodable { let message: String }
    let decoder = JSONDecoder()
    let text =
      (try? decoder.decode(Wrapped.self, from: body))?.error.message
      ?? (try? decoder.decode(Flat.self, from: body))?.message ?? excerpt(body)
    if (300...399).contains(head.status), let place = head["Location"] {
      return "status \(head.status): the endpoint has moved to \(place)"
    }
    return text.isEmpty ? "status \(head.status)" : "status \(head.status): \(text)"
  }

  private static func excerpt(_ body: Data) -> String {
    String(decoding: body.prefix(2000), as: UTF8.self).split(whereSeparator: \.isWhitespace).joined(
      separator: " ")
  }

  private func shown(_ text: String) -> String {
    // Removed before it is cut, or half a key could stay.
    String((key?.removed(from: text) ?? text).prefix(300))
  }
}
