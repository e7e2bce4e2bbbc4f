import SelfCDSupport

/// A drawing as an SVG file of its own: every look is an attribute, since programs for papers read few style sheets.
struct FigureSVG {
  let drawing: Drawing

  /// What papers accept, with metrics like Helvetica's wherever one of them is there.
  static let fonts = "Helvetica, Arial, Liberation Sans, Nimbus Sans, sans-serif"

  /// The same drawing gives the same bytes.
  var text: String {
    let size = { (units: Double) in "\(NumberFormat.coordinate(units * Drawing.pointsPerUnit))pt" }
    let figure = tag(
      "svg",
      [
        "xmlns": "http://www.w3.org/2000/svg", "width": size(drawing.width), "height": size(drawing.height),
        "viewBox":
          "0 0 \(NumberFormat.coordinate(drawing.width)) \(NumberFormat.coordinate(drawing.height))",
        "font-family": Self.fonts, "role": "img",
        "aria-labelledby": "\(drawing.id)-title \(drawing.id)-desc",
      ]
    ) {
      tag("title", ["id": "\(drawing.id)-title"]) { drawing.title }
      tag("desc", ["id": "\(drawing.id)-desc"]) { drawing.description }
      Markup(drawing.marks.map(Self.markup))
    }
    return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n" + figure.html + "\n"
  }

  private static func markup(_ mark: Mark) -> Markup {
    switch mark {
    case .line(let from, let to, let style, let width, let dash):
      let ink = Ink(style)
      return tag(
        "line",
        [
          "x1": NumberFormat.coordinate(from.x), "y1": NumberFormat.coordinate(from.y),
          "x2": NumberFormat.coordinate(to.x), "y2": NumberFormat.coordinate(to.y), "stroke": ink.color.hex,
          "stroke-width": NumberFormat.coordinate(width), "stroke-dasharray": dash,
          "stroke-opacity": NumberFormat.coordinate(ink.opacity),
        ])
    case .polyline(let points, let style, let width, let dash):
      return tag(
        "polyline",
        [
          "points": Mark.list(points), "fill": "none", "stroke": Ink(style).color.hex,
          "stroke-width": NumberFormat.coordinate(width), "stroke-dasharray": dash,
          "stroke-linejoin": "round",
        ])
    case .area(let points, let style, let opacity):
      return tag(
        "polygon",
        [
          "points": Mark.list(points), "fill": Ink(style).color.hex,
          "fill-opacity": NumberFormat.coordinate(opacity), "stroke": "none",
        ])
    case .cell(let corner, let width, let height, let style, let opacity, _):
      return rectangle(
        LabelPlacer.Box(x: corner.x, y: corner.y, width: width, height: height), Ink(style).color, opacity)
    case .text(let text, let point, let style, let anchor):
      let ink = Ink(style)
      let halo =
        ink.hasHalo
        ? rectangle(
          Drawing.halo(text, at: point, anchor: anchor, ink: ink), .white, Drawing.haloOpacity) : .empty
      return Markup([
        halo,
        tag(
          "text",
          [
            "x": NumberFormat.coordinate(point.x), "y": NumberFormat.coordinate(point.y),
            "text-anchor": anchor.rawValue, "font-size": NumberFormat.coordinate(ink.textSize),
            "font-weight": ink.isBold ? "bold" : "normal", "fill": ink.color.hex,
          ]
        ) { text },
      ])
    case .upright(let text, let point, let style):
      let ink = Ink(style)
      return tag(
        "text",
        [
          "transform": Mark.turned(at: point), "text-anchor": "middle",
          "font-size": NumberFormat.coordinate(ink.textSize), "fill": ink.color.hex,
        ]
      ) { text }
    case .circle(let center, let radius, let style):
      let ink = Ink(style)
      return tag(
        "circle",
        [
          "cx": NumberFormat.coordinate(center.x), "cy": NumberFormat.coordinate(center.y),
          "r": NumberFormat.coordinate(radius), "fill": (ink.fill ?? ink.color).hex,
          "stroke": ink.color.hex, "stroke-width": "2",
        ])
    case .shape(let points, let style):
      let ink = Ink(style)
      return tag(
        "polygon",
        [
          "points": Mark.list(points), "fill": (ink.fill ?? ink.color).hex, "stroke": ink.color.hex,
          "stroke-width": "2",
        ])
    }
  }

  private static func rectangle(_ box: LabelPlacer.Box, _ color: Ink.Color, _ opacity: Double) -> Markup {
    tag(
      "rect",
      [
        "x": NumberFormat.coordinate(box.x), "y": NumberFormat.coordinate(box.y),
        "width": NumberFormat.coordinate(box.width), "height": NumberFormat.coordinate(box.height),
        "fill": color.hex, "fill-opacity": NumberFormat.coordinate(opacity),
      ])
  }
}
