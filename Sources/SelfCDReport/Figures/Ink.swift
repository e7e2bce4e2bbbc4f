/// How a mark looks in print. Classes are those of the style sheet, colours those that it has for paper.
struct Ink: Hashable {
  struct Color: Hashable, Sendable {
    /// Red, green and blue, eight bits each.
    let value: UInt32

    static let white = Color(value: 0xFFFFFF)

    /// `#005a94`
    var hex: String {
      let digits = String(value, radix: 16)
      return "#" + String(repeating: "0", count: 6 - digits.count) + digits
    }

    /// From 0 to 1.
    var parts: [Double] { [16, 8, 0].map { Double((value >> $0) & 0xFF) / 255 } }
  }

  /// What strokes are drawn and texts are written in.
  var color = Color(value: 0x000000)
  /// What shapes are filled with.
  var fill: Color?
  var opacity = 1.0
  var textSize = 14.0
  var isBold = false
  /// Whether a text keeps what is below it off.
  var hasHalo = false

  /// The classes that set a colour.
  static let colors: [String: Color] = [
    "t": Color(value: 0x000000), "m": Color(value: 0x444444), "grid": Color(value: 0xBBBBBB),
    "axis": Color(value: 0x444444), "s0": Color(value: 0x005A94), "s1": Color(value: 0xB34700),
    "s2": Color(value: 0x00785A), "s3": Color(value: 0xA0487F), "s4": Color(value: 0x7A6200),
    "s5": Color(value: 0x444B52), "s6": Color(value: 0x2B7FB0),
  ]
  /// The classes that set something else.
  static let others: Set<String> = ["b", "halo", "faint", "solid", "hollow"]

  /// Reads the classes of a mark.
  init(_ style: String) {
    let classes = style.split(separator: " ").map(String.init)
    color = classes.lazy.compactMap { Self.colors[$0] }.first ?? color
    for name in classes {
      switch name {
      case "m": textSize = 13
      case "b": isBold = true
      case "halo": hasHalo = true
      case "faint": opacity = 0.5
      case "solid": fill = color
      case "hollow": fill = .white
      default: break
      }
    }
  }
}

extension Drawing {
  /// Points, of 1/72 inch, for a unit of the drawing: a wide drawing is six inches wide then, a narrow one as wide as a
  /// column of two, and texts have 8.4 points.
  static let pointsPerUnit = 0.6

  /// What lies under a text with a halo.
  static func halo(_ text: String, at point: Mark.Point, anchor: Draw.Anchor, ink: Ink) -> LabelPlacer.Box {
    let width = StandardFont.width(of: text, size: ink.textSize, isBold: ink.isBold)
    let left =
      switch anchor {
      case .start: point.x
      case .middle: point.x - width / 2
      case .end: point.x - width
      }
    return LabelPlacer.Box(
      x: left - 1, y: point.y - ink.textSize * 0.75, width: width + 2, height: ink.textSize)
  }

  static let haloOpacity = 0.8
}
