import Foundation

/// The few shapes that the charts are made of.
enum Draw {
  enum Anchor: String {
    case start, middle, end
  }

  static func line(
    _ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, _ style: String, width: Double = 1,
    dash: String = "none"
  ) -> Mark {
    .line(from: (x: x1, y: y1), to: (x: x2, y: y2), style: style, width: width, dash: dash)
  }

  static func polyline(
    _ points: [Mark.Point], _ style: String, width: Double = 2, dash: String = "none"
  ) -> Mark {
    .polyline(points, style: style, width: width, dash: dash)
  }

  static func area(_ points: [Mark.Point], _ style: String, opacity: Double) -> Mark {
    .area(points, style: style, opacity: opacity)
  }

  /// A filled field of a grid that says what it stands for when pointed at.
  static func cell(
    _ x: Double, _ y: Double, _ width: Double, _ height: Double, _ style: String, opacity: Double,
    name: String
  ) -> Mark {
    .cell(at: (x: x, y: y), width: width, height: height, style: style, opacity: opacity, name: name)
  }

  static func text(
    _ text: String, _ x: Double, _ y: Double, _ style: String = "t", anchor: Anchor = .start
  ) -> Mark {
    .text(text, at: (x: x, y: y), style: style, anchor: anchor)
  }

  /// A vertical axis' title, read from below.
  static func upright(_ text: String, _ x: Double, _ y: Double) -> Mark {
    .upright(text, at: (x: x, y: y), style: "t")
  }

  /// A point; hollow ones let the page through.
  static func marker(
    _ series: SeriesStyle, _ x: Double, _ y: Double, size: Double = 6, isFilled: Bool = true
  ) -> Mark {
    let fill = isFilled ? "\(series.style) solid" : "\(series.style) hollow"
    if series.shape == .circle { return .circle(at: (x: x, y: y), radius: size, style: fill) }
    return .shape(outline(series.shape, size).map { (x: x + $0.x, y: y + $0.y) }, style: fill)
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
  ) -> [Mark] {
    let gap: Double = fit == .wide ? 40 : 32
    var x = fit == .wide ? x : 8
    return entries.flatMap { entry in
      defer { x += gap + LabelPlacer.width(of: entry.name) }
      return [
        marker(entry.style, x + 5, y - 4, size: 5, isFilled: entry.isFilled), text(entry.name, x + 18, y),
      ]
    }
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

    /// The class that shows it on its kind of screen.
    var style: String { self == .wide ? "scroll wide" : "scroll narrow" }
  }
}
