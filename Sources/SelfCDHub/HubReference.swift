/// A model by name: `hf:OWNER/REPO[@REVISION][:QUANT]`, as llama.cpp's users know it from `-hf`.
public struct HubReference: Sendable, Hashable, CustomStringConvertible {
  /// What a reference begins with, so that it cannot be taken for a path.
  public static let prefix = "hf:"

  /// `OWNER/REPO`.
  public let repository: String
  /// A branch, tag or commit; llama.cpp's notation has none.
  public let revision: String?
  /// The quantisation asked for, in any case of letters, for example `Q8_0`.
  public let quantisation: String?

  /// Reads a reference.
  /// - Throws: ``HubError/invalidReference(text:reason:)``.
  public init(parsing text: String) throws(HubError) {
    guard text.hasPrefix(Self.prefix) else {
      throw .invalidReference(text: text, reason: "it does not begin with '\(Self.prefix)'")
    }
    var rest = text.dropFirst(Self.prefix.count)
    var quantisation: String?
    if let colon = rest.lastIndex(of: ":") {
      quantisation = String(rest[rest.index(after: colon)...])
      rest = rest[..<colon]
    }
    var revision: String?
    if let sign = rest.firstIndex(of: "@") {
      revision = String(rest[rest.index(after: sign)...])
      rest = rest[..<sign]
    }
    guard Self.isRepository(rest) else {
      throw .invalidReference(text: text, reason: "'\(rest)' is not OWNER/REPO")
    }
    if let quantisation, !Self.isQuantisation(quantisation) {
      throw .invalidReference(text: text, reason: "'\(quantisation)' cannot be a quantisation")
    }
    if let revision, !SafePath.isSafe(revision) {
      throw .invalidReference(text: text, reason: "'\(revision)' cannot be a revision")
    }
    repository = String(rest)
    self.revision = revision
    self.quantisation = quantisation
  }

  /// Whether a `--model` value is meant as a name.
  public static func isReference(_ text: String) -> Bool { text.hasPrefix(prefix) }

  /// The reference as it is written.
  public var description: String {
    Self.prefix + repository + (revision.map { "@" + $0 } ?? "") + (quantisation.map { ":" + $0 } ?? "")
  }

  /// The rule of llama.cpp's `is_valid_repo_id`: letters, digits and `_`, with single `.`, `-` and exactly one `/`
  /// between them.
  private static func isRepository(_ text: Substring) -> Bool {
    guard !text.isEmpty, text.utf8.count <= 256 else { return false }
    var slashes = 0
    var afterSpecial = true
    for character in text {
      if isWord(character) {
        afterSpecial = false
      } else if "/.-".contains(character), !afterSpecial {
        slashes += character == "/" ? 1 : 0
        afterSpecial = true
      } else {
        return false
      }
    }
    return !afterSpecial && slashes == 1
  }

  private static func isQuantisation(_ text: String) -> Bool {
    !text.isEmpty && text.allSatisfy { isWord($0) || $0 == "-" || $0 == "." }
  }

  private static func isWord(_ character: Character) -> Bool {
    character.isASCII && (character.isLetter || character.isNumber || character == "_")
  }
}

/// Paths that come from elsewhere and must stay below the folder they are put in.
enum SafePath {
  static func isSafe(_ path: String) -> Bool {
    let parts = path.split(separator: "/", omittingEmptySubsequences: false)
    return !path.isEmpty && path.utf8.count <= 1024
      && parts.allSatisfy { !$0.isEmpty && $0 != "." && $0 != ".." }
      && !path.unicodeScalars.contains { $0.value < 0x20 || $0.value == 0x7F || $0 == "\\" }
  }
}
