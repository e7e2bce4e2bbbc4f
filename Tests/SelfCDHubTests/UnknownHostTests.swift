import Foundation
import Synchronization
import Testing

@testable import SelfCDHTTP
@testable import SelfCDHub

#if canImport(FoundationNetworking)
  import FoundationNetworking
#endif

/// Hosts whose names cannot be resolved.
@Suite struct UnknownHostTests {
  /// What the URL loading system reports, on Linux and elsewhere.
  private static let unresolved: [(code: Int, text: String)] = [
    (URLError.Code.cannotFindHost.rawValue, "Could not resolve host: hub.invalid"),
    (URLError.Code.dnsLookupFailed.rawValue, "The host name could not be found."),
    (-1, "Couldn't resolve host name"), (-1, "Could not resolve proxy: proxy.invalid"),
  ]

  private static func failure(
    _ code: Int, _ text: String = "", isKnownHost: Bool = false
  ) -> HTTPFailure {
    let error = NSError(domain: NSURLErrorDomain, code: code, userInfo: [NSLocalizedDescriptionKey: text])
    return HTTPFailure(error, host: "hub.invalid", hadAnswer: false, isKnownHost: isKnownHost)
  }

  /// Fetches through a transport that always fails in this way.
  private static func attempts(
    _ failure: HTTPFailure
  ) async throws -> (count: Int, waits: [Double], error: HubError?) {
    let count = Mutex(0)
    let waits = Mutex<[Double]>([])
    let download = FileDownload(client: HTTPClient(), pauses: [1, 2, 4], piece: 1) { seconds in
      waits.withLock { $0.append(seconds) }
    }
    let fail = { @Sendable () async throws in
      count.withLock { $0 += 1 }
      throw failure
    }
    let error = await #expect(throws: HubError.self) { try await download.repeating({ _ in }, fail) }
    return (count.withLock { $0 }, waits.withLock { $0 }, error)
  }

  @Test func areGivenUpAtOnce() async throws {
    for (code, text) in Self.unresolved {
      let failure = Self.failure(code, text)
      guard case .unknownHost("hub.invalid", _) = failure else {
        Issue.record("\(code) '\(text)' became \(failure)")
        continue
      }
      let (count, waits, error) = try await Self.attempts(failure)
      #expect(count == 1 && waits.isEmpty)
      guard case .network(let detail, received: 0) = error else {
        Issue.record("\(String(describing: error))")
        continue
      }
      #expect(detail.hasPrefix("hub.invalid cannot be reached: "))
    }
  }

  /// A connection that is lost takes the resolver along.
  @Test func areAskedAgainWhereTheyHaveAnsweredBefore() async throws {
    for (code, text) in Self.unresolved {
      let failure = Self.failure(code, text, isKnownHost: true)
      guard case .unreachable = failure else {
        Issue.record("\(code) '\(text)' became \(failure)")
        continue
      }
      let (count, waits, _) = try await Self.attempts(failure)
      #expect(count == 4 && waits == [1, 2, 4])
    }
  }

  @Test func otherFailuresPass() async throws {
    let passing = [
      Self.failure(URLError.Code.cannotConnectToHost.rawValue), Self.failure(URLError.Code.timedOut.rawValue),
      Self.failure(-1, "Failed to connect to hub.invalid port 443: No route to host"),
    ]
    for failure in passing {
      #expect(failure.isRetryable)
      let (count, waits, _) = try await Self.attempts(failure)
      #expect(count == 4 && waits == [1, 2, 4], "\(failure)")
    }
  }
}
