import SelfCDData

/// Rates per category: a chart of before and after, and the figures.
struct CategorySection {
  let run: ReportRun
  let prefix: String

  var markup: Markup {
    Markup([
      part(.safe), part(.harmful),
      tag("p", ["class": "note"]) { Wording.categories },
    ])
  }

  private func part(_ label: Sample.Label) -> Markup {
    guard let figure = RunCharts(run: run, prefix: prefix).categories(label) else { return .empty }
    return Markup([
      tag("h3") { Wording.byCategory(label) },
      tag("figure") { figure.chart.draw() ?? .empty },
      RunTables(run: run).categories(label)?.markup ?? .empty,
    ])
  }
}
