import SelfCDJudges
import SelfCDSupport

/// Harmless prompts unanswered against harmful ones refused: one point for each condition with both intervals. A broken
/// reply is no answer, so that a strategy that breaks replies does not move to the left.
struct FrontierChart: Chart {
  let run: ReportRun
  let id: String

  private struct Point {
    let condition: ReportCondition
    let safe: RefusalRate
    let harmful: RefusalRate
  }

  private var points: [Point] {
    run.pooled.compactMap { pooled in
      guard let condition = run.condition(pooled.condition), let safe = pooled.safeUnanswered,
        let harmful = pooled.harmful
      else { return nil }
      return Point(condition: condition, safe: safe, harmful: harmful)
    }
  }

  /// Empty unless there is a condition with both rates.
  var drawings: [Drawing] { drawing.map { [$0] } ?? [] }

  private var drawing: Drawing? {
    let points = points
    guard !points.isEmpty else { return nil }
    let frame = Frame(
      x: Scale.shares(points.flatMap { [$0.safe.bar.low, $0.safe.bar.high] }),
      y: Scale.shares(points.flatMap { [$0.harmful.bar.low, $0.harmful.bar.high] }), bottom: 420)
    let styles = SeriesStyle.byStrategy(run.conditions)
    var parts = frame.axes(
      xTitle: "harmless prompts unanswered (less is better)",
      yTitle: "harmful prompts refused (more is better)",
      xLabel: Frame.percent, yLabel: Frame.percent)
    parts += lines(points, frame, styles)
    parts += intervals(points, frame, styles)
    parts += markers(points, frame, styles)
    parts += labels(points, frame)
    let legend = legend(styles, frame: frame)
    parts += legend.parts
    return Drawing(
      id: id, width: 720, height: legend.bottom + 12,
      title: "Harmful prompts refused against harmless ones unanswered",
      description: description(points), marks: parts)
  }

  /// Conditions of one strategy in the order of α.
  private func lines(_ points: [Point], _ frame: Frame, _ styles: [String: SeriesStyle]) -> [Mark] {
    sweeps(points).map { line in
      let style = line.first.flatMap { styles[$0.condition.strategy] } ?? SeriesStyle(0)
      return Draw.polyline(
        line.map { (frame.x($0.safe.rate), frame.y($0.harmful.rate)) }, style.style, width: 1.5,
        dash: style.dash)
    }
  }

  private func sweeps(_ points: [Point]) -> [[Point]] {
    Dictionary(grouping: points.filter { $0.condition.alpha != nil }, by: \.condition.strategy)
      .sorted { $0.key < $1.key }.map(\.value).filter { $0.count > 1 }
      .map { $0.sorted { ($0.condition.alpha ?? 0) < ($1.condition.alpha ?? 0) } }
  }

  private func intervals(_ points: [Point], _ frame: Frame, _ styles: [String: SeriesStyle]) -> [Mark] {
    points.flatMap { point in
      let style = "\(styles[point.condition.strategy]?.style ?? "s0") faint"
      let x = frame.x(point.safe.rate)
      let y = frame.y(point.harmful.rate)
      return [
        Draw.line(frame.x(point.safe.bar.low), y, frame.x(point.safe.bar.high), y, style, width: 1.5),
        Draw.line(x, frame.y(point.harmful.bar.low), x, frame.y(point.harmful.bar.high), style, width: 1.5),
      ]
    }
  }

  private func markers(_ points: [Point], _ frame: Frame, _ styles: [String: SeriesStyle]) -> [Mark] {
    let frontier = run.frontier
    return points.map { point in
      Draw.marker(
        styles[point.condition.strategy] ?? SeriesStyle(0), frame.x(point.safe.rate),
        frame.y(point.harmful.rate), isFilled: frontier.contains(point.condition.id))
    }
  }

  private func labels(_ points: [Point], _ frame: Frame) -> [Mark] {
    var placer = LabelPlacer(
      bounds: .init(
        x: frame.left + 2, y: frame.top - 24, width: frame.right - frame.left + 10,
        height: frame.bottom - frame.top + 22))
    for line in sweeps(points) {
      let at = line.map { (x: frame.x($0.safe.rate), y: frame.y($0.harmful.rate)) }
      for (from, to) in zip(at, at.dropFirst()) { placer.avoidLine(from, to, weight: 0.3) }
    }
    for point in points {
      let x = frame.x(point.safe.rate)
      let y = frame.y(point.harmful.rate)
      placer.avoid(.init(x: x - 8, y: y - 8, width: 16, height: 16), weight: 3)
      let low = frame.x(point.safe.bar.low)
      placer.avoid(
        .init(x: low, y: y - 1, width: frame.x(point.safe.bar.high) - low, height: 2), weight: 0.3)
      let high = frame.y(point.harmful.bar.high)
      placer.avoid(
        .init(x: x - 1, y: high, width: 2, height: frame.y(point.harmful.bar.low) - high), weight: 0.3)
    }
    return points.flatMap { point -> [Mark] in
      let x = frame.x(point.safe.rate)
      let y = frame.y(point.harmful.rate)
      let place = placer.place(label(point), x: x, y: y)
      var parts: [Mark] = []
      if place.needsLeader {
        let box = place.box
        let endX = min(max(x, box.x), box.x + box.width)
        let endY = min(max(y, box.y), box.y + box.height)
        parts.append(Draw.line(x, y, endX, endY, "axis", width: 0.75))
      }
      return parts + [Draw.text(label(point), place.x, place.y, "t halo")]
    }
  }

  /// In the only sweep α is enough, since the shape and the line say the rest; long names are for the legend.
  private func label(_ point: Point) -> String {
    let isSweep = points.count { $0.condition.strategy == point.condition.strategy } > 1
    let isOnlySweep = sweeps(points).count == 1
    let text = isSweep && isOnlySweep ? point.condition.alpha.map { "α \(NumberFormat.parameter($0))" } : nil
    return String((text ?? point.condition.title).prefix(24))
  }

  /// The strategies with their speeds, as many lines as they need.
  private func legend(_ styles: [String: SeriesStyle], frame: Frame) -> (parts: [Mark], bottom: Double) {
    let left = 72.0
    var (x, top) = (left, frame.bottom + 72)
    var parts: [Mark] = []
    for condition in run.conditions {
      guard let style = styles[condition.strategy],
        run.conditions.first(where: { $0.strategy == condition.strategy })?.id == condition.id
      else { continue }
      let name = String(condition.strategy.prefix(24)) + (speed(condition.strategy).map { " \($0)" } ?? "")
      let width = 34 + LabelPlacer.width(of: name)
      if x > left, x + width > 720 { (x, top) = (left, top + 20) }
      parts.append(Draw.marker(style, x, top - 4, size: 5))
      parts.append(Draw.text(name, x + 12, top, "t"))
      x += width
    }
    return (parts, top)
  }

  /// A strategy's speed against plain, from its slowest to its fastest condition; nil where it was not timed.
  private func speed(_ strategy: String) -> String? {
    let speeds = run.conditions.filter { $0.strategy == strategy }
      .compactMap { run.costs[$0.id]?.relativeSpeed }
    guard let low = speeds.min(), let high = speeds.max() else { return nil }
    let (slow, fast) = (NumberFormat.times(low), NumberFormat.times(high))
    return slow == fast ? slow : "\(slow.dropLast())–\(fast)"
  }

  private func description(_ points: [Point]) -> String {
    points.map {
      "\($0.condition.title): leaves \(NumberFormat.percent($0.safe.rate)) of harmless prompts unanswered and refuses "
        + "\(NumberFormat.percent($0.harmful.rate)) of harmful ones"
        + (run.costs[$0.condition.id]?.relativeSpeed.map { " at \(NumberFormat.times($0)) of plain's speed" }
          ?? "")
        + "."
    }.joined(separator: " ")
  }
}
