import SelfCD
import SelfCDData
import SelfCDSupport

/// Both rates along α, with the paper's points beside them: harmless prompts unanswered, harmful ones refused.
struct SweepChart: Chart {
  let run: ReportRun
  let strategy: String
  let id: String

  private struct Point {
    let alpha: Double
    let rates: ReportPooled
    /// Whether it is Self-CD by definition only: α 0 is the guarded model, α 1 the plain one.
    var isImplied = false
  }

  private static let axes: [(Sample.Label, SeriesStyle)] = [(.safe, .safe), (.harmful, .harmful)]

  private var points: [Point] {
    let members = run.conditions.compactMap { condition -> Point? in
      guard condition.strategy == strategy, let alpha = condition.alpha else { return nil }
      return run.pooled(condition.id).map { Point(alpha: alpha, rates: $0) }
    }
    guard strategy == SelfContrastive.name else { return members.sorted { $0.alpha < $1.alpha } }
    let implied = [(0.0, Guarded.name), (1.0, Plain.name)].compactMap { alpha, strategy -> Point? in
      guard !members.contains(where: { $0.alpha == alpha }),
        let condition = run.conditions.first(where: { $0.strategy == strategy })
      else { return nil }
      return run.pooled(condition.id).map { Point(alpha: alpha, rates: $0, isImplied: true) }
    }
    return (members + implied).sorted { $0.alpha < $1.alpha }
  }

  /// Empty unless at least three values of α have been run.
  var drawings: [Drawing] { drawing.map { [$0] } ?? [] }

  private var drawing: Drawing? {
    let points = points
    guard points.count(where: { !$0.isImplied }) >= 3, let last = points.last?.alpha else { return nil }
    let frame = Frame(x: 0...max(last, 0.5), y: 0...1, bottom: 340)
    var parts = frame.axes(
      xTitle: strategy == SelfContrastive.name ? "α (0 is guarded, 1 is plain)" : "α",
      yTitle: "share of prompts",
      xLabel: NumberFormat.parameter, yLabel: Frame.percent)
    for (label, style) in Self.axes { parts += series(points, label, style, frame) }
    let published = published(last, frame)
    parts += published.map { Draw.marker(SeriesStyle(5), $0.x, $0.y, size: 4) }
    var legend = Self.axes.map {
      (style: $0.1, isFilled: true, name: "\(Wording.label($0.0)) \(Wording.counted($0.0))")
    }
    if !published.isEmpty { legend.append((SeriesStyle(5), true, "paper, harmless refused")) }
    parts += Draw.legend(legend, x: frame.left, y: 16)
    return Drawing(
      id: id, width: 720, height: 392, title: "Unanswered and refused along α, \(strategy)",
      description: description(points), marks: parts)
  }

  private func positions(_ points: [Point], _ label: Sample.Label, _ frame: Frame) -> [(x: Double, y: Double)]
  {
    points.compactMap { point in
      point.rates.headline(label).map { (frame.x(point.alpha), frame.y($0.rate)) }
    }
  }

  private func series(
    _ points: [Point], _ label: Sample.Label, _ style: SeriesStyle, _ frame: Frame
  ) -> [Mark] {
    var parts: [Mark] = []
    for point in points {
      guard let rate = point.rates.headline(label) else { continue }
      let x = frame.x(point.alpha)
      parts.append(
        Draw.line(x, frame.y(rate.bar.low), x, frame.y(rate.bar.high), "\(style.style) faint", width: 1.5))
    }
    parts.append(Draw.polyline(positions(points, label, frame), style.style, dash: style.dash))
    for point in points {
      guard let rate = point.rates.headline(label) else { continue }
      parts.append(
        Draw.marker(style, frame.x(point.alpha), frame.y(rate.rate), isFilled: !point.isImplied))
    }
    return parts
  }

  private func published(_ last: Double, _ frame: Frame) -> [(x: Double, y: Double)] {
    guard strategy == SelfContrastive.name else { return [] }
    return PublishedResults.selfCD.compactMap { row in
      row.alpha.flatMap { $0 <= last ? (frame.x($0), frame.y(row.rate / 100)) : nil }
    }
  }

  /// What is under the chart.
  var caption: String {
    guard strategy == SelfContrastive.name else {
      return "\(strategy): both rates along α, with 95% intervals."
    }
    return
      "self-cd: both rates along α, with 95% intervals. Hollow: the guarded and the plain model, which α 0 and 1 "
      + "are by definition. Crosses: the paper’s LLaMA2-7B on XSTest-Safe."
  }

  private func description(_ points: [Point]) -> String {
    points.map { point in
      "α \(NumberFormat.parameter(point.alpha)): "
        + [Sample.Label.safe, .harmful].compactMap { label in
          point.rates.headline(label).map {
            "\(NumberFormat.percent($0.rate)) of \(Wording.label(label)) \(Wording.counted(label))"
          }
        }.joined(separator: ", ") + "."
    }.joined(separator: " ")
  }
}
