import SelfCDSupport

/// The axes of a chart.
struct Frame {
  let left: Double
  let top: Double
  let right: Double
  let bottom: Double
  let x: Scale
  let y: Scale

  init(
    x: ClosedRange<Double>, y: ClosedRange<Double>, left: Double = 64, top: Double = 28,
    right: Double = 692, bottom: Double = 400
  ) {
    self.left = left
    self.top = top
    self.right = right
    self.bottom = bottom
    self.x = Scale(domain: x, from: left, to: right)
    self.y = Scale(domain: y, from: bottom, to: top)
  }

  /// Grid, numbers and titles.
  func axes(
    xTitle: String, yTitle: String, xLabel: (Double) -> String, yLabel: (Double) -> String
  ) -> [Mark] {
    var parts: [Mark] = []
    for tick in x.ticks(about: 7) {
      parts.append(Draw.line(x(tick), top, x(tick), bottom, "grid"))
      parts.append(Draw.text(xLabel(tick), x(tick), bottom + 20, "m", anchor: .middle))
    }
    for tick in y.ticks(about: 6) {
      parts.append(Draw.line(left, y(tick), right, y(tick), "grid"))
      parts.append(Draw.text(yLabel(tick), left - 8, y(tick) + 4, "m", anchor: .end))
    }
    parts.append(Draw.line(left, bottom, right, bottom, "axis"))
    parts.append(Draw.line(left, top, left, bottom, "axis"))
    parts.append(Draw.text(xTitle, (left + right) / 2, bottom + 42, anchor: .middle))
    parts.append(Draw.upright(yTitle, 16, (top + bottom) / 2))
    return parts
  }

  static func percent(_ value: Double) -> String { NumberFormat.percent(value, digits: 0) }
}
