import Foundation

#if canImport(FoundationNetworking)
  import FoundationNetworking
#endif

/// Sends requests through the system's URL loading: its certificates, and the proxies that `http_proxy`,
/// `https_proxy` and `no_proxy` name.
///
/// Redirections are followed here and not by the system, because credentials must not go along to another origin.
public final class HTTPClient: Sendable {
  private static let mostRedirections = 10
  private let exchanges = ExchangeTable()
  private let session: URLSession

  /// Makes a client that keeps neither cookies nor a cache.
  public init() {
    let configuration = URLSessionConfiguration.ephemeral
    configuration.httpCookieStorage = nil
    configuration.urlCache = nil
    configuration.urlCredentialStorage = nil
    session = URLSession(configuration: configuration, delegate: exchanges, delegateQueue: nil)
  }

  deinit { session.invalidateAndCancel() }

  /// Sends a request and hands over the answer's body as it comes.
  ///
  /// The pieces arrive faster than a slow receiver takes them and wait in memory meanwhile: whoever reads a large
  /// file asks for ranges of it.
  /// - Parameters:
  ///   - request: What is asked. `GET` follows redirections; for `POST` they are answers like others.
  ///   - receive: Gets each piece, one at a time, never after this call has returned. What it throws ends the
  ///     exchange and is thrown here.
  /// - Returns: The answer's head, whatever its status.
  /// - Throws: ``HTTPFailure``, `CancellationError`, or what `receive` throws.
  public func stream(
    _ request: HTTPRequest, receive: @escaping @Sendable (HTTPHead, Data) throws -> Void
  ) async throws -> HTTPHead {
    var request = request
    for _ in 0...Self.mostRedirections {
      let follows = request.method == .get
      let head = try await exchange(request) { head, piece in
        if !(follows && Self.isRedirection(head)) { try receive(head, piece) }
      }
      guard follows, Self.isRedirection(head) else { return head }
      request = try Self.redirected(request, by: head)
    }
    throw HTTPFailure.badRedirection(
      from: request.url.host ?? "", to: request.url.shown,
      reason: "more than \(Self.mostRedirections) redirections")
  }

  /// Sends a request and collects the answer's body.
  /// - Parameters:
  ///   - request: What is asked.
  ///   - limit: The most bytes to collect.
  /// - Throws: ``HTTPFailure`` or `CancellationError`.
  public func data(_ request: HTTPRequest, limit: Int) async throws -> (head: HTTPHead, body: Data) {
    let collector = Collector(limit: limit)
    let head = try await stream(request) { head, piece in
      try collector.add(piece, host: head.url.host ?? "")
    }
    return (head, collector.bytes)
  }

  // MARK: - One exchange

  private func exchange(
    _ request: HTTPRequest, receive: @escaping @Sendable (HTTPHead, Data) throws -> Void
  ) async throws -> HTTPHead {
    try Task.checkCancellation()
    var native = URLRequest(url: request.url, timeoutInterval: request.idleTimeout)
    native.httpMethod = request.method.rawValue
    native.httpBody = request.body
    for (name, value) in request.headers { native.setValue(value, forHTTPHeaderField: name) }
    let task = session.dataTask(with: native)
    let host = request.url.host ?? request.url.shown
    exchanges.register(task.taskIdentifier, host: host, receive: receive)
    let deadline = request.totalTimeout.map { seconds in
      Deadline(after: seconds) { [exchanges] in
        exchanges.fail(task.taskIdentifier, with: HTTPFailure.timedOut(host: host))
        task.cancel()
      }
    }
    defer { deadline?.cancel() }
    return try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        exchanges.await(task.taskIdentifier, continuation)
        task.resume()
      }
    } onCancel: {
      exchanges.fail(task.taskIdentifier, with: CancellationError())
      task.cancel()
    }
  }

  // MARK: - Redirections

  private static func isRedirection(_ head: HTTPHead) -> Bool {
    [301, 302, 303, 307, 308].contains(head.status) && head["Location"] != nil
  }

  static func redirected(_ request: HTTPRequest, by head: HTTPHead) throws(HTTPFailure) -> HTTPRequest {
    let location = head["Location"] ?? ""
    let from = request.url.host ?? ""
    let shown = WebAddress.withoutUser(location)
    guard let target = URL(string: location, relativeTo: request.url),
      let url = WebAddress.checked(target.absoluteURL)
    else { throw .badRedirection(from: from, to: shown, reason: "that is not a web address") }
    guard url.scheme?.lowercased() == "https" || request.url.scheme?.lowercased() == "http" else {
      throw .badRedirection(from: from, to: shown, reason: "from an encrypted connection to an open one")
    }
    var next = request
    next.url = url
    if !sameOrigin(url, request.url) {
      next.headers = next.headers.filter { $0.key.lowercased() != "authorization" }
    }
    return next
  }

  private static func sameOrigin(_ one: URL, _ other: URL) -> Bool {
    func port(_ url: URL) -> Int { url.port ?? (url.scheme?.lowercased() == "https" ? 443 : 80) }
    return one.scheme?.lowercased() == other.scheme?.lowercased()
      && one.host?.lowercased() == other.host?.lowercased() && port(one) == port(other)
  }
}
