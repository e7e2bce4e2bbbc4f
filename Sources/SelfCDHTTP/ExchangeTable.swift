import Foundation
import Synchronization

#if canImport(FoundationNetworking)
  import FoundationNetworking
#endif

/// The exchanges in flight, by their task's number; what the URL loading system reports goes to the right one.
final class ExchangeTable: NSObject, URLSessionDataDelegate, Sendable {
  private struct Exchange {
    let host: String
    let receive: @Sendable (HTTPHead, Data) throws -> Void
    var head: HTTPHead?
    /// Decided here rather than by the loading system, so it goes before what that reports.
    var failure: (any Error)?
    var outcome: Result<HTTPHead, any Error>?
    var continuation: CheckedContinuation<HTTPHead, any Error>?
  }

  private let exchanges = Mutex<[Int: Exchange]>([:])
  /// Hosts that have answered.
  private let known = Mutex<Set<String>>([])

  func register(
    _ id: Int, host: String, receive: @escaping @Sendable (HTTPHead, Data) throws -> Void
  ) {
    exchanges.withLock { $0[id] = Exchange(host: host, receive: receive) }
  }

  /// Resumes `continuation` at the end, at once if that has come already: a task can be cancelled before it starts.
  func await(_ id: Int, _ continuation: CheckedContinuation<HTTPHead, any Error>) {
    let outcome = exchanges.withLock { exchanges in
      let outcome = exchanges[id]?.outcome
      exchanges[id]?.continuation = continuation
      if outcome != nil { exchanges[id] = nil }
      return outcome
    }
    if let outcome { continuation.resume(with: outcome) }
  }

  /// Notes why an exchange is about to be cancelled; the first reason counts.
  func fail(_ id: Int, with error: any Error) {
    exchanges.withLock { exchanges in
      if exchanges[id]?.failure == nil { exchanges[id]?.failure = error }
    }
  }

  // MARK: - URLSessionDataDelegate

  func urlSession(
    _ session: URLSession, task: URLSessionTask, willPerformHTTPRedirection response: HTTPURLResponse,
    newRequest request: URLRequest, completionHandler: @escaping @Sendable (URLRequest?) -> Void
  ) {
    completionHandler(nil)
  }

  func urlSession(
    _ session: URLSession, dataTask: URLSessionDataTask, didReceive response: URLResponse,
    completionHandler: @escaping @Sendable (URLSession.ResponseDisposition) -> Void
  ) {
    // Through a proxy's tunnel two heads arrive on Linux, the proxy's and the server's: the last one counts.
    if let response = response as? HTTPURLResponse, let url = response.url {
      let headers = response.allHeaderFields.reduce(into: [String: String]()) { result, field in
        result["\(field.key)"] = "\(field.value)"
      }
      let host = exchanges.withLock { exchanges in
        exchanges[dataTask.taskIdentifier]?.head = HTTPHead(
          status: response.statusCode, url: url, headers: headers)
        return exchanges[dataTask.taskIdentifier]?.host
      }
      if let host { known.withLock { _ = $0.insert(host) } }
    }
    completionHandler(.allow)
  }

  func urlSession(_ session: URLSession, dataTask: URLSessionDataTask, didReceive data: Data) {
    let id = dataTask.taskIdentifier
    guard let exchange = exchanges.withLock({ $0[id] }), exchange.failure == nil, let head = exchange.head
    else { return }
    do {
      try exchange.receive(head, data)
    } catch {
      fail(id, with: error)
      dataTask.cancel()
    }
  }

  func urlSession(_ session: URLSession, task: URLSessionTask, didCompleteWithError error: (any Error)?) {
    let id = task.taskIdentifier
    let (outcome, continuation) = exchanges.withLock { exchanges in
      guard let exchange = exchanges[id] else {
        return (nil as Result<HTTPHead, any Error>?, nil as CheckedContinuation<HTTPHead, any Error>?)
      }
      let outcome: Result<HTTPHead, any Error> =
        if let failure = exchange.failure {
          .failure(failure)
        } else if let error {
          .failure(
            HTTPFailure(
              error, host: exchange.host, hadAnswer: exchange.head != nil,
              isKnownHost: known.withLock { $0.contains(exchange.host) }))
        } else if let head = exchange.head {
          .success(head)
        } else {
          .failure(HTTPFailure.interrupted(host: exchange.host, detail: "there was no answer"))
        }
      exchanges[id] = exchange.continuation == nil ? exchange : nil
      exchanges[id]?.outcome = outcome
      return (outcome, exchange.continuation)
    }
    if let outcome { continuation?.resume(with: outcome) }
  }
}
