/// What words do in several views: a row for each word, a point for each view, on one axis of nats.
struct EffectChart: Chart {
  struct Series {
    let name: String
    let style: SeriesStyle
    let effects: [Double]
    var standardErrors: [Double]?
  }

  let id: String
  let title: String
  let words: [String]
  let series: [Series]
  /// What the axis says.
  var axis = "away from a refusal  ←   nats   →  towards a refusal"
  /// How a figure with so many decimals is written.
  var figure: (_ value: Double, _ digits: Int) -> String = ExplanationWording.nats

  /// The most rows that are drawn.
  static let limit = 16

  /// The words with the greatest effects, in the prompt's order.
  var shown: [Int] {
    func weight(_ index: Int) -> Double { series.map { abs($0.effects[index]) }.max() ?? 0 }
    return Array(
      words.indices.sorted { (weight($0), -$0) > (weight($1), -$1) }.prefix(Self.limit)
    ).sorted()
  }

  /// What is under the chart.
  var caption: String {
    let rest = words.count - shown.count
    return rest > 0
      ? "The \(shown.count) words with the greatest effects; \(rest) more are in the table." : ""
  }

  var drawings: [Drawing] { Draw.Width.allCases.compactMap(drawing) }

  private func drawing(_ fit: Draw.Width) -> Drawing? {
    let shown = shown
    let reaches = series.flatMap { line in
      shown.flatMap { index in
        let error = line.standardErrors?[index] ?? 0
        return [line.effects[index] - error, line.effects[index] + error]
      }
    }.filter(\.isFinite)
    guard let least = reaches.min(), let most = reaches.max(), most > least || most != 0 else { return nil }
    let names = shown.map { Self.short(words[$0], fit) }
    let left = min(
      fit.names(atMost: 220),
      max(fit.names(atMost: 90) * 0.6, (names.map { LabelPlacer.width(of: $0) }.max() ?? 0) + 16))
    let top = 44.0
    let step = 30.0
    let bottom = top + Double(shown.count) * step
    let margin = (max(most, 0) - min(least, 0)) * 0.03
    let x = Scale(domain: (min(least, 0) - margin)...(max(most, 0) + margin), from: left + 14, to: fit.right)
    var parts = Draw.legend(series.map { ($0.style, true, $0.name) }, x: left + 14, y: 18, fit: fit)
    for tick in x.ticks(about: fit.ticks(7)) {
      parts.append(Draw.line(x(tick), top - 8, x(tick), bottom, "grid"))
      parts.append(
        Draw.text(figure(tick, Self.digits(x)), x(tick), bottom + 18, "m", anchor: .middle))
    }
    parts.append(Draw.line(x(0), top - 8, x(0), bottom, "axis", width: 1.5))
    for (row, index) in shown.enumerated() {
      let y = top + (Double(row) + 0.5) * step - 4
      parts.append(Draw.text(names[row], left, y + 4, "t", anchor: .end))
      parts += points(index, y, x)
    }
    parts.append(
      Draw.text(
        axis, fit == .wide ? (left + 706) / 2 : fit.units / 2, bottom + 40, "m",
        anchor: .middle))
    return Drawing(
      id: fit.id(id), width: fit.units, height: bottom + 52, title: title, description: description(shown),
      fit: fit, marks: parts)
  }

  private func points(_ index: Int, _ y: Double, _ x: Scale) -> [Mark] {
    var parts: [Mark] = []
    // A word's points lie a little apart, or one would hide the other.
    let levels = series.indices.map { y + (Double($0) - Double(series.count - 1) / 2) * 8 }
    for (place, line) in series.enumerated() where line.effects[index].isFinite {
      let effect = line.effects[index]
      parts.append(
        Draw.line(x(0), levels[place], x(effect), levels[place], "\(line.style.style) faint", width: 2))
      if let error = line.standardErrors?[index], error > 0 {
        parts.append(
          Draw.line(
            x(effect - error), levels[place], x(effect + error), levels[place], line.style.style, width: 1.5))
      }
      parts.append(Draw.marker(line.style, x(effect), levels[place], size: 4))
    }
    return parts
  }

  /// As many decimals as the ticks need.
  private static func digits(_ x: Scale) -> Int {
    let step = Scale.niceStep(x.domain.upperBound - x.domain.lowerBound, about: 7)
    return step >= 1 ? 0 : step >= 0.1 ? 1 : step >= 0.01 ? 2 : 3
  }

  private static func short(_ name: String, _ fit: Draw.Width) -> String {
    let most = fit == .wide ? 26 : 13
    return name.count > most ? name.prefix(most - 1) + "…" : name
  }

  private func description(_ shown: [Int]) -> String {
    shown.map { index in
      "\(words[index]): "
        + series.map { "\(figure($0.effects[index], 2)) \($0.name)" }.joined(separator: ", ")
        + "."
    }.joined(separator: " ")
  }
}
