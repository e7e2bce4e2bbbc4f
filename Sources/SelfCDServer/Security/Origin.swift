/// Where a page or an app comes from, as browsers write it in `Origin`: `scheme://host[:port]`.
///
/// Apps and extensions have schemes of their own (`app://obsidian.md`, `chrome-extension://…`, `tauri://localhost`); an
/// exact match is as safe with these as with https. `null`, which any sandboxed page is, and patterns are none.
struct Origin: Hashable, Sendable {
  /// In lower case, without the port that goes without saying.
  let text: String

  /// - Returns: `nil` for what no browser sends as the origin of anything one would trust.
  init?(_ text: String) {
    let text = text.lowercased()
    guard let mark = text.range(of: "://") else { return nil }
    let scheme = text[..<mark.lowerBound]
    guard let first = scheme.first, first.isASCIILetter,
      scheme.allSatisfy({ $0.isASCIILetter || $0.isASCIIDigit || "+-.".contains($0) })
    else { return nil }
    let authority = text[mark.upperBound...]
    let hostEnd: String.Index
    if authority.first == "[" {
      guard let bracket = authority.firstIndex(of: "]") else { return nil }
      let inside = authority[authority.index(after: authority.startIndex)..<bracket]
      guard !inside.isEmpty, inside.allSatisfy({ $0.isHexDigit || ":.".contains($0) }) else { return nil }
      hostEnd = authority.index(after: bracket)
    } else {
      hostEnd = authority.firstIndex(of: ":") ?? authority.endIndex
      guard hostEnd > authority.startIndex,
        authority[..<hostEnd].allSatisfy({ $0.isASCIILetter || $0.isASCIIDigit || "-._~%".contains($0) })
      else { return nil }
    }
    var kept = text
    let rest = authority[hostEnd...]
    if !rest.isEmpty {
      let digits = rest.dropFirst()
      guard rest.first == ":", digits.allSatisfy(\.isASCIIDigit), let port = UInt16(digits), port > 0 else {
        return nil
      }
      if (scheme == "http" && port == 80) || (scheme == "https" && port == 443) {
        kept = String(text[..<hostEnd])
      }
    }
    self.text = kept
  }
}

extension Character {
  var isASCIIDigit: Bool { ("0"..."9").contains(self) }
  fileprivate var isASCIILetter: Bool { ("a"..."z").contains(self) }
}
