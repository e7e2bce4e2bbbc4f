import Foundation

/// Why an endpoint cannot be used at all. Each case says what, why and what to try.
public enum RemoteError: Error, Sendable, Hashable {
  /// An address that is none.
  case invalidAddress(String)
  /// The environment has no key.
  case missingKey(variable: String)
  /// The environment's key has characters that no key has.
  case unusableKey(variable: String)
  /// A key would be sent over an open connection to another machine.
  case keyOverOpenConnection(host: String)
  /// A time limit that cannot work, in seconds.
  case invalidTimeout(Double)
}

extension RemoteError: LocalizedError, CustomStringConvertible {
  /// A text for people: what, why, what to try.
  public var description: String {
    switch self {
    case .invalidAddress(let address):
      "'\(address)' is not the address of an endpoint. Give its base, for example https://host/v1."
    case .missingKey(let variable): "The environment variable \(variable) holds no key. Set it."
    case .unusableKey(let variable):
      "The key in \(variable) has spaces or special characters. Set it to the key alone."
    case .keyOverOpenConnection(let host):
      "\(host) is addressed with http, where others could read the key. Use https, or allow it if the network is "
        + "your own."
    case .invalidTimeout(let seconds): "A time limit of \(seconds) s cannot work. Give one greater than 0."
    }
  }

  /// The same text as `description`, for code that shows `localizedDescription`.
  public var errorDescription: String? { description }
}
