import Foundation
import Hummingbird

/// Keeps browsers out that were sent by other pages. A page anywhere can make its visitor's browser talk to a
/// server on loopback; what gives it away is the `Host` it thinks it talks to (DNS rebinding), the `Origin`
/// it comes from, and that without asking first it cannot send `application/json`.
struct RequestGuard: Sendable {
  /// Names, without ports, that `Host` may be; empty allows all, for servers that require keys.
  let hosts: Set<String>
  /// Other origins whose pages may use the server, such as `https://chat.example`.
  let origins: Set<Origin>

  static let loopbackHosts: Set<String> = ["localhost", "127.0.0.1", "[::1]"]

  /// - Throws: ``APIError`` (403).
  func check(_ request: Request) throws(APIError) {
    let authority = request.head.authority ?? ""
    if !hosts.isEmpty {
      guard let host = Self.host(of: authority), hosts.contains(host) else {
        throw .notAllowed(
          "This server does not answer as '\(authority.prefix(80))'. Use one of its own names, or let the operator "
            + "allow this one (--allowed-host).", code: "host_not_allowed")
      }
    }
    if let origin = request.headers[.origin], !isAllowed(origin, authority: authority) {
      throw .notAllowed(
        "Pages of '\(origin.prefix(80))' may not use this server. Its operator can let them (--cors-origin).",
        code: "origin_not_allowed")
    }
  }

  /// Whether a body can be read, where one is.
  ///
  /// - Throws: ``APIError`` (415).
  static func checkBody(of request: Request) throws(APIError) {
    guard isJSON(request.headers[.contentType]) else {
      throw APIError(
        .unsupportedMediaType, type: "invalid_request_error",
        message: "The body must be JSON, sent with 'Content-Type: application/json'.",
        code: "unsupported_media_type")
    }
    if let coding = request.headers[.contentEncoding], coding.lowercased() != "identity" {
      var error = APIError(
        .unsupportedMediaType, type: "invalid_request_error",
        message: "The body is compressed ('Content-Encoding: \(coding.prefix(40))'). Send it as it is.",
        code: "unsupported_content_encoding")
      error.acceptsPlainBodiesOnly = true
      throw error
    }
  }

  /// Whether a page of that origin may use the server: its own pages, and those that are listed.
  func isAllowed(_ origin: String, authority: String) -> Bool {
    guard let origin = Origin(origin) else { return false }
    return origins.contains(origin) || origin == Origin("http://" + authority)
      || origin == Origin("https://" + authority)
  }

  /// The name in a `Host` field, without its port, in lower case.
  static func host(of authority: String) -> String? {
    let authority = authority.lowercased()
    let end: String.Index
    if authority.hasPrefix("[") {
      guard let bracket = authority.firstIndex(of: "]") else { return nil }
      end = authority.index(after: bracket)
    } else {
      end = authority.firstIndex(of: ":") ?? authority.endIndex
    }
    let rest = authority[end...]
    guard rest.isEmpty || (rest.first == ":" && rest.dropFirst().allSatisfy(\.isASCIIDigit)) else {
      return nil
    }
    return String(authority[..<end])
  }

  static func isJSON(_ contentType: String?) -> Bool {
    guard let type = contentType?.split(separator: ";").first else { return false }
    return type.trimmingCharacters(in: .whitespaces).lowercased() == "application/json"
  }
}
