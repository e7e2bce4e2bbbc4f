import SelfCDExplain
import SelfCDSupport

/// An explanation as one self-contained HTML page: no script, no request to anywhere, readable without colour.
public enum ExplanationHTML {
  /// Renders a page; the same data gives the same bytes.
  public static func render(_ page: ExplanationPage) -> String {
    let sections = ExplanationSections(page: page)
    return HTMLPage(
      title: "\(ExplanationProse(page.explanation).title) \(Self.short(page.explanation.question))",
      sheets: [Stylesheet.css, ExplanationStylesheet.css],
      header: header(page, sections), main: sections.markup, footer: footer(page)
    ).html
  }

  private static func header(_ page: ExplanationPage, _ sections: ExplanationSections) -> Markup {
    tag("header") {
      tag("h1") { ExplanationProse(page.explanation).title }
      tag("p", ["class": "mute"]) {
        UntrustedText.singleLine(ExplanationWording.modelName(page.explanation.model.name))
        " · "
        NumberFormat.date(page.createdAt)
      }
      if page.withholdsReplies { tag("p", ["class": "warn"]) { ExplanationWording.withheld } }
      tag("nav", ["aria-label": "Contents"]) {
        tag("ul") {
          for section in sections.sections {
            tag("li") { tag("a", ["href": "#\(section.id)"]) { section.title } }
          }
        }
      }
    }
  }

  private static func footer(_ page: ExplanationPage) -> Markup {
    tag("footer") {
      tag("p") { ExplanationWording.limits(page.explanation) }
      tag("p") { "Self-CD: arXiv 2401.17633. Made by selfcd explain." }
    }
  }

  private static func short(_ text: String) -> String {
    let line = UntrustedText.singleLine(text)
    return line.count > 60 ? line.prefix(59) + "…" : line
  }
}
