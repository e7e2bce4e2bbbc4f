import SelfCDEval

/// Median and quartiles of the lanes' divergence along the reply, for each label.
struct DivergenceChart {
  let curves: [ReportDivergence]
  let id: String

  func draw() -> Markup? {
    let steps = curves.compactMap(\.points.last?.step).max() ?? 0
    guard steps > 0, let top = curves.flatMap(\.points).map(\.upper).max(), top > 0 else { return nil }
    let frame = Frame(x: 1...Double(steps + 1), y: 0...top * 1.05, bottom: 320)
    var parts = frame.axes(
      xTitle: "token of the reply", yTitle: "divergence of the lanes (nats)", xLabel: Figures.parameter,
      yLabel: Figures.axis)
    var placer = LabelPlacer(
      bounds: .init(x: frame.left, y: frame.top, width: frame.right - frame.left, height: frame.bottom - frame.top))
    for curve in curves {
      for point in curve.points {
        placer.avoid(
          .init(x: frame.x(Double(point.step + 1)) - 2, y: frame.y(point.median) - 3, width: 4, height: 6), weight: 4)
      }
    }
    for curve in curves {
      let style = style(curve.label)
      func at(_ value: KeyPath<ReportDivergence.Point, Double>) -> [(x: Double, y: Double)] {
        curve.points.map { (frame.x(Double($0.step + 1)), frame.y($0[keyPath: value])) }
      }
      parts.append(Draw.area(at(\.upper) + at(\.lower).reversed(), style.style, opacity: 0.13))
      parts.append(Draw.polyline(at(\.median), style.style, dash: style.dash))
      parts += at(\.median).enumerated().filter { $0.offset % 5 == 0 }.map {
        Draw.marker(style, $0.element.x, $0.element.y, size: 3.5)
      }
    }
    for curve in curves {
      // Where its curve stands furthest from the others is where a name is clearest.
      let others = curves.filter { $0.label != curve.label }.flatMap(\.points)
      let clearest = curve.points.prefix(max(1, curve.points.count * 3 / 5)).max { a, b in
        distance(a, others) < distance(b, others)
      }
      guard let point = clearest else { continue }
      let name = "\(Wording.label(curve.label)) prompts"
      let place = placer.place(name, x: frame.x(Double(point.step + 1)), y: frame.y(point.median))
      parts.append(Draw.text(name, place.x, place.y, "t halo"))
    }
    return Draw.chart(
      id: id, width: 720, height: 372, title: "Divergence of the lanes along the reply",
      description: description, parts)
  }

  private func distance(_ point: ReportDivergence.Point, _ others: [ReportDivergence.Point]) -> Double {
    others.filter { $0.step == point.step }.map { abs($0.median - point.median) }.min() ?? 0
  }

  private func style(_ label: Sample.Label) -> SeriesStyle {
    switch label {
    case .safe: .safe
    case .harmful: .harmful
    case .neutral: SeriesStyle(2)
    }
  }

  /// The curves in words: where they begin, and what is left at the tenth token.
  var description: String {
    curves.compactMap { curve in
      guard let first = curve.points.first else { return nil }
      let tenth = curve.points.first { $0.step >= 9 }
      return "On \(Wording.label(curve.label)) prompts the median is \(Figures.decimal(first.median, 2)) nats at "
        + "the first token"
        + (tenth.map { " and \(Figures.decimal($0.median, 2)) at token \($0.step + 1)" } ?? "") + "."
    }.joined(separator: " ")
  }
}
