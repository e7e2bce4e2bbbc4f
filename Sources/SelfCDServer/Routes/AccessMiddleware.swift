import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import Synchronization

/// Around every request: its scope, its errors in OpenAI's shape, its line in the log, its place in the
/// metrics.
struct AccessMiddleware: RouterMiddleware {
  let timeout: Duration
  let active: ActiveRequests
  let metrics: ServerMetrics
  let log: ServerLog
  let origins: Set<Origin>

  func handle(
    _ request: Request, context: ServerContext,
    next: (Request, ServerContext) async throws -> Response
  ) async throws -> Response {
    let start = ContinuousClock.now
    var context = context
    let channel = context.channel
    let waitsForLeave = request.headers[.expect]?.lowercased() == "100-continue"
    let scope = RequestScope(timeout: timeout, on: channel.eventLoop) {
      if waitsForLeave { ConnectionMonitor.inviteBody(channel) }
    }
    scope.startTimer()
    context.scope = scope
    scope.onEnd { [weak scope] cause in
      metrics.endedEarly(cause)
      guard cause != .disconnected, let scope else { return }
      ConnectionMonitor.closeBehindResponse(channel, scope)
    }
    ConnectionMonitor.watch(channel, scope)
    let number = active.add(scope)
    metrics.requestStarted()
    var response: Response
    do {
      // Health is told to the end, so that a load balancer learns that this server is going away.
      if active.isDraining, request.uri.path != StatusRoutes.healthPath {
        throw APIError.unavailable("The server is shutting down.", code: "shutting_down", retryAfter: 5)
      }
      response = try await next(request, context)
    } catch {
      response = failure(error, request).response
    }
    if active.isDraining { response.headers[.connection] = "close" }
    decorate(&response, for: request)
    // RFC 9110, 9.3.2: whatever the answer, a client would take a body for the next one.
    if request.method == .head { response = response.createHeadResponse() }
    let (status, path) = (response.status.code, Self.endpoint(of: context))
    let address = context.client.name
    let ended = Once { [method = request.method.rawValue] in
      active.remove(number)
      let seconds = start.duration(to: .now).seconds
      metrics.requestEnded(endpoint: path, status: status, seconds: seconds)
      let client = scope.clientName ?? address
      let cause = scope.cause.map { " (\($0))" } ?? ""
      log.debug("\(method) \(path) \(status) \(String(format: "%.3f", seconds)) s \(client)\(cause)")
    }
    guard response.body.contentLength == nil else {
      ended.run()
      return response
    }
    let body = response.body
    response.body = ResponseBody { writer in
      defer { ended.run() }
      try await body.write(writer)
    }
    return response
  }

  /// The route, for metrics and the log; one name for all that is none.
  private static func endpoint(of context: ServerContext) -> String {
    // Hummingbird's own word for what it has no route for.
    guard let path = context.endpointPath, path != "NotFound" else { return "other" }
    return path
  }

  private func failure(_ error: any Error, _ request: Request) -> APIError {
    switch error {
    case let error as APIError: return error
    case let error as FieldError: return APIError(error)
    case let error as HTTPError where error.status == .notFound:
      return .notFound(
        "There is nothing at \(request.method.rawValue) \(request.uri.path.prefix(120)). Chats go to POST "
          + "/v1/chat/completions, texts to POST /v1/completions; GET /v1/models lists the models.",
        code: "unknown_url")
    case let error as HTTPError:
      return APIError(
        error.status, type: "invalid_request_error", message: error.body ?? error.status.reasonPhrase)
    default:
      log.error("\(request.method.rawValue) \(request.uri.path.prefix(120)) failed: \(error)")
      return .fault
    }
  }

  private func decorate(_ response: inout Response, for request: Request) {
    response.headers[.xContentTypeOptions] = "nosniff"
    guard let text = request.headers[.origin], let origin = Origin(text), origins.contains(origin) else {
      return
    }
    // As the browser wrote it, since it compares letter by letter.
    response.headers[.accessControlAllowOrigin] = text
    response.headers[.vary] = "Origin"
  }
}

/// Something to be done once: when it is asked for, or when it is let go, since a body is never written to a client that
/// went away before its head was.
private final class Once: Sendable {
  private let isDone = Atomic(false)
  private let action: @Sendable () -> Void

  init(_ action: @escaping @Sendable () -> Void) { self.action = action }

  deinit { run() }

  func run() {
    if !isDone.exchange(true, ordering: .relaxed) { action() }
  }
}

/// The requests that are being answered, so that a shutdown can wait for them and then end them.
final class ActiveRequests: Sendable {
  private struct State {
    var next = 0
    var scopes: [Int: RequestScope] = [:]
    var isDraining = false
  }

  private let state = Mutex(State())

  var isDraining: Bool { state.withLock { $0.isDraining } }
  var count: Int { state.withLock { $0.scopes.count } }

  func add(_ scope: RequestScope) -> Int {
    state.withLock { state in
      state.next += 1
      state.scopes[state.next] = scope
      return state.next
    }
  }

  func remove(_ number: Int) { state.withLock { $0.scopes[number] = nil } }

  /// Takes no more requests, waits for those there are, and ends what is left after `grace`.
  ///
  /// - Returns: how many had to be ended.
  func drain(grace: Duration) async -> Int {
    state.withLock { $0.isDraining = true }
    let end = ContinuousClock.now + grace
    while count > 0, ContinuousClock.now < end {
      do { try await Task.sleep(for: .milliseconds(20)) } catch { break }
    }
    let left = state.withLock { Array($0.scopes.values) }
    for scope in left { scope.end(.shuttingDown) }
    return left.count
  }
}
