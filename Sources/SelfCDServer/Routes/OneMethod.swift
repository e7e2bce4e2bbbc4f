import HTTPTypes
import Hummingbird

extension RouterMethods where Context == ServerContext {
  /// Answers one method at `path`, and any other with 405, which says more than 404. What a POST sends has to be JSON;
  /// that is checked here, so that a wrong address is told before a wrong body.
  func only<Output: ResponseGenerator>(
    _ method: HTTPRequest.Method, _ path: RouterPath,
    _ handler: @Sendable @escaping (Request, ServerContext) async throws -> Output
  ) {
    on(path, method: method) { request, context in
      if method == .post { try RequestGuard.checkBody(of: request) }
      return try await handler(request, context)
    }
    // HEAD comes with GET.
    for other in [HTTPRequest.Method.get, .post, .put, .patch, .delete, .options, .head]
    where other != method && !(method == .get && other == .head) {
      on(path, method: other) { request, _ -> Response in
        throw APIError.methodNotAllowed(request.method, allowed: method)
      }
    }
  }
}
