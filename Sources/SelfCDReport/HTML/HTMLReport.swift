/// The report as one self-contained HTML page: no script, no request to anywhere, readable without colour.
///
/// A content security policy in the page forbids everything but its own style sheet, so that even a fault in the
/// escaping could not run anything.
public enum HTMLReport {
  /// Renders a page; the same data gives the same bytes.
  public static func render(_ data: ReportData) -> String {
    Markup([.doctype, page(data)]).html + "\n"
  }

  private static func page(_ data: ReportData) -> Markup {
    tag("html", ["lang": "en"]) {
      tag("head") {
        tag("meta", ["charset": "utf-8"])
        tag("meta", ["http-equiv": "Content-Security-Policy", "content": Stylesheet.policy])
        tag("meta", ["name": "viewport", "content": "width=device-width, initial-scale=1"])
        tag("meta", ["name": "color-scheme", "content": "light dark"])
        tag("meta", ["name": "referrer", "content": "no-referrer"])
        tag("title") { title(data) }
        Markup.styleSheet(Stylesheet.css)
      }
      tag("body") {
        header(data)
        tag("main") {
          if data.runs.count > 1 {
            tag("section", ["id": "runs"]) {
              tag("h2") { "The runs" }
              RunTables.overview(data.runs).markup
            }
          }
          for (index, run) in data.runs.enumerated() {
            RunSections(run: run, prefix: "run\(index + 1)-", isAlone: data.runs.count == 1).markup
          }
        }
        footer(data)
      }
    }
  }

  private static func title(_ data: ReportData) -> String {
    data.runs.count == 1 ? "\(data.title) \(data.runs.first?.record.model ?? "")" : data.title
  }

  private static func header(_ data: ReportData) -> Markup {
    tag("header") {
      tag("h1") { data.title }
      tag("p", ["class": "mute"]) {
        data.runs.map(\.record.model).joined(separator: ", ")
        " · "
        Figures.date(data.createdAt)
      }
      if data.showsHarmful {
        tag("p", ["class": "warn"]) { Wording.showsHarmful }
      }
      tag("nav", ["aria-label": "Contents"]) {
        for (index, run) in data.runs.enumerated() {
          RunSections(run: run, prefix: "run\(index + 1)-", isAlone: data.runs.count == 1).contents
        }
      }
    }
  }

  private static func footer(_ data: ReportData) -> Markup {
    tag("footer") {
      tag("p") { Wording.intervals }
      tag("p") { "\(Wording.counting) Self-CD: arXiv 2401.17633." }
    }
  }
}
