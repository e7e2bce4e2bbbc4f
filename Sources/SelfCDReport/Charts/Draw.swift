import Foundation
import SelfCDSupport

/// The few shapes that the charts are made of.
enum Draw {
  enum Anchor: String {
    case start, middle, end
  }

  static func line(
    _ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, _ style: String, width: Double = 1,
    dash: String = "none"
  ) -> Markup {
    tag(
      "line",
      [
        "class": style, "x1": NumberFormat.coordinate(x1), "y1": NumberFormat.coordinate(y1),
        "x2": NumberFormat.coordinate(x2), "y2": NumberFormat.coordinate(y2), "stroke": "currentColor",
        "stroke-width": NumberFormat.coordinate(width), "stroke-dasharray": dash,
      ])
  }

  static func polyline(
    _ points: [(x: Double, y: Double)], _ style: String, width: Double = 2, dash: String = "none"
  ) -> Markup {
    tag(
      "polyline",
      [
        "class": style, "points": list(points), "fill": "none", "stroke": "currentColor",
        "stroke-width": NumberFormat.coordinate(width), "stroke-dasharray": dash, "stroke-linejoin": "round",
      ])
  }

  static func area(_ points: [(x: Double, y: Double)], _ style: String, opacity: Double) -> Markup {
    tag(
      "polygon",
      [
        "class": style, "points": list(points), "fill": "currentColor",
        "fill-opacity": NumberFormat.coordinate(opacity), "stroke": "none",
      ])
  }

  /// A filled field of a grid that says what it stands for when pointed at.
  static func cell(
    _ x: Double, _ y: Double, _ width: Double, _ height: Double, _ style: String, opacity: Double,
    name: String
  ) -> Markup {
    tag(
      "rect",
      [
        "class": style, "x": NumberFormat.coordinate(x), "y": NumberFormat.coordinate(y),
        "width": NumberFormat.coordinate(width), "height": NumberFormat.coordinate(height),
        "fill": "currentColor",
        "fill-opacity": NumberFormat.coordinate(opacity),
      ]
    ) { tag("title") { name } }
  }

  static func text(
    _ text: String, _ x: Double, _ y: Double, _ style: String = "t", anchor: Anchor = .start
  ) -> Markup {
    tag(
      "text",
      [
        "class": style, "x": NumberFormat.coordinate(x), "y": NumberFormat.coordinate(y),
        "text-anchor": anchor.rawValue,
      ]
    ) { text }
  }

  /// A vertical axis' title, read from below.
  static func upright(_ text: String, _ x: Double, _ y: Double) -> Markup {
    let position = "\(NumberFormat.coordinate(x)) \(NumberFormat.coordinate(y))"
    return tag(
      "text",
      ["class": "t", "text-anchor": "middle", "transform": "translate(\(position)) rotate(-90)"]
    ) { text }
  }

  /// A point; hollow ones let the page through.
  static func marker(
    _ series: SeriesStyle, _ x: Double, _ y: Double, size: Double = 6, isFilled: Bool = true
  ) -> Markup {
    let fill = isFilled ? "\(series.style) solid" : "\(series.style) hollow"
    if series.shape == .circle {
      return tag(
        "circle",
        [
          "class": fill, "cx": NumberFormat.coordinate(x), "cy": NumberFormat.coordinate(y),
          "r": NumberFormat.coordinate(size), "stroke": "currentColor", "stroke-width": "2",
        ])
    }
    let outline = outline(series.shape, size).map { (x: x + $0.x, y: y + $0.y) }
    return tag(
      "polygon",
      ["class": fill, "points": list(outline), "stroke": "currentColor", "stroke-width": "2"])
  }

  private static func outline(_ shape: SeriesStyle.Shape, _ size: Double) -> [(x: Double, y: Double)] {
    func regular(_ corners: Int, turn: Double, radius: Double) -> [(x: Double, y: Double)] {
      (0..<corners).map { corner in
        let angle = turn + 2 * Double.pi * Double(corner) / Double(corners)
        return (radius * cos(angle), radius * sin(angle))
      }
    }
    let s = size * 0.4
    let arms: [(x: Double, y: Double)] = [
      (-s, -size), (s, -size), (s, -s), (size, -s), (size, s), (s, s), (s, size), (-s, size), (-s, s),
      (-size, s), (-size, -s), (-s, -s),
    ]
    switch shape {
    case .circle, .square: return regular(4, turn: .pi / 4, radius: size * 1.3)
    case .triangle: return regular(3, turn: -.pi / 2, radius: size * 1.35)
    case .diamond: return regular(4, turn: 0, radius: size * 1.35)
    case .wedge: return regular(3, turn: .pi / 2, radius: size * 1.35)
    case .plus: return arms
    case .cross:
      let half = 0.5.squareRoot()
      return arms.map { ((half * ($0.x - $0.y)), (half * ($0.x + $0.y))) }
    }
  }

  /// What shapes mean, on one line: beside a curve a name could be taken for the next one's.
  /// - Parameter fit: On narrow drawings the line begins at the edge and stands closer.
  static func legend(
    _ entries: [(style: SeriesStyle, isFilled: Bool, name: String)], x: Double, y: Double, fit: Width = .wide
  ) -> [Markup] {
    let gap: Double = fit == .wide ? 40 : 32
    var x = fit == .wide ? x : 8
    return entries.flatMap { entry in
      defer { x += gap + LabelPlacer.width(of: entry.name) }
      return [
        marker(entry.style, x + 5, y - 4, size: 5, isFilled: entry.isFilled), text(entry.name, x + 18, y),
      ]
    }
  }

  private static func list(_ points: [(x: Double, y: Double)]) -> String {
    points.map { "\(NumberFormat.coordinate($0.x)),\(NumberFormat.coordinate($0.y))" }.joined(separator: " ")
  }

  /// How wide a drawing is: it is drawn for screens of either kind, and the page shows the one that fits.
  enum Width: CaseIterable {
    case wide, narrow

    var units: Double { self == .wide ? 720 : 360 }
    /// Where axes end.
    var right: Double { units - (self == .wide ? 28 : 16) }
    /// Room for names of rows.
    func names(atMost most: Double) -> Double { self == .wide ? most : min(most, 120) }
    /// About as many ticks as there is room for.
    func ticks(_ count: Int) -> Int { self == .wide ? count : (count + 1) / 2 }
    /// Keeps the two apart.
    func id(_ id: String) -> String { self == .wide ? id : "\(id)-narrow" }

    fileprivate var style: String { self == .wide ? "scroll wide" : "scroll narrow" }
  }

  /// The same drawing for wide and for narrow screens; nil where there is nothing to draw.
  static func forEveryWidth(_ draw: (Width) -> Markup?) -> Markup? {
    let drawn = Width.allCases.compactMap(draw)
    return drawn.isEmpty ? nil : Markup(drawn)
  }

  /// A drawing with its title and description for those who do not see it.
  /// - Parameter fit: For screens of which kind it is; nil for all of them.
  static func chart(
    id: String, width: Double, height: Double, title: String, description: String, fit: Width? = nil,
    _ content: [Markup]
  ) -> Markup {
    let style = fit?.style ?? "scroll"
    return tag("div", ["class": style, "tabindex": "0", "role": "region", "aria-label": title]) {
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
        Markup(content)
      }
    }
  }
}
