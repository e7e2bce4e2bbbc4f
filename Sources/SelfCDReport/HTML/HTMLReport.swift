import SelfCDSupport

/// The report as one self-contained HTML page: no request to anywhere, readable without colour.
///
/// With ``ReportRun/samples`` the page has a list of all replies and the script that searches it; without them it has no
/// script. A content security policy in the page forbids everything but its own style sheets and that script, by their
/// hashes, so that even a fault in the escaping could not run anything.
public enum HTMLReport {
  /// Renders a page; the same data gives the same bytes.
  public static func render(_ data: ReportData) -> String {
    let samples = SampleBrowser(data)
    return HTMLPage(
      title: title(data), sheets: [Stylesheet.css, ReportStylesheet.css],
      script: samples == nil ? nil : SampleBrowserScript.js, header: header(data, hasSamples: samples != nil),
      main: Markup([
        data.runs.count > 1
          ? tag("section", ["id": "runs"]) {
            tag("h2") { "The runs" }
            RunTables.overview(data.runs).markup
          } : .empty,
        body(data), samples?.markup ?? .empty,
      ]), footer: footer(data)
    ).html
  }

  private static func sections(_ data: ReportData) -> [RunSections] {
    data.runs.enumerated().map { index, run in
      RunSections(run: run, prefix: "run\(index + 1)-", isAlone: data.runs.count == 1)
    }
  }

  /// Two runs are read side by side, more of them one after the other.
  private static func body(_ data: ReportData) -> Markup {
    let runs = sections(data)
    guard let pair = RunPair(runs) else { return Markup(runs.map(\.markup)) }
    return pair.markup
  }

  private static func title(_ data: ReportData) -> String {
    "\(data.title) \(data.subject)"
  }

  private static func header(_ data: ReportData, hasSamples: Bool) -> Markup {
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
        RunPair(sections(data))?.contents ?? Markup(sections(data).map(\.contents))
        if hasSamples {
          tag("ul") {
            tag("li") { tag("a", ["href": "#\(SampleBrowser.id)"]) { SampleBrowser.title } }
          }
        }
      }
    }
  }

  private static func footer(_ data: ReportData) -> Markup {
    tag("footer") {
      for sentence in data.intervals { tag("p") { sentence } }
      tag("p") { "Self-CD: arXiv 2401.17633." }
    }
  }
}
