import Foundation

/// Web addresses: as settings give them, and as they may be shown.
package enum WebAddress {
  /// The address that a text is, where requests can be sent to it: `http` or `https`, in any case of letters, and a
  /// host.
  package static func url(_ text: String) -> URL? { URL(string: text).flatMap(checked) }

  /// An address to which requests can be sent; nil for any other.
  package static func checked(_ url: URL) -> URL? {
    let isWeb = ["http", "https"].contains(url.scheme?.lowercased() ?? "")
    return isWeb && !(url.host ?? "").isEmpty ? url : nil
  }

  /// A text without the user name, password or token that stands before the host of the address in it.
  ///
  /// A text that is no address may still be meant as one, so there everything goes up to the last `@`.
  package static func withoutUser(_ text: String) -> String {
    let start = text.range(of: "://")?.upperBound ?? text.startIndex
    var end = text.endIndex
    if url(text) != nil { end = text[start...].firstIndex(where: { "/?#".contains($0) }) ?? end }
    guard let sign = text[start..<end].lastIndex(of: "@") else { return text }
    return String(text[..<start]) + text[text.index(after: sign)...]
  }
}

extension URL {
  /// The address as errors show it: without a user name, password or token.
  package var shown: String { WebAddress.withoutUser(absoluteString) }
}
