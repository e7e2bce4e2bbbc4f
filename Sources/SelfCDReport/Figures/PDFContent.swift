import SelfCDSupport

/// The marks of a drawing as operators of PDF. The origin is the bottom left corner, and units are points.
struct PDFContent {
  /// All of it is ASCII.
  private(set) var stream = ""
  /// The opacities that marks have besides 1, each once, as they are written.
  private(set) var opacities: [String] = []
  /// The page's size.
  let page: (width: String, height: String)
  private let height: Double

  init(_ drawing: Drawing) {
    height = drawing.height
    page = (width: Self.points(drawing.width), height: Self.points(drawing.height))
    var lines: [String] = []
    for mark in drawing.marks { lines += operators(mark) }
    stream = lines.joined(separator: "\n")
  }

  /// The name of the state that sets an opacity.
  static func state(_ opacity: String) -> String { "O" + opacity.replacing(".", with: "_") }

  // MARK: Marks

  private mutating func operators(_ mark: Mark) -> [String] {
    switch mark {
    case .line(let from, let to, let style, let width, let dash):
      let ink = Ink(style)
      return inState(
        ink.opacity,
        [
          Self.stroke(ink.color), Self.width(width), Self.dash(dash), "\(at(from)) m", "\(at(to)) l", "S",
        ])
    case .polyline(let points, let style, let width, let dash):
      guard points.count > 1 else { return [] }
      return inState(
        1, [Self.stroke(Ink(style).color), Self.width(width), Self.dash(dash), "1 j"] + path(points) + ["S"])
    case .area(let points, let style, let opacity):
      guard points.count > 2 else { return [] }
      return inState(opacity, [Self.fill(Ink(style).color)] + path(points) + ["h", "f"])
    case .cell(let corner, let width, let height, let style, let opacity, _):
      return rectangle(
        LabelPlacer.Box(x: corner.x, y: corner.y, width: width, height: height), Ink(style).color, opacity)
    case .text(let text, let point, let style, let anchor):
      let ink = Ink(style)
      let halo =
        ink.hasHalo
        ? rectangle(Drawing.halo(text, at: point, anchor: anchor, ink: ink), .white, Drawing.haloOpacity) : []
      let width = StandardFont.width(of: text, size: ink.textSize, isBold: ink.isBold)
      let left =
        switch anchor {
        case .start: point.x
        case .middle: point.x - width / 2
        case .end: point.x - width
        }
      return halo + letters(text, ink, "\(at((x: left, y: point.y))) Td")
    case .upright(let text, let point, let style):
      let ink = Ink(style)
      let width = StandardFont.width(of: text, size: ink.textSize, isBold: ink.isBold)
      // A quarter turn against the clock: the text runs upwards.
      return letters(text, ink, "0 1 -1 0 \(at((x: point.x, y: point.y + width / 2))) Tm")
    case .circle(let center, let radius, let style):
      return outlined(circle(center, radius), style)
    case .shape(let points, let style):
      guard points.count > 2 else { return [] }
      return outlined(path(points) + ["h"], style)
    }
  }

  /// A stroked and filled path; corners are cut as SVG cuts them.
  private mutating func outlined(_ path: [String], _ style: String) -> [String] {
    let ink = Ink(style)
    return inState(
      1, [Self.stroke(ink.color), Self.fill(ink.fill ?? ink.color), Self.width(2), "4 M"] + path + ["B"])
  }

  private mutating func rectangle(
    _ box: LabelPlacer.Box, _ color: Ink.Color, _ opacity: Double
  ) -> [String] {
    let corner = at((x: box.x, y: box.y + box.height))
    return inState(
      opacity,
      [Self.fill(color), "\(corner) \(Self.points(box.width)) \(Self.points(box.height)) re", "f"])
  }

  private mutating func letters(_ text: String, _ ink: Ink, _ place: String) -> [String] {
    let size = Self.points(ink.textSize)
    let runs = StandardFont.runs(text, isBold: ink.isBold).flatMap { run in
      ["/\(run.font.resource) \(size) Tf", "(\(Self.escaped(run.codes))) Tj"]
    }
    return inState(1, [Self.fill(ink.color), "BT", place] + runs + ["ET"])
  }

  /// Operators that leave no state behind.
  private mutating func inState(_ opacity: Double, _ operators: [String]) -> [String] {
    let written = NumberFormat.coordinate(opacity)
    guard written != "1" else { return ["q"] + operators + ["Q"] }
    if !opacities.contains(written) { opacities.append(written) }
    return ["q", "/\(Self.state(written)) gs"] + operators + ["Q"]
  }

  // MARK: Paths

  private func path(_ points: [Mark.Point]) -> [String] {
    points.enumerated().map { "\(at($0.element)) \($0.offset == 0 ? "m" : "l")" }
  }

  /// Four curves, each a quarter: 0.5523 brings their middle onto the circle.
  private func circle(_ center: Mark.Point, _ radius: Double) -> [String] {
    let reach = radius * 0.5523
    func point(_ x: Double, _ y: Double) -> String { at((x: center.x + x, y: center.y + y)) }
    return [
      "\(point(radius, 0)) m",
      "\(point(radius, reach)) \(point(reach, radius)) \(point(0, radius)) c",
      "\(point(-reach, radius)) \(point(-radius, reach)) \(point(-radius, 0)) c",
      "\(point(-radius, -reach)) \(point(-reach, -radius)) \(point(0, -radius)) c",
      "\(point(reach, -radius)) \(point(radius, -reach)) \(point(radius, 0)) c", "h",
    ]
  }

  /// A place on the page: drawings count from the top.
  private func at(_ point: Mark.Point) -> String {
    "\(Self.points(point.x)) \(Self.points(height - point.y))"
  }

  // MARK: Values

  private static func points(_ units: Double) -> String {
    NumberFormat.coordinate(units * Drawing.pointsPerUnit)
  }

  private static func width(_ units: Double) -> String { "\(points(units)) w" }

  /// An SVG dash pattern as PDF has it.
  private static func dash(_ pattern: String) -> String {
    let lengths = pattern.split(separator: " ").compactMap { Double($0) }.map(points)
    return "[\(lengths.joined(separator: " "))] 0 d"
  }

  private static func stroke(_ color: Ink.Color) -> String { "\(Self.color(color)) RG" }

  private static func fill(_ color: Ink.Color) -> String { "\(Self.color(color)) rg" }

  private static func color(_ color: Ink.Color) -> String {
    color.parts.map { "\(($0 * 1000).rounded() / 1000)" }.joined(separator: " ")
  }

  /// Codes between parentheses: what is no ASCII, as octal digits.
  private static func escaped(_ codes: [UInt8]) -> String {
    codes.map { code -> String in
      switch code {
      case UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: "\\"):
        return "\\" + String(Unicode.Scalar(code))
      case 0x20...0x7E: return String(Unicode.Scalar(code))
      default:
        let digits = String(code, radix: 8)
        return "\\" + String(repeating: "0", count: 3 - digits.count) + digits
      }
    }.joined()
  }
}
