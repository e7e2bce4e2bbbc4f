/// A file of a repository at one commit.
struct HubFile: Sendable, Hashable {
  /// The checksum the hub gives.
  enum Checksum: Sendable, Hashable {
    /// SHA-256 of the content: large files.
    case sha256(String)
    /// Git's name of the blob, SHA-1 of a header and the content: files that git keeps itself.
    case gitBlob(String)

    /// In hexadecimal; also the file's name among the cache's blobs.
    var hex: String {
      switch self {
      case .sha256(let hex), .gitBlob(let hex): hex
      }
    }
  }

  /// Its path in the repository.
  let path: String
  /// In bytes.
  let size: Int64
  /// What its content has to have.
  let checksum: Checksum
}

/// What a GGUF file's name says, by llama.cpp's conventions (`get_gguf_split_info`).
struct GGUFName: Hashable {
  /// The path without extension and part number.
  let stem: String
  /// The quantisation: what follows the last `-` or `.` of the stem, in capitals.
  let tag: String?
  /// Which part, from 1.
  let part: Int
  /// Of how many.
  let parts: Int

  /// Reads a path; nil if it is no GGUF file's.
  init?(_ path: String) {
    guard path.hasSuffix(".gguf") else { return nil }
    let whole = String(path.dropLast(5))
    let split = Self.split(whole) ?? (stem: whole, part: 1, parts: 1)
    (stem, part, parts) = (split.stem, split.part, split.parts)
    let name = stem.split(separator: "/").last ?? ""
    tag = name.lastIndex { $0 == "-" || $0 == "." }.flatMap { separator in
      let tail = name[name.index(after: separator)...]
      let isWord =
        !tail.isEmpty && tail.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
      return isWord ? tail.uppercased() : nil
    }
  }

  /// The path of another part of the same model.
  func path(part: Int) -> String {
    func five(_ number: Int) -> String {
      let digits = String(number)
      return String(repeating: "0", count: max(0, 5 - digits.count)) + digits
    }
    return parts == 1 ? stem + ".gguf" : "\(stem)-\(five(part))-of-\(five(parts)).gguf"
  }

  /// `NAME-00001-of-00003`.
  private static func split(_ text: String) -> (stem: String, part: Int, parts: Int)? {
    let ending = text.suffix(15)
    let pieces = ending.split(separator: "-", omittingEmptySubsequences: false)
    guard ending.count == 15, text.count > 15, pieces.count == 4, pieces[0].isEmpty, pieces[1].count == 5,
      pieces[2].lowercased() == "of", pieces[3].count == 5, let part = Int(pieces[1]),
      let parts = Int(pieces[3]), part >= 1, part <= parts
    else { return nil }
    return (String(text.dropLast(15)), part, parts)
  }
}
