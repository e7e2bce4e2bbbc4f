import SelfCDSupport

/// HTML or SVG that is well formed by construction.
///
/// Text and attribute values are escaped in one place, ``escape(_:)``; the names of elements and attributes are
/// literals of this module. So data can never open an element, end one, or become a script.
struct Markup: Sendable, Hashable {
  let html: String

  static let empty = Markup(html: "")

  private init(html: String) { self.html = html }

  /// One after the other.
  init(_ parts: [Markup]) { html = parts.map(\.html).joined() }

  /// Data as text.
  static func text(_ text: String) -> Markup { Markup(html: escape(text)) }

  /// The page's own style sheet, verbatim: inside `style` entities are not read, so it may only be a literal.
  static func styleSheet(_ literal: StaticString) -> Markup {
    Markup(html: "<style>\(literal)</style>")
  }

  /// The page's own script, verbatim, for the same reason a literal.
  static func script(_ literal: StaticString) -> Markup {
    Markup(html: "<script>\(literal)</script>")
  }

  static let doctype = Markup(html: "<!doctype html>\n")

  /// An element. Those that HTML defines as empty get no end.
  static func element(
    _ name: StaticString, _ attributes: KeyValuePairs<StaticString, String>, _ content: Markup
  ) -> Markup {
    var html = "<\(name)"
    for (key, value) in attributes { html += " \(key)=\"\(escape(value))\"" }
    html += ">"
    let isVoid = voidElements.contains("\(name)")
    return Markup(html: isVoid ? html : html + content.html + "</\(name)>")
  }

  private static let voidElements: Set<String> = ["meta", "br", "hr", "col", "input"]

  /// Text that means nothing but itself, between tags and inside quoted attributes alike. Controls, among them the
  /// bidirectional ones, become visible: see ``UntrustedText``.
  static func escape(_ text: String) -> String {
    var result = ""
    result.reserveCapacity(text.utf8.count)
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      case "'": result += "&#39;"
      default: result.unicodeScalars.append(UntrustedText.visible(scalar))
      }
    }
    return result
  }
}

/// An element with what stands inside it.
func tag(
  _ name: StaticString, _ attributes: KeyValuePairs<StaticString, String> = [:],
  @MarkupBuilder _ content: () -> Markup = { .empty }
) -> Markup {
  .element(name, attributes, content())
}

/// Lets markup be written as it is nested. Strings are text.
@resultBuilder
enum MarkupBuilder {
  static func buildExpression(_ markup: Markup) -> Markup { markup }
  static func buildExpression(_ text: String) -> Markup { .text(text) }
  static func buildBlock(_ parts: Markup...) -> Markup { Markup(parts) }
  static func buildOptional(_ markup: Markup?) -> Markup { markup ?? .empty }
  static func buildEither(first markup: Markup) -> Markup { markup }
  static func buildEither(second markup: Markup) -> Markup { markup }
  static func buildArray(_ parts: [Markup]) -> Markup { Markup(parts) }
}
