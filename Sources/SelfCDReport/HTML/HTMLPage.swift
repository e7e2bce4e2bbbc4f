/// What every page of this module has: its sheets, a policy that allows them and nothing else, a header, a footer. One that
/// people work with may have a script besides.
struct HTMLPage {
  let title: String
  /// The sheets of style, the common one first.
  var sheets: [StaticString] = [Stylesheet.css]
  /// The page's own script, which the policy then allows, too.
  var script: StaticString?
  let header: Markup
  let main: Markup
  let footer: Markup

  /// The same parts give the same bytes.
  var html: String {
    Markup([.doctype, page]).html + "\n"
  }

  private var policy: String { Stylesheet.policy(for: sheets, script: script) }

  private var page: Markup {
    tag("html", ["lang": "en"]) {
      tag("head") {
        tag("meta", ["charset": "utf-8"])
        tag("meta", ["http-equiv": "Content-Security-Policy", "content": policy])
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
        if let script { Markup.script(script) }
      }
    }
  }
}
