import Foundation

#if canImport(FoundationNetworking)
  import FoundationNetworking
#endif

/// Why a request got no whole answer. An answer with an unwelcome status is an answer.
public enum HTTPFailure: Error, Sendable, Hashable {
  /// The server was silent for too long, or the whole exchange took too long.
  case timedOut(host: String)
  /// No connection: nothing listening, a proxy that refuses.
  case unreachable(host: String, detail: String)
  /// The name of a host that has not answered before, or of its proxy, cannot be resolved. Most likely there is no such
  /// host.
  case unknownHost(host: String, detail: String)
  /// The server's certificate is not trusted, or there is no common protocol.
  case untrusted(host: String, detail: String)
  /// The answer ended before it was complete.
  case interrupted(host: String, detail: String)
  /// An answer of more bytes than the caller is ready for.
  case tooLarge(host: String, limit: Int)
  /// A redirection that must not be followed.
  case badRedirection(from: String, to: String, reason: String)

  /// Whether another attempt may succeed.
  public var isRetryable: Bool {
    switch self {
    case .timedOut, .unreachable, .interrupted: true
    case .unknownHost, .untrusted, .tooLarge, .badRedirection: false
    }
  }
}

extension HTTPFailure: CustomStringConvertible {
  /// What happened, for people.
  public var description: String {
    switch self {
    case .timedOut(let host): "\(host) did not answer in time"
    case .unreachable(let host, let detail), .unknownHost(let host, let detail):
      "\(host) cannot be reached: \(detail)"
    case .untrusted(let host, let detail):
      "\(host) is not trusted: \(detail). Behind a proxy that reads encrypted traffic, its certificate has to be "
        + "among the system's"
    case .interrupted(let host, let detail): "the connection to \(host) broke: \(detail)"
    case .tooLarge(let host, let limit): "the answer of \(host) is larger than \(limit) bytes"
    case .badRedirection(let from, let to, let reason): "\(from) redirects to '\(to)': \(reason)"
    }
  }

  /// The case for what the URL loading system reports.
  /// - Parameters:
  ///   - hadAnswer: Whether the answer had begun.
  ///   - isKnownHost: Whether the host has answered before. Its name exists, so where it cannot be resolved any more, the
  ///     connection is at fault, and that may pass.
  init(_ error: any Error, host: String, hadAnswer: Bool, isKnownHost: Bool) {
    let error = error as NSError
    let detail = Self.detail(of: error)
    // Linux reports most faults as code -1 with libcurl's text.
    if error.code == URLError.Code.timedOut.rawValue {
      self = .timedOut(host: host)
    } else if (-1206 ... -1200).contains(error.code) || detail.contains("SSL")
      || detail.contains("certificate")
    {
      self = .untrusted(host: host, detail: detail)
    } else if hadAnswer {
      self = .interrupted(host: host, detail: detail)
    } else if !isKnownHost, Self.isUnresolvedName(error, detail) {
      self = .unknownHost(host: host, detail: detail)
    } else {
      self = .unreachable(host: host, detail: detail)
    }
  }

  private static func isUnresolvedName(_ error: NSError, _ detail: String) -> Bool {
    let codes = [URLError.Code.cannotFindHost.rawValue, URLError.Code.dnsLookupFailed.rawValue]
    // "Could not resolve host: NAME", "Couldn't resolve host name", "Could not resolve proxy: NAME".
    return codes.contains(error.code) || ["not resolve", "n't resolve"].contains { detail.contains($0) }
  }

  private static func detail(of error: NSError) -> String {
    switch error.code {
    case URLError.Code.cannotFindHost.rawValue, URLError.Code.dnsLookupFailed.rawValue:
      "its name cannot be resolved"
    case URLError.Code.cannotConnectToHost.rawValue: "nothing answers there"
    case URLError.Code.networkConnectionLost.rawValue: "the connection was lost"
    default: error.localizedDescription
    }
  }
}
