import SelfCDJudges
import SelfCDStatistics
import SelfCDSupport

/// Rows of dots with intervals on one scale of shares.
struct DotRows: Chart {
  struct Dot {
    /// The share with its interval.
    let share: ConfidenceInterval
    let style: SeriesStyle
    var isFilled = true

    init(share: ConfidenceInterval, style: SeriesStyle, isFilled: Bool = true) {
      self.share = share
      self.style = style
      self.isFilled = isFilled
    }

    init(rate: RefusalRate, style: SeriesStyle, isFilled: Bool = true) {
      self.init(
        share: ConfidenceInterval(
          estimate: rate.rate, low: rate.bar.low, high: rate.bar.high, confidence: 0.95),
        style: style, isFilled: isFilled)
    }
  }

  struct Row {
    let name: String
    let dots: [Dot]
    /// Whether a line joins the first dot with the last.
    var isJoined = false
    var isBold = false
    /// A share to compare with, drawn as a stroke across the row.
    var reference: Double?
  }

  let id: String
  let title: String
  let description: String
  let rows: [Row]
  /// What the dots mean, in words.
  let legend: [(style: SeriesStyle, isFilled: Bool, name: String)]

  var drawings: [Drawing] { Draw.Width.allCases.map(drawing) }

  private func drawing(_ fit: Draw.Width) -> Drawing {
    let widest = rows.map { LabelPlacer.width(of: Self.short($0.name, fit)) }.max() ?? 0
    let left = min(
      fit.names(atMost: 260), max(fit.names(atMost: 110) * (fit == .wide ? 1 : 0.6), widest + 16))
    let top = 44.0
    let step = 32.0
    let bottom = top + Double(rows.count) * step
    let x = Scale(domain: 0...1, from: left + 12, to: fit.right)
    var parts: [Mark] = []
    parts += Draw.legend(legend, x: left + 12, y: 18, fit: fit)
    for tick in x.ticks(about: fit.ticks(5)) {
      parts.append(Draw.line(x(tick), top - 8, x(tick), bottom, "grid"))
      parts.append(Draw.text(Frame.percent(tick), x(tick), bottom + 18, "m", anchor: .middle))
    }
    for (index, row) in rows.enumerated() {
      let y = top + (Double(index) + 0.5) * step - 4
      parts.append(Draw.text(Self.short(row.name, fit), left, y + 4, row.isBold ? "t b" : "t", anchor: .end))
      parts += dots(row, y, x)
    }
    return Drawing(
      id: fit.id(id), width: fit.units, height: bottom + 28, title: title, description: description, fit: fit,
      marks: parts)
  }

  private func dots(_ row: Row, _ y: Double, _ x: Scale) -> [Mark] {
    var parts: [Mark] = []
    if row.isJoined, let first = row.dots.first, let last = row.dots.last {
      parts.append(Draw.line(x(first.share.estimate), y - 4, x(last.share.estimate), y + 4, "axis", width: 1))
    }
    if let reference = row.reference {
      parts.append(Draw.line(x(reference), y - 11, x(reference), y + 11, "axis", width: 2))
    }
    for (index, dot) in row.dots.enumerated() {
      // The dots of one row lie a little apart, or one would hide the other.
      let level = y + (row.dots.count > 1 ? (index == 0 ? -4 : 4) : 0)
      parts.append(
        Draw.line(
          x(dot.share.low), level, x(dot.share.high), level, "\(dot.style.style) faint", width: 2,
          dash: dot.isFilled ? "none" : "3 2"))
      parts.append(Draw.marker(dot.style, x(dot.share.estimate), level, size: 5, isFilled: dot.isFilled))
    }
    return parts
  }

  private static func short(_ name: String, _ fit: Draw.Width) -> String {
    let name = UntrustedText.singleLine(name)
    let most = fit == .wide ? 32 : 15
    return name.count > most ? name.prefix(most - 1) + "…" : name
  }
}
