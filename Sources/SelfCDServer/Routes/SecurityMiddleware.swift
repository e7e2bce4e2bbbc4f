import HTTPTypes
import Hummingbird
import Synchronization

/// Applies ``RequestGuard`` and answers preflight requests of allowed origins.
struct GuardMiddleware: RouterMiddleware {
  let requestGuard: RequestGuard

  func handle(
    _ request: Request, context: ServerContext,
    next: (Request, ServerContext) async throws -> Response
  ) async throws -> Response {
    try requestGuard.check(request)
    if request.method == .options, request.headers[.origin] != nil {
      // Libraries for browsers add fields of their own; no field of ours gives more rights than another.
      let asked = HTTPField.Name("Access-Control-Request-Headers").flatMap { request.headers[$0] }
      return Response(
        status: .noContent,
        headers: [
          .accessControlAllowMethods: "GET, POST",
          .accessControlAllowHeaders: asked ?? "Authorization, Content-Type",
          .accessControlMaxAge: "600",
        ])
    }
    return try await next(request, context)
  }
}

/// Asks for an API key where there are any, and counts the client's requests.
struct KeyMiddleware: RouterMiddleware {
  let keys: KeyRing
  let meter: ClientMeter
  let metrics: ServerMetrics
  /// What clients without keys get.
  let limits: ClientLimits

  func handle(
    _ request: Request, context: ServerContext,
    next: (Request, ServerContext) async throws -> Response
  ) async throws -> Response {
    var context = context
    context.client = try client(of: request, from: context.client.name)
    context.scope.clientName = context.client.name
    do {
      try meter.countRequest(of: context.client)
    } catch {
      metrics.rejected("client_limit")
      throw error
    }
    return try await next(request, context)
  }

  private func client(of request: Request, from address: String) throws(APIError) -> Client {
    let known = keys.keys
    guard !known.isEmpty else { return Client(name: address, limits: limits) }
    let field = request.headers[.authorization] ?? ""
    let parts = field.split(separator: " ", maxSplits: 1)
    guard parts.count == 2, parts[0].lowercased() == "bearer" else {
      throw APIError(
        .unauthorized, type: "authentication_error",
        message: "This server wants an API key: 'Authorization: Bearer KEY'.", code: "missing_api_key")
    }
    guard let key = known.key(for: String(parts[1])) else {
      metrics.rejected("bad_key")
      throw APIError(
        .unauthorized, type: "authentication_error", message: "The API key is not known here.",
        code: "invalid_api_key")
    }
    return Client(name: key.name, limits: key.limits)
  }
}

/// The keys in force; replaced as a whole when they are read anew.
final class KeyRing: Sendable {
  private let current: Mutex<APIKeys>

  init(_ keys: APIKeys) { current = Mutex(keys) }

  var keys: APIKeys { current.withLock { $0 } }

  func replace(with keys: APIKeys) { current.withLock { $0 = keys } }
}
