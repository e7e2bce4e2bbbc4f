import SelfCDData
import SelfCDSupport

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
    let categories = run.categories.filter { $0.label == label }
    guard !categories.isEmpty else { return .empty }
    let style: SeriesStyle = label == .safe ? .safe : .harmful
    let rows = categories.map { category in
      DotRows.Row(
        name: category.name,
        dots: [
          category.headline[run.baseline].map { DotRows.Dot(rate: $0, style: style, isFilled: false) },
          run.featured.flatMap { category.headline[$0] }.map { DotRows.Dot(rate: $0, style: style) },
        ].compactMap { $0 }, isJoined: true)
    }
    var legend: [(style: SeriesStyle, isFilled: Bool, name: String)] = [
      (style, false, run.title(run.baseline))
    ]
    if let featured = run.featured { legend.append((style, true, run.title(featured))) }
    let title = Wording.byCategory(label)
    return Markup([
      tag("h3") { title },
      tag("figure") {
        DotRows(
          id: "\(prefix)category-\(label.rawValue)", title: title, description: description(categories),
          rows: rows, legend: legend
        ).draw() ?? .empty
      },
      RunTables(run: run).categories(label)?.markup ?? .empty,
    ])
  }

  private func description(_ categories: [ReportCategory]) -> String {
    categories.map { category in
      "\(category.name): "
        + [run.baseline, run.featured].compactMap { $0 }.compactMap { category.headline[$0] }
        .map { NumberFormat.percent($0.rate) }.joined(separator: " to ") + "."
    }.joined(separator: " ")
  }
}
