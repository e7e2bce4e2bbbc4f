import Hummingbird
import NIOCore
import SelfCDSupport

/// Reads bodies within limits of size and time.
struct BodyReader: Sendable {
  let limit: Int
  let timeout: Duration

  /// - Throws: ``APIError`` (400, 408, 413).
  func object(_ request: Request, _ scope: RequestScope) async throws -> [String: JSONValue] {
    if let length = request.headers[.contentLength].flatMap(Int.init), length > limit { throw tooLarge }
    scope.inviteBody()
    let buffer: ByteBuffer
    do {
      let alarm = scope.alarm(after: timeout, .bodyTooSlow)
      defer { alarm.cancel() }
      buffer = try await scope.run { [limit] in try await request.body.collect(upTo: limit) }
    } catch is NIOTooManyBytesError {
      throw tooLarge
    } catch let error as APIError {
      throw error
    } catch {
      // What is no chunk, for example.
      throw APIError.noHTTP
    }
    do {
      return try JSONDocument.object(buffer.readableBytesView)
    } catch {
      throw APIError(error)
    }
  }

  private var tooLarge: APIError {
    APIError(
      .contentTooLarge, type: "invalid_request_error",
      message: "The body is larger than the \(limit) bytes this server takes.", code: "body_too_large",
      closesConnection: true)
  }
}
