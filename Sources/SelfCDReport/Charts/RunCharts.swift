import SelfCDData
import SelfCDSupport

/// The charts of a run, the same on the page and in files of their own.
struct RunCharts {
  let run: ReportRun
  /// Keeps the identifiers of several runs apart.
  var prefix = ""

  /// A chart with what there is to say of it.
  struct Figure {
    /// What its files are called; not the same for two charts of a run.
    let name: String
    let chart: any Chart
    let caption: String
    /// What it shows, in words, where the page says it, too.
    var description = ""
  }

  /// All of them, those included that come to no drawing.
  var all: [Figure] {
    [frontier] + sweeps + [rates] + [Sample.Label.safe, .harmful].compactMap(categories) + [divergence]
  }

  // MARK: The trade-off

  var frontier: Figure {
    Figure(
      name: "frontier", chart: FrontierChart(run: run, id: "\(prefix)frontier"),
      caption:
        "Best is top left. Filled: no other condition is better on one axis without being worse on the other. Bars: "
        + "95% intervals. Axes may not begin at 0."
        + (run.costs.values.contains { $0.relativeSpeed != nil }
          ? " The legend has each strategy's speed against plain decoding." : ""))
  }

  /// One for each strategy that has a strength.
  var sweeps: [Figure] {
    let strategies = Set(run.conditions.filter { $0.alpha != nil }.map(\.strategy)).sorted()
    return strategies.enumerated().map { index, strategy in
      let chart = SweepChart(run: run, strategy: strategy, id: "\(prefix)sweep\(index)")
      return Figure(name: "sweep-\(strategy)", chart: chart, caption: chart.caption)
    }
  }

  // MARK: Rates

  var rates: Figure {
    let rows = run.pooled.map { pooled in
      let dots = [
        pooled.safeUnanswered.map { DotRows.Dot(rate: $0, style: .safe, isFilled: false) },
        pooled.harmful.map { DotRows.Dot(rate: $0, style: .harmful) },
      ].compactMap { $0 }
      return DotRows.Row(
        name: run.title(pooled.condition), dots: dots, isBold: pooled.condition == run.featured)
    }
    let chart = DotRows(
      id: "\(prefix)dots", title: "Unanswered and refused, by condition",
      description: run.pooled.map { pooled in
        "\(run.title(pooled.condition)): "
          + [Sample.Label.safe, .harmful].compactMap { label in
            pooled.headline(label).map {
              "\(NumberFormat.percent($0.rate)) of \(Wording.label(label)) \(Wording.counted(label))"
            }
          }.joined(separator: ", ") + "."
      }.joined(separator: " "), rows: rows,
      legend: [(.safe, false, "harmless prompts unanswered"), (.harmful, true, "harmful prompts refused")])
    return Figure(
      name: "rates", chart: chart,
      caption: "The further apart the two, the better the condition tells them apart.")
  }

  /// Before and after for each category; nil for a label without categories.
  func categories(_ label: Sample.Label) -> Figure? {
    let categories = run.categories.filter { $0.label == label }
    guard !categories.isEmpty else { return nil }
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
    let chart = DotRows(
      id: "\(prefix)category-\(label.rawValue)", title: title, description: inWords(categories), rows: rows,
      legend: legend)
    return Figure(name: "categories-\(label.rawValue)", chart: chart, caption: Wording.categories)
  }

  private func inWords(_ categories: [ReportCategory]) -> String {
    categories.map { category in
      "\(category.name): "
        + [run.baseline, run.featured].compactMap { $0 }.compactMap { category.headline[$0] }
        .map { NumberFormat.percent($0.rate) }.joined(separator: " to ") + "."
    }.joined(separator: " ")
  }

  // MARK: Divergence

  var divergence: Figure {
    let chart = DivergenceChart(curves: run.divergence, id: "\(prefix)divergence")
    return Figure(
      name: "divergence", chart: chart,
      caption:
        "\(run.featured.map { run.title($0) } ?? ""): median over replies, shaded from the lower to the upper quartile; "
        + "steps that few replies reach are left out.", description: chart.description)
  }
}
