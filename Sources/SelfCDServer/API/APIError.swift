import Foundation
import Hummingbird

/// An error in the shape OpenAI's clients read: `{"error": {"message", "type", "param", "code"}}`.
public struct APIError: Error, Sendable, Hashable, Encodable {
  /// What the response's status line says.
  public let status: HTTPResponse.Status
  /// What is wrong, why, and what to try.
  public let message: String
  /// The class of the error, such as `invalid_request_error`.
  public let type: String
  /// The field of the request that is at fault, if one is.
  public let param: String?
  /// A short name for programs, such as `unsupported_parameter`.
  public let code: String?
  /// Seconds after which another attempt may succeed; becomes `Retry-After`.
  public var retryAfter: Int?
  /// Ends the connection behind the response, because what the client sends next cannot be trusted or waited
  /// for.
  public var closesConnection = false
  /// The method that the address is for; becomes `Allow`.
  var allowed: HTTPRequest.Method?
  /// That bodies are read uncompressed; becomes `Accept-Encoding` (RFC 9110, 15.5.16).
  var acceptsPlainBodiesOnly = false

  /// Makes an error; what clients read is the same whatever goes wrong.
  ///
  /// - Parameters:
  ///   - status: what the response's status line says.
  ///   - type: the class of the error.
  ///   - message: what is wrong, why, and what to try.
  ///   - param: the field at fault.
  ///   - code: a short name for programs.
  ///   - retryAfter: seconds after which another attempt may succeed.
  ///   - closesConnection: whether the connection ends behind the response.
  public init(
    _ status: HTTPResponse.Status, type: String, message: String, param: String? = nil, code: String? = nil,
    retryAfter: Int? = nil, closesConnection: Bool = false
  ) {
    self.status = status
    self.type = type
    self.message = message
    self.param = param
    self.code = code
    self.retryAfter = retryAfter
    self.closesConnection = closesConnection
  }

  private enum CodingKeys: String, CodingKey { case message, type, param, code }

  /// Clients read all four keys, so absent ones are `null`.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(message, forKey: .message)
    try container.encode(type, forKey: .type)
    try container.encode(param, forKey: .param)
    try container.encode(code, forKey: .code)
  }
}

// MARK: - The errors there are

extension APIError {
  /// A request that is wrong in itself: 400.
  static func invalid(_ message: String, param: String? = nil, code: String? = nil) -> APIError {
    APIError(.badRequest, type: "invalid_request_error", message: message, param: param, code: code)
  }

  /// What the HTTP parser refuses: 400. What would follow cannot be told from it.
  static let noHTTP = APIError(
    .badRequest, type: "invalid_request_error",
    message: "This is no HTTP/1.1 request, or its head is too large.", code: "bad_http",
    closesConnection: true)

  /// A known address with another method: 405.
  static func methodNotAllowed(_ method: HTTPRequest.Method, allowed: HTTPRequest.Method) -> APIError {
    var error = APIError(
      .methodNotAllowed, type: "invalid_request_error",
      message: "\(method.rawValue) is not for this address; \(allowed.rawValue) is.",
      code: "method_not_allowed")
    error.allowed = allowed
    return error
  }

  /// A field that means something this server does not do: 400, by name, so that nothing is silently ignored.
  static func unsupported(_ param: String, _ reason: String) -> APIError {
    invalid("'\(param)' is not supported: \(reason)", param: param, code: "unsupported_parameter")
  }

  /// A prompt, or a prompt with its reply, that the model cannot hold: 400.
  ///
  /// - Parameter however: what does not fit. The words before it are OpenAI's: clients recognise the error by them.
  static func contextExceeded(_ context: Int, _ however: String, param: String) -> APIError {
    invalid(
      "This model's maximum context length is \(context) tokens. However, \(however)", param: param,
      code: "context_length_exceeded")
  }

  /// Something the operator does not allow: 403.
  static func notAllowed(_ message: String, param: String? = nil, code: String) -> APIError {
    APIError(.forbidden, type: "permission_error", message: message, param: param, code: code)
  }

  static func notFound(_ message: String, param: String? = nil, code: String) -> APIError {
    APIError(.notFound, type: "invalid_request_error", message: message, param: param, code: code)
  }

  /// More than a limit over time allows: 429.
  static func rateLimited(_ message: String, code: String, retryAfter: Int) -> APIError {
    APIError(
      .tooManyRequests, type: "rate_limit_error", message: message, code: code, retryAfter: max(1, retryAfter)
    )
  }

  /// Not now: 503.
  static func unavailable(_ message: String, code: String, retryAfter: Int? = nil) -> APIError {
    APIError(
      .serviceUnavailable, type: "server_error", message: message, code: code, retryAfter: retryAfter)
  }

  /// A fault of ours. What happened goes to the log, not to the client.
  static let fault = APIError(
    .internalServerError, type: "server_error", message: "The server failed to answer this request.",
    code: "internal_error")
}

// MARK: - As a response

extension APIError: HTTPResponseError {
  private struct Envelope: Encodable { let error: APIError }

  /// The body, `{"error": {…}}`.
  var json: ByteBuffer { ByteBuffer(bytes: APIJSON.data(Envelope(error: self))) }

  /// The error as Hummingbird sends it: status, headers such as `Retry-After`, and the JSON body.
  public func response(from request: Request, context: some RequestContext) -> Response { response }

  var response: Response {
    var headers: HTTPFields = [.contentType: APIJSON.contentType]
    if let retryAfter { headers[.retryAfter] = String(retryAfter) }
    if status == .unauthorized { headers[.wwwAuthenticate] = "Bearer" }
    if let allowed { headers[.allow] = allowed.rawValue }
    if acceptsPlainBodiesOnly { headers[.acceptEncoding] = "identity" }
    if closesConnection { headers[.connection] = "close" }
    return Response(status: status, headers: headers, body: ResponseBody(byteBuffer: json))
  }
}
