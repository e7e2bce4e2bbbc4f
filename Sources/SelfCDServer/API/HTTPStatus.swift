import HTTPTypes

/// Statuses that the registry does not have.
enum HTTPStatus {
  /// For the log only: the client went away before it was answered (nginx's 499).
  static let clientClosedRequest = HTTPResponse.Status(code: 499, reasonPhrase: "Client Closed Request")
}
