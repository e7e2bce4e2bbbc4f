import Hummingbird
import NIOCore
import SelfCDEval

/// Reads bodies within limits of size and time.
struct BodyReader: Sendable {
  let limit: Int
  let timeout: Duration

  /// - Throws: ``APIError`` (400, 408, 413).
  func object(_ request: Request, _ scope: RequestScope) async throws -> [String: JSONValue] {
    if let length = request.headers[.contentLength].flatMap(Int.init), length > limit { throw tooLarge }
    let buffer: ByteBuffer
    do {
      buffer = try await scope.run { [limit, timeout] in
        try await withThrowingTaskGroup(of: ByteBuffer?.self) { group in
          group.addTask { try await request.body.collect(upTo: limit) }
          group.addTask {
            try await Task.sleep(for: timeout)
            return nil
          }
          defer { group.cancelAll() }
          guard let first = try await group.next(), let buffer = first else { throw Self.tooSlow }
          return buffer
        }
      }
    } catch is NIOTooManyBytesError {
      throw tooLarge
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

  private static let tooSlow = APIError(
    .requestTimeout, type: "invalid_request_error", message: "The body did not arrive in time.",
    code: "body_too_slow", closesConnection: true)
}
