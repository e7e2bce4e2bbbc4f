import Foundation

/// A secret of an endpoint's user. It is read from the environment, so that it stands neither in a command's
/// arguments nor in a file of settings, and it cannot be printed.
public struct APIKey: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  /// The environment variable it comes from.
  public let variable: String
  let secret: String

  /// Reads the key.
  /// - Throws: ``RemoteError/missingKey(variable:)`` for a variable that is unset or empty,
  ///   ``RemoteError/unusableKey(variable:)`` for one that cannot be a header's value.
  public init(
    variable: String, environment: [String: String] = ProcessInfo.processInfo.environment
  ) throws(RemoteError) {
    let text = environment[variable]?.trimmingCharacters(in: .whitespacesAndNewlines) ?? ""
    guard !text.isEmpty else { throw .missingKey(variable: variable) }
    guard text.unicodeScalars.allSatisfy({ (0x21...0x7E).contains($0.value) }) else {
      throw .unusableKey(variable: variable)
    }
    self.variable = variable
    secret = text
  }

  /// Where the key comes from, not the key.
  public var description: String { "the key in \(variable)" }
  /// The same as `description`.
  public var debugDescription: String { description }
  /// Hides the key from `dump`.
  public var customMirror: Mirror { Mirror(self, children: ["variable": variable]) }

  /// `text` without the key: servers quote it in their complaints.
  func removed(from text: String) -> String { text.replacing(secret, with: "[key]") }
}
