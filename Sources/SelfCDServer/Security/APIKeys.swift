import Crypto
import Foundation

/// Limits of one client, a minute; `nil` sets none.
public struct ClientLimits: Sendable, Hashable {
  /// Requests that the client may begin.
  public var requestsPerMinute: Int?
  /// Tokens of prompts and replies.
  public var tokensPerMinute: Int?
  /// Candidates reported in log-probabilities and explanations: what copying a model lives on.
  public var logProbabilitiesPerMinute: Int?

  /// Sets the limits that are named, each a minute; the others stay open.
  public init(
    requestsPerMinute: Int? = nil, tokensPerMinute: Int? = nil, logProbabilitiesPerMinute: Int? = nil
  ) {
    self.requestsPerMinute = requestsPerMinute
    self.tokensPerMinute = tokensPerMinute
    self.logProbabilitiesPerMinute = logProbabilitiesPerMinute
  }
}

/// The keys that clients may come with. Only their digests are kept, and nothing prints them.
public struct APIKeys: Sendable, CustomStringConvertible, CustomReflectable {
  struct Key: Sendable {
    let name: String
    let digest: SHA256Digest
    let limits: ClientLimits
  }

  let keys: [Key]

  /// Whether there is no key, so that whoever reaches the server may use it.
  public var isEmpty: Bool { keys.isEmpty }
  /// How many keys there are; never a key, a name or a digest.
  public var description: String { "\(keys.count) API keys" }
  /// What debuggers and `dump` see: the number of keys alone.
  public var customMirror: Mirror { Mirror(self, children: ["count": keys.count]) }

  /// A key shorter than this can be guessed.
  static let shortest = 16

  /// No keys: whoever reaches the server may use it.
  public init() { keys = [] }

  /// Keys from the text of a file or of an environment variable.
  ///
  /// One key a line, `NAME KEY`, or `KEY` alone; behind it may stand limits, as in `requests/min=60`,
  /// `tokens/min=…`, `logprobs/min=…`. Lines that begin with `#` are remarks.
  /// - Parameters:
  ///   - text: the lines; of a file, or of an environment variable.
  ///   - separatedBySemicolons: whether semicolons separate like line ends, for environment variables.
  ///   - limits: what holds where a line sets none.
  /// - Throws: ``KeyError``, which never quotes a key.
  public init(
    parsing text: String, limits: ClientLimits = ClientLimits(), separatedBySemicolons: Bool = false
  ) throws(KeyError) {
    var keys: [Key] = []
    for (index, line) in text.split(
      omittingEmptySubsequences: false,
      whereSeparator: { $0.isNewline || (separatedBySemicolons && $0 == ";") }
    )
    .enumerated() {
      let words = line.split(whereSeparator: \.isWhitespace).map(String.init)
      guard let first = words.first, !first.hasPrefix("#") else { continue }
      let plain = words.filter { !$0.contains("/min=") }
      var own = limits
      for word in words where word.contains("/min=") { try own.set(word, line: index + 1) }
      guard plain.count <= 2, let secret = plain.last else { throw .badLine(index + 1) }
      guard secret.utf8.count >= Self.shortest else { throw .tooShort(line: index + 1) }
      guard secret.unicodeScalars.allSatisfy({ (0x21...0x7E).contains($0.value) }) else {
        throw .badLine(index + 1)
      }
      let name = plain.count == 2 ? plain[0] : "key\(keys.count + 1)"
      guard !keys.contains(where: { $0.name == name }) else { throw .sameName(name, line: index + 1) }
      keys.append(Key(name: name, digest: SHA256.hash(data: Data(secret.utf8)), limits: own))
    }
    self.keys = keys
  }

  /// The key that `secret` is.
  ///
  /// Digests are compared in constant time (Crypto's `==` of digests), all of them whatever matches, so that
  /// the time taken tells nothing about the keys.
  func key(for secret: String) -> Key? {
    let digest = SHA256.hash(data: Data(secret.utf8))
    var found: Key?
    for key in keys where key.digest == digest { found = key }
    return found
  }
}

extension ClientLimits {
  fileprivate mutating func set(_ word: String, line: Int) throws(KeyError) {
    let parts = word.split(separator: "=", maxSplits: 1)
    guard parts.count == 2, let value = Int(parts[1]), value >= 1 else { throw .badLimit(line) }
    switch parts[0] {
    case "requests/min": requestsPerMinute = value
    case "tokens/min": tokensPerMinute = value
    case "logprobs/min": logProbabilitiesPerMinute = value
    default: throw .badLimit(line)
    }
  }
}

/// What is wrong with a list of keys. Names the line, never the key.
public enum KeyError: Error, Sendable, Equatable, CustomStringConvertible {
  /// A line, counted from 1, that is not a name and a key in printable ASCII.
  case badLine(Int)
  /// A line, counted from 1, with a limit that is unknown or not a whole number of 1 or more.
  case badLimit(Int)
  /// A line, counted from 1, whose key is short enough to be guessed.
  case tooShort(line: Int)
  /// A name that an earlier line has, and the line of the second one, counted from 1.
  case sameName(String, line: Int)

  /// The error in words; it quotes names, never keys.
  public var description: String {
    switch self {
    case .badLine(let line):
      "Line \(line) of the API keys is not 'NAME KEY' in printable ASCII, with limits such as requests/min=60 behind it."
    case .badLimit(let line):
      "Line \(line) of the API keys has a limit that is not requests/min=N, tokens/min=N or logprobs/min=N."
    case .tooShort(let line):
      "The API key in line \(line) is too short to be safe. Use \(APIKeys.shortest) characters or more."
    case .sameName(let name, let line): "Line \(line) of the API keys names '\(name)' a second time."
    }
  }
}
