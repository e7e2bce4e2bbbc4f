import Hummingbird
import Synchronization

/// Whether a server that listens can answer: it has read its profiles and loaded its first model.
final class Readiness: Sendable {
  private let flag = Atomic(false)

  var isSet: Bool { flag.load(ordering: .acquiring) }

  func set() { flag.store(true, ordering: .releasing) }
}

/// Turns requests away until the server is ready.
struct ReadinessMiddleware: RouterMiddleware {
  let readiness: Readiness

  func handle(
    _ request: Request, context: ServerContext,
    next: (Request, ServerContext) async throws -> Response
  ) async throws -> Response {
    guard readiness.isSet else { throw APIError.loading }
    return try await next(request, context)
  }
}

extension APIError {
  /// The server was started just now: 503. Clients of llama.cpp's server know the first two words.
  static let loading = APIError.unavailable(
    "Loading model. Try again in a few seconds; GET /health says 'ok' once requests are answered.",
    code: "model_loading", retryAfter: 5)
}
