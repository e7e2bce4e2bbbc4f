/// Reads a page as strictly as it was written, and says what is wrong with it.
struct MarkupChecker {
  private(set) var faults: [String] = []
  private(set) var elements: [String: Int] = [:]
  private(set) var attributes: [(element: String, name: String, value: String)] = []

  private static let void: Set<String> = ["meta", "br", "hr", "col", "input", "!doctype"]

  init(_ page: String) {
    var open: [String] = []
    var rest = page[...]
    while let start = rest.firstIndex(of: "<") {
      rest = rest[rest.index(after: start)...]
      guard let end = Self.end(of: rest) else {
        faults.append("a tag that never ends: \(rest.prefix(40))")
        return
      }
      let inside = rest[..<end]
      rest = rest[rest.index(after: end)...]
      if inside.hasPrefix("/") {
        let name = String(inside.dropFirst())
        if open.popLast() != name { faults.append("</\(name)> ends what is not open") }
        continue
      }
      let name = String(inside.prefix { !$0.isWhitespace }).lowercased()
      elements[name, default: 0] += 1
      read(inside.dropFirst(name.count), of: name)
      if !Self.void.contains(name) { open.append(name) }
    }
    if !open.isEmpty { faults.append("never ended: \(open)") }
  }

  /// A tag's end, not one inside a quoted value.
  private static func end(of text: Substring) -> Substring.Index? {
    var isQuoted = false
    for index in text.indices {
      if text[index] == "\"" { isQuoted.toggle() }
      if text[index] == ">", !isQuoted { return index }
    }
    return nil
  }

  private mutating func read(_ text: Substring, of element: String) {
    guard element != "!doctype" else { return }
    var rest = text
    while let first = rest.firstIndex(where: { !$0.isWhitespace }) {
      rest = rest[first...]
      let name = rest.prefix { $0 != "=" && !$0.isWhitespace }
      rest = rest.dropFirst(name.count)
      guard rest.hasPrefix("=\"") else {
        faults.append("<\(element)> has an attribute without quotes: \(name)")
        return
      }
      rest = rest.dropFirst(2)
      let value = rest.prefix { $0 != "\"" }
      rest = rest.dropFirst(value.count + 1)
      attributes.append((element, String(name), String(value)))
    }
  }
}
