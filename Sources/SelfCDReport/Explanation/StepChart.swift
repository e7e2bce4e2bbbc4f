import SelfCDSupport

/// A figure along the first tokens of several replies.
struct StepChart: Chart {
  struct Series {
    let name: String
    let style: SeriesStyle
    /// One for each token; nil where there is none.
    let values: [Double?]
  }

  let id: String
  let title: String
  let axis: String
  /// Whether the values are shares, shown in per cent.
  var isShare = false
  /// Where the axis ends; a little above the greatest value unless given.
  var top: Double?
  let series: [Series]
  /// What the values stand at.
  var step = "token of the reply"
  /// The number of the first step.
  var firstStep = 1

  var drawings: [Drawing] { Draw.Width.allCases.compactMap(drawing) }

  private func drawing(_ fit: Draw.Width) -> Drawing? {
    let values = series.flatMap(\.values).compactMap { $0 }.filter(\.isFinite)
    let steps = series.map(\.values.count).max() ?? 0
    guard steps > 0, let most = values.max() else { return nil }
    let frame = Frame(
      x: Double(firstStep)...Double(firstStep + max(steps, 2) - 1),
      y: 0...(top ?? max(most * 1.08, isShare ? 0.05 : 0.1)),
      right: fit.right, bottom: 220)
    var parts = frame.axes(
      xTitle: step, yTitle: axis, xLabel: NumberFormat.parameter,
      yLabel: isShare ? Frame.percent : NumberFormat.axis)
    for line in series {
      let points = line.values.enumerated().compactMap { index, value in
        value.flatMap { $0.isFinite ? (x: frame.x(Double(index + firstStep)), y: frame.y($0)) : nil }
      }
      parts.append(Draw.polyline(points, line.style.style, dash: line.style.dash))
      parts += points.map { Draw.marker(line.style, $0.x, $0.y, size: 4) }
    }
    parts += Draw.legend(series.map { ($0.style, true, $0.name) }, x: frame.left, y: 16, fit: fit)
    return Drawing(
      id: fit.id(id), width: fit.units, height: 272, title: title, description: description, fit: fit,
      marks: parts)
  }

  private var description: String {
    series.map { line in
      "\(line.name): "
        + line.values.map { value in
          value.map { isShare ? NumberFormat.percent($0) : NumberFormat.decimal($0, 2) } ?? "none"
        }.joined(separator: ", ") + "."
    }.joined(separator: " ")
  }
}
