/// How a strategy is drawn: a shape and a dash first, a colour besides.
struct SeriesStyle: Sendable, Hashable {
  enum Shape: Int, Sendable, CaseIterable {
    case circle, square, triangle, diamond, wedge, cross, plus
  }

  let shape: Shape
  /// An SVG dash pattern; "none" for an unbroken line.
  let dash: String
  /// The class that sets the colour.
  let style: String

  private static let dashes = ["none", "7 4", "2 3", "9 3 2 3", "12 4", "4 2", "1 5"]

  /// The style of the nth strategy of a run.
  init(_ index: Int) {
    let count = Shape.allCases.count
    shape = Shape(rawValue: index % count) ?? .circle
    dash = Self.dashes[index % Self.dashes.count]
    style = "s\(index % count)"
  }

  /// Styles by strategy, in the order in which a run first names them.
  static func byStrategy(_ conditions: [ReportCondition]) -> [String: SeriesStyle] {
    var styles: [String: SeriesStyle] = [:]
    for condition in conditions where styles[condition.strategy] == nil {
      styles[condition.strategy] = SeriesStyle(styles.count)
    }
    return styles
  }

  static let safe = SeriesStyle(0)
  static let harmful = SeriesStyle(1)
}
