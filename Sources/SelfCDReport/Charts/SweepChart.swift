import SelfCDEval

/// Both rates along α, with the paper's points beside them.
struct SweepChart {
  let run: ReportRun
  let strategy: String
  let id: String

  /// Nil unless at least three values of α have been run.
  func draw() -> Markup? {
    let members = run.conditions.compactMap { condition -> (alpha: Double, rates: ReportPooled)? in
      guard condition.strategy == strategy, let alpha = condition.alpha, let pooled = run.pooled(condition.id)
      else { return nil }
      return (alpha, pooled)
    }.sorted { $0.alpha < $1.alpha }
    guard members.count >= 3, let last = members.last?.alpha else { return nil }
    let frame = Frame(x: 0...max(last, 0.5), y: 0...1, bottom: 340)
    var parts = frame.axes(
      xTitle: "α (0: guarded, 1: plain)", yTitle: "refused", xLabel: Figures.parameter,
      yLabel: Frame.percent)
    for (label, style) in [(Sample.Label.safe, SeriesStyle.safe), (.harmful, .harmful)] {
      let points = members.compactMap { member in member.rates.rate(label).map { (member.alpha, $0) } }
      guard let end = points.last else { continue }
      for (alpha, rate) in points {
        parts.append(
          Draw.line(
            frame.x(alpha), frame.y(rate.low), frame.x(alpha), frame.y(rate.high), "\(style.style) faint",
            width: 1.5))
      }
      parts.append(
        Draw.polyline(
          points.map { (frame.x($0.0), frame.y($0.1.rate)) }, style.style, dash: style.dash))
      parts += points.map { Draw.marker(style, frame.x($0.0), frame.y($0.1.rate)) }
      let y = frame.y(end.1.rate)
      parts.append(
        Draw.text(
          "\(Wording.label(label)) prompts", frame.x(end.0) - 10, y < 60 ? y + 24 : y - 14, "t halo", anchor: .end))
    }
    if strategy == "self-cd" { parts += published(frame, last) }
    return Draw.chart(
      id: id, width: 720, height: 392, title: "Refusals along α, \(strategy)",
      description: description(members), parts)
  }

  private func published(_ frame: Frame, _ last: Double) -> [Markup] {
    let points = PublishedResults.selfCD.filter { ($0.alpha ?? .infinity) <= last }
    return points.map {
      Draw.marker(SeriesStyle(5), frame.x($0.alpha ?? 0), frame.y($0.rate / 100), size: 4)
    }
      + points.prefix(1).map {
        Draw.text(
          "× paper, LLaMA2-7B on XSTest-Safe", frame.x($0.alpha ?? 0) + 10, frame.y($0.rate / 100) - 8, "m halo")
      }
  }

  private func description(_ members: [(alpha: Double, rates: ReportPooled)]) -> String {
    members.map { member in
      "α \(Figures.parameter(member.alpha)): "
        + [Sample.Label.safe, .harmful].compactMap { label in
          member.rates.rate(label).map { "\(Figures.percent($0.rate)) of \(Wording.label(label))" }
        }.joined(separator: ", ") + "."
    }.joined(separator: " ")
  }
}
