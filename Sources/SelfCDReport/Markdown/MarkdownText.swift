import SelfCDSupport

/// Text that means nothing but itself in Markdown, HTML inside Markdown included.
enum MarkdownText {
  /// In a line of prose or a table's cell: one line, with everything escaped that opens anything.
  static func inline(_ text: String) -> String {
    var result = ""
    var previous: Unicode.Scalar?
    let scalars = Array(UntrustedText.singleLine(text).unicodeScalars)
    for (index, scalar) in scalars.enumerated() {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\\", "`", "*", "_", "[", "]", "#", "|", "~", "$", "!": result += "\\\(scalar)"
      // Breaks `https://` and `www.`, which many renderers would turn into links.
      case ":" where index + 1 < scalars.count && scalars[index + 1] == "/": result += "\\:"
      case "." where previous == "w" || previous == "W": result += "\\."
      // An entity, since a renderer that knows of people would call them.
      case "@": result += "&#64;\u{2060}"
      default: result.unicodeScalars.append(scalar)
      }
      previous = scalar
    }
    return result
  }

  /// A text of several lines as a quotation. Nothing at the head of a line opens a list, a heading or a code block.
  static func quotation(_ text: String) -> String {
    text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
      let indent = line.prefix { $0 == " " || $0 == "\t" }
      let rest = line.dropFirst(indent.count)
      let isMarker = rest.first.map { "+-=".contains($0) } ?? false
      let number = rest.prefix { $0.isNumber && $0.isASCII }
      let isNumbered = !number.isEmpty && [".", ")"].contains(rest.dropFirst(number.count).first)
      let body =
        isNumbered
        ? number + "\\" + inline(String(rest.dropFirst(number.count)))
        : (isMarker ? "\\" : "") + inline(String(rest))
      return "> " + String(repeating: "\u{A0}", count: indent.count) + body
    }.joined(separator: "  \n")
  }
}
