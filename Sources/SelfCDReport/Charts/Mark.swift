/// One shape of a drawing, in the drawing's units from its top left corner.
///
/// Its look is named by the style sheet's classes. The page, ``FigureSVG`` and ``FigurePDF`` draw the same marks, so that
/// no format has a chart of its own.
enum Mark: Sendable {
  typealias Point = (x: Double, y: Double)

  case line(from: Point, to: Point, style: String, width: Double, dash: String)
  case polyline([Point], style: String, width: Double, dash: String)
  /// A filled outline without a stroke.
  case area([Point], style: String, opacity: Double)
  /// A filled rectangle with a name.
  case cell(at: Point, width: Double, height: Double, style: String, opacity: Double, name: String)
  /// A text whose baseline is at the point.
  case text(String, at: Point, style: String, anchor: Draw.Anchor)
  /// A text around the point, read from below.
  case upright(String, at: Point, style: String)
  /// A stroked circle, filled or hollow.
  case circle(at: Point, radius: Double, style: String)
  /// A stroked outline, filled or hollow.
  case shape([Point], style: String)
}

/// A chart as marks, before any format writes it.
struct Drawing: Sendable {
  /// Unique in a page.
  let id: String
  let width: Double
  let height: Double
  let title: String
  /// For those who do not see it.
  let description: String
  /// For screens of which kind it is; nil for all of them.
  var fit: Draw.Width?
  let marks: [Mark]
}

/// Whatever comes to one or two drawings: two where it is drawn for wide and for narrow places.
protocol Chart {
  /// The wide drawing first; empty where there is nothing to draw.
  var drawings: [Drawing] { get }
}

extension Chart {
  /// The drawings as the page has them; nil where there is nothing to draw.
  func draw() -> Markup? {
    let drawings = drawings
    return drawings.isEmpty ? nil : Markup(drawings.map(\.markup))
  }
}
