import Foundation

/// What is asked of a server.
public struct HTTPRequest: Sendable, Hashable {
  /// The methods this project needs.
  public enum Method: String, Sendable {
    /// Reads.
    case get = "GET"
    /// Sends a body.
    case post = "POST"
  }

  /// What to do.
  public var method: Method
  /// An `http` or `https` address.
  public var url: URL
  /// Header fields. `Authorization` never leaves the origin it was meant for.
  public var headers: [String: String]
  /// What is sent along.
  public var body: Data?
  /// The longest silence of the server, in seconds.
  public var idleTimeout: Double
  /// The longest duration of the whole exchange, in seconds; nil for no limit.
  public var totalTimeout: Double?

  /// Makes a request.
  public init(
    _ method: Method = .get, _ url: URL, headers: [String: String] = [:], body: Data? = nil,
    idleTimeout: Double = 60, totalTimeout: Double? = nil
  ) {
    self.method = method
    self.url = url
    self.headers = headers
    self.body = body
    self.idleTimeout = idleTimeout
    self.totalTimeout = totalTimeout
  }
}

/// The beginning of a server's answer.
public struct HTTPHead: Sendable, Hashable {
  /// The status code.
  public let status: Int
  /// Where the answer comes from, after redirections.
  public let url: URL
  private let fields: [String: String]

  /// Makes a head.
  public init(status: Int, url: URL, headers: [String: String] = [:]) {
    self.status = status
    self.url = url
    fields = Dictionary(headers.map { ($0.key.lowercased(), $0.value) }, uniquingKeysWith: { $1 })
  }

  /// A header field, whatever the case of its name.
  public subscript(name: String) -> String? { fields[name.lowercased()] }

  /// Whether the request succeeded.
  public var isSuccess: Bool { (200...299).contains(status) }

  /// The wait that `Retry-After` asks for, in seconds; given there as seconds or as a date (RFC 9110, 10.2.3).
  /// - Parameter now: The time a date is compared with.
  public func retryAfter(now: Date = Date()) -> Double? {
    guard let text = self["Retry-After"]?.trimmingCharacters(in: .whitespaces) else { return nil }
    if let seconds = Double(text) { return seconds.isFinite && seconds >= 0 ? seconds : nil }
    let formatter = DateFormatter()
    formatter.locale = Locale(identifier: "en_US_POSIX")
    formatter.timeZone = TimeZone(secondsFromGMT: 0)
    formatter.dateFormat = "EEE, dd MMM yyyy HH:mm:ss zzz"
    return formatter.date(from: text).map { max(0, $0.timeIntervalSince(now)) }
  }
}
