import SelfCDSupport

/// The report as one self-contained HTML page: no script, no request to anywhere, readable without colour.
///
/// A content security policy in the page forbids everything but its own style sheet, so that even a fault in the
/// escaping could not run anything.
public enum HTMLReport {
  /// Renders a page; the same data gives the same bytes.
  public static func render(_ data: ReportData) -> String {
    HTMLPage(
      title: title(data), header: header(data),
      main: Markup([
        data.runs.count > 1
          ? tag("section", ["id": "runs"]) {
            tag("h2") { "The runs" }
            RunTables.overview(data.runs).markup
          } : .empty,
        Markup(
          data.runs.enumerated().map { index, run in
            RunSections(run: run, prefix: "run\(index + 1)-", isAlone: data.runs.count == 1).markup
          }),
      ]), footer: footer(data)
    ).html
  }

  private static func title(_ data: ReportData) -> String {
    "\(data.title) \(data.subject)"
  }

  private static func header(_ data: ReportData) -> Markup {
    tag("header") {
      tag("h1") { data.title }
      tag("p", ["class": "mute"]) {
        data.subject
        " · "
        NumberFormat.date(data.createdAt)
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
      for sentence in data.intervals { tag("p") { sentence } }
      tag("p") { "\(Wording.counting) Self-CD: arXiv 2401.17633." }
    }
  }
}
