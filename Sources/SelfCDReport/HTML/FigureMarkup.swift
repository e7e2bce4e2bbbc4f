extension Markup {
  /// A chart with what there is to say of it; nothing where there is nothing to draw.
  static func figure(_ chart: Markup?, _ caption: String) -> Markup {
    chart.map { chart in
      tag("figure") {
        chart
        tag("figcaption") { caption }
      }
    } ?? .empty
  }

  /// A chart of a run with its caption.
  static func figure(_ figure: RunCharts.Figure) -> Markup { .figure(figure.chart.draw(), figure.caption) }
}
