import NIOCore
import Synchronization

/// The life of one request: what ends it early, and who has to be told.
///
/// The first cause counts. Work that runs in ``run(_:)`` is cancelled by it; a stream that is being written
/// registers with ``onEnd(_:)``.
final class RequestScope: Sendable {
  enum Cause: Sendable {
    /// The client is gone.
    case disconnected
    /// The body did not arrive in time.
    case bodyTooSlow
    /// The request took longer than the server allows.
    case timedOut
    /// The server stops, and its grace is over.
    case shuttingDown
  }

  private struct State {
    var cause: Cause?
    var isComplete = false
    var handlers: [Int: @Sendable (Cause) -> Void] = [:]
    var nextHandler = 0
  }

  private let state = Mutex(State())
  private let timeout: Duration
  private let client = Mutex<String?>(nil)
  private let eventLoop: any EventLoop
  private let timer = Mutex<Alarm?>(nil)
  /// To be called before its body is read: a client may wait for leave to send it.
  let inviteBody: @Sendable () -> Void

  /// A life without an end, until ``startTimer()``.
  init(timeout: Duration, on eventLoop: any EventLoop, inviteBody: @escaping @Sendable () -> Void = {}) {
    self.timeout = timeout
    self.eventLoop = eventLoop
    self.inviteBody = inviteBody
  }

  deinit { timer.withLock { $0?.cancel() } }

  /// Ends the request when it takes longer than its timeout.
  func startTimer() {
    let alarm = alarm(after: timeout, .timedOut)
    timer.withLock { $0 = alarm }
  }

  /// Ends the request for `cause` unless the alarm is cancelled before.
  func alarm(after delay: Duration, _ cause: Cause) -> Alarm {
    alarm(after: delay) { [weak self] in self?.end(cause) }
  }

  /// Does `action` unless the alarm is cancelled before.
  func alarm(after delay: Duration, _ action: @escaping @Sendable () -> Void) -> Alarm {
    Alarm(after: delay, on: eventLoop, action)
  }

  /// Does `action` again and again until that is cancelled.
  func every(_ interval: Duration, _ action: @escaping @Sendable () -> Void) -> Metronome {
    Metronome(every: interval, on: eventLoop, action)
  }

  /// Whose request it is, once its key is known; for the log.
  var clientName: String? {
    get { client.withLock { $0 } }
    set { client.withLock { $0 = newValue } }
  }

  var cause: Cause? { state.withLock { $0.cause } }

  func end(_ cause: Cause) {
    let handlers = state.withLock { state -> [@Sendable (Cause) -> Void] in
      guard state.cause == nil, !state.isComplete else { return [] }
      state.cause = cause
      defer { state.handlers = [:] }
      return Array(state.handlers.values)
    }
    for handler in handlers { handler(cause) }
  }

  /// Its response was sent, or there is nobody to send it to: nothing can end it early any more.
  func complete() {
    timer.withLock { $0?.cancel() }
    state.withLock { state in
      state.isComplete = true
      state.handlers = [:]
    }
  }

  /// Calls `handler` when the request ends early, at once if it already has.
  ///
  /// - Returns: what takes the handler back.
  @discardableResult
  func onEnd(_ handler: @escaping @Sendable (Cause) -> Void) -> @Sendable () -> Void {
    let (cause, number) = state.withLock { state -> (Cause?, Int) in
      if let cause = state.cause { return (cause, 0) }
      state.nextHandler += 1
      state.handlers[state.nextHandler] = handler
      return (nil, state.nextHandler)
    }
    if let cause {
      handler(cause)
      return {}
    }
    return { [weak self] in self?.state.withLock { $0.handlers[number] = nil } }
  }

  /// Runs `body` until it is done or the request ends early.
  ///
  /// - Throws: what `body` throws; ``APIError`` for the cause, if there is one.
  func run<Value: Sendable>(_ body: @escaping @Sendable () async throws -> Value) async throws -> Value {
    let task = Task { try await body() }
    let takeBack = onEnd { _ in task.cancel() }
    defer { takeBack() }
    do {
      return try await withTaskCancellationHandler {
        try await task.value
      } onCancel: {
        task.cancel()
      }
    } catch {
      throw cause.map { APIError(cause: $0, timeout: timeout) } ?? error
    }
  }

  /// What a client that still listens is told.
  func error(for cause: Cause) -> APIError { APIError(cause: cause, timeout: timeout) }
}

extension APIError {
  fileprivate init(cause: RequestScope.Cause, timeout: Duration) {
    switch cause {
    case .disconnected:
      // Nobody reads it; it is what the log shows.
      self.init(
        HTTPStatus.clientClosedRequest, type: "invalid_request_error",
        message: "The client closed the connection.",
        code: "client_closed_request", closesConnection: true)
    case .bodyTooSlow:
      self.init(
        .requestTimeout, type: "invalid_request_error", message: "The body did not arrive in time.",
        code: "body_too_slow", closesConnection: true)
    case .timedOut:
      self.init(
        .gatewayTimeout, type: "server_error",
        message:
          "The request took longer than \(Int(timeout.seconds.rounded(.up))) s. Ask for fewer tokens, or stream.",
        code: "timeout", closesConnection: true)
    case .shuttingDown:
      self.init(
        .serviceUnavailable, type: "server_error", message: "The server is shutting down.",
        code: "shutting_down", retryAfter: 5, closesConnection: true)
    }
  }
}
