import SelfCDData
import SelfCDSupport

/// Median and quartiles of the lanes' divergence along the reply, for each label.
struct DivergenceChart: Chart {
  let curves: [ReportDivergence]
  let id: String

  var drawings: [Drawing] { drawing.map { [$0] } ?? [] }

  private var drawing: Drawing? {
    let steps = curves.compactMap(\.points.last?.step).max() ?? 0
    guard steps > 0, let top = curves.flatMap(\.points).map(\.upper).max(), top > 0 else { return nil }
    let frame = Frame(x: 1...Double(steps + 1), y: 0...top * 1.05, bottom: 320)
    var parts = frame.axes(
      xTitle: "token of the reply", yTitle: "divergence of the lanes (nats)", xLabel: NumberFormat.parameter,
      yLabel: NumberFormat.axis)
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
    parts += Draw.legend(
      curves.map { (style($0.label), true, "\(Wording.label($0.label)) prompts") }, x: frame.left, y: 16)
    return Drawing(
      id: id, width: 720, height: 372, title: "Divergence of the lanes along the reply",
      description: description, marks: parts)
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
      return
        "On \(Wording.label(curve.label)) prompts the median is \(NumberFormat.decimal(first.median, 2)) nats at "
        + "the first token"
        + (tenth.map { " and \(NumberFormat.decimal($0.median, 2)) at token \($0.step + 1)" } ?? "") + "."
    }.joined(separator: " ")
  }
}
