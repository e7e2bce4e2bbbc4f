import Hummingbird

/// An error in the shape OpenAI's clients read: `{"error": {"message", "type", "param", "code"}}`.
public struct APIError: Error, Sendable, Encodable {
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

  public init(
    _ status: HTTPResponse.Status, type: String, message: String, param: String? = nil, code: String? = nil
  ) {
    self.status = status
    self.type = type
    self.message = message
    self.param = param
    self.code = code
  }

  private enum CodingKeys: String, CodingKey { case message, type, param, code }
}
