/// Finds room for labels beside points: of a few places around each, the one that covers least.
struct LabelPlacer {
  struct Box: Hashable {
    var x: Double
    var y: Double
    var width: Double
    var height: Double

    func overlap(_ other: Box) -> Double {
      let w = min(x + width, other.x + other.width) - max(x, other.x)
      let h = min(y + height, other.y + other.height) - max(y, other.y)
      return w > 0 && h > 0 ? w * h : 0
    }
  }

  struct Placement: Hashable {
    /// Where the text's baseline begins.
    var x: Double
    var y: Double
    var box: Box
    /// Whether the label stands so far off that a line has to lead to it.
    var needsLeader: Bool
  }

  let bounds: Box
  private var obstacles: [(box: Box, weight: Double)] = []

  init(bounds: Box) { self.bounds = bounds }

  /// Keeps labels off a box; the heavier, the more.
  mutating func avoid(_ box: Box, weight: Double) { obstacles.append((box, weight)) }

  /// An estimate that is rather too wide: no font can be measured here.
  static func width(of text: String) -> Double { Double(text.count) * 7.7 }

  /// Keeps labels off a line between two points.
  mutating func avoidLine(_ from: (x: Double, y: Double), _ to: (x: Double, y: Double), weight: Double) {
    let pieces = max(1, Int(max(abs(to.x - from.x), abs(to.y - from.y)) / 6))
    for piece in 0...pieces {
      let share = Double(piece) / Double(pieces)
      let x = from.x + (to.x - from.x) * share
      let y = from.y + (to.y - from.y) * share
      avoid(Box(x: x - 3, y: y - 3, width: 6, height: 6), weight: weight)
    }
  }

  /// A place for a label of the point at (`x`, `y`); later labels keep off it.
  mutating func place(_ text: String, x: Double, y: Double) -> Placement {
    let width = Self.width(of: text)
    let height = 15.0
    var best: (cost: Double, placement: Placement)?
    let sides: [(Double, Double)] = [
      (1, 0), (-1, 0), (0, -1), (0, 1), (1, -1), (1, 1), (-1, -1), (-1, 1),
    ]
    for distance in [9.0, 20, 34, 52, 72] {
      for (dx, dy) in sides {
        let left = dx > 0 ? x + distance : dx < 0 ? x - distance - width : x - width / 2
        let top =
          dy == 0 ? y - height / 2 : dy < 0 ? y - distance - height + (dx == 0 ? 0 : 4) : y + distance - 2
        let box = Box(x: left, y: top, width: width, height: height)
        var cost = distance + (dx == 0 ? 1 : 0) + (dx < 0 ? 0.5 : 0)
        cost += (width * height - box.overlap(bounds)) * 10
        for obstacle in obstacles { cost += box.overlap(obstacle.box) * obstacle.weight }
        if best.map({ cost < $0.cost }) ?? true {
          best = (cost, Placement(x: left, y: top + 12, box: box, needsLeader: distance > 9))
        }
      }
    }
    let placement =
      best?.placement
      ?? Placement(
        x: bounds.x, y: bounds.y + height,
        box: Box(x: bounds.x, y: bounds.y, width: width, height: height), needsLeader: false)
    avoid(placement.box, weight: 4)
    return placement
  }
}
