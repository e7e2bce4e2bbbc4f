/// What every page of this module has: its sheets, a policy that allows them and nothing else, a header, a footer.
struct HTMLPage {
  let title: String
  /// The sheets of style, the common one first.
  var sheets: [StaticString] = [Stylesheet.css]
  let header: Markup
  let main: Markup
  let footer: Markup

  /// The same parts give the same bytes.
  var html: String {
    Markup([.doctype, page]).html + "\n"
  }

  private var page: Markup {
    tag("html", ["lang": "en"]) {
      tag("head") {
        tag("meta", ["charset": "utf-8"])
        tag("meta", ["http-equiv": "Content-Security-Policy", "content": Stylesheet.policy(for: sheets)])
        tag("meta", ["name": "viewport", "content": "width=device-width, initial-scale=1"])
        tag("meta", ["name": "color-scheme", "content": "light dark"])
        tag("meta", ["name": "referrer", "content": "no-referrer"])
        tag("title") { title }
        Markup(sheets.map { Markup.styleSheet($0) })
      }
      tag("body") {
        header
        tag("main") { main }
        footer
      }
    }
  }
}
