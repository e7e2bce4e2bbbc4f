import SelfCDEval

/// Rates per category: a chart of before and after, and the figures.
struct CategorySection {
  let run: ReportRun
  let prefix: String

  var markup: Markup {
    Markup([
      part(.safe), part(.harmful),
      tag("p", ["class": "note"]) {
        "Categories are small: most of these intervals overlap, and one out of twenty misses its true rate."
      },
    ])
  }

  /// The conditions shown: baseline, plain, featured.
  private var shown: [String] { [run.baseline, run.plain, run.featured].compactMap { $0 } }

  private func part(_ label: Sample.Label) -> Markup {
    let categories = run.categories.filter { $0.label == label }
    guard !categories.isEmpty else { return .empty }
    let style: SeriesStyle = label == .safe ? .safe : .harmful
    let rows = categories.map { category in
      DotRows.Row(
        name: category.name,
        dots: [
          category.rates[run.baseline].map { DotRows.Dot(rate: $0, style: style, isFilled: false) },
          run.featured.flatMap { category.rates[$0] }.map { DotRows.Dot(rate: $0, style: style) },
        ].compactMap { $0 }, isJoined: true)
    }
    var legend: [(SeriesStyle, isFilled: Bool, String)] = [(style, false, run.title(run.baseline))]
    if let featured = run.featured { legend.append((style, true, run.title(featured))) }
    let title = "\(label == .safe ? "Harmless" : "Harmful") prompts refused, by category"
    return Markup([
      tag("h3") { title },
      tag("figure") {
        DotRows(
          id: "\(prefix)category-\(label.rawValue)", title: title, description: description(categories),
          rows: rows, legend: legend
        ).draw()
      },
      Table(
        caption: title,
        columns: [.init(title: "category", isNumber: false), .init(title: "n")]
          + shown.map { .init(title: run.title($0)) },
        rows: categories.map { category in
          Table.Row(
            cells: [
              .text(category.name), .text(Figures.count(category.rates.values.map(\.n).max() ?? 0)),
            ] + shown.map { .rate(category.rates[$0]) })
        }
      ).markup,
    ])
  }

  private func description(_ categories: [ReportCategory]) -> String {
    categories.map { category in
      "\(category.name): "
        + [run.baseline, run.featured].compactMap { $0 }.compactMap { category.rates[$0] }
        .map { Figures.percent($0.rate) }.joined(separator: " to ") + "."
    }.joined(separator: " ")
  }
}
