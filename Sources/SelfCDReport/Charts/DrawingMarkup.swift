import SelfCDSupport

extension Drawing {
  /// The drawing as the page has it: colours and fonts are those of the page's style sheet.
  var markup: Markup {
    tag("div", ["class": fit?.style ?? "scroll", "tabindex": "0", "role": "region", "aria-label": title]) {
      tag(
        "svg",
        [
          "xmlns": "http://www.w3.org/2000/svg",
          "viewBox": "0 0 \(NumberFormat.coordinate(width)) \(NumberFormat.coordinate(height))",
          "role": "img", "aria-labelledby": "\(id)-title \(id)-desc",
        ]
      ) {
        tag("title", ["id": "\(id)-title"]) { title }
        tag("desc", ["id": "\(id)-desc"]) { description }
        Markup(marks.map(\.markup))
      }
    }
  }
}

extension Mark {
  /// Points as SVG lists them.
  static func list(_ points: [Point]) -> String {
    points.map { "\(NumberFormat.coordinate($0.x)),\(NumberFormat.coordinate($0.y))" }.joined(separator: " ")
  }

  /// Where an upright text is put and turned.
  static func turned(at point: Point) -> String {
    "translate(\(NumberFormat.coordinate(point.x)) \(NumberFormat.coordinate(point.y))) rotate(-90)"
  }

  fileprivate var markup: Markup {
    switch self {
    case .line(let from, let to, let style, let width, let dash):
      tag(
        "line",
        [
          "class": style, "x1": NumberFormat.coordinate(from.x), "y1": NumberFormat.coordinate(from.y),
          "x2": NumberFormat.coordinate(to.x), "y2": NumberFormat.coordinate(to.y), "stroke": "currentColor",
          "stroke-width": NumberFormat.coordinate(width), "stroke-dasharray": dash,
        ])
    case .polyline(let points, let style, let width, let dash):
      tag(
        "polyline",
        [
          "class": style, "points": Self.list(points), "fill": "none", "stroke": "currentColor",
          "stroke-width": NumberFormat.coordinate(width), "stroke-dasharray": dash,
          "stroke-linejoin": "round",
        ])
    case .area(let points, let style, let opacity):
      tag(
        "polygon",
        [
          "class": style, "points": Self.list(points), "fill": "currentColor",
          "fill-opacity": NumberFormat.coordinate(opacity), "stroke": "none",
        ])
    case .cell(let corner, let width, let height, let style, let opacity, let name):
      tag(
        "rect",
        [
          "class": style, "x": NumberFormat.coordinate(corner.x), "y": NumberFormat.coordinate(corner.y),
          "width": NumberFormat.coordinate(width), "height": NumberFormat.coordinate(height),
          "fill": "currentColor", "fill-opacity": NumberFormat.coordinate(opacity),
        ]
      ) { tag("title") { name } }
    case .text(let text, let point, let style, let anchor):
      tag(
        "text",
        [
          "class": style, "x": NumberFormat.coordinate(point.x), "y": NumberFormat.coordinate(point.y),
          "text-anchor": anchor.rawValue,
        ]
      ) { text }
    case .upright(let text, let point, let style):
      tag("text", ["class": style, "text-anchor": "middle", "transform": Self.turned(at: point)]) { text }
    case .circle(let center, let radius, let style):
      tag(
        "circle",
        [
          "class": style, "cx": NumberFormat.coordinate(center.x), "cy": NumberFormat.coordinate(center.y),
          "r": NumberFormat.coordinate(radius), "stroke": "currentColor", "stroke-width": "2",
        ])
    case .shape(let points, let style):
      tag(
        "polygon",
        ["class": style, "points": Self.list(points), "stroke": "currentColor", "stroke-width": "2"])
    }
  }
}
