import SelfCDStatistics

/// Which prompts of a run a reader is shown: every changed pair, and a random sample of the others.
///
/// The sample is drawn without replacement within each of four cells: harmless and harmful prompts, unchanged and identical
/// texts. Unchanged texts get twice the share of identical ones, since only they can hide a change; what a cell has no
/// prompts for goes to the others.
public struct AuditDesign: Codable, Sendable, Hashable {
  /// Pairs whose verdict did not change to read, over all cells; nil for all of them.
  public var sample: Int?
  /// The same seed draws the same pairs and the same order.
  public var seed: UInt64

  /// The sample unless told otherwise.
  public static let usualSample = 300

  /// Makes a design.
  public init(sample: Int? = Self.usualSample, seed: UInt64 = 0) {
    self.sample = sample
    self.seed = seed
  }

  /// Pairs that are read alike.
  struct Cell: Hashable {
    let isHarmful: Bool
    let kind: AuditPair.Kind

    /// The sampled cells in a fixed order, each with its share of the sample.
    static let sampled: [(cell: Cell, weight: Int)] = [
      (Cell(isHarmful: true, kind: .unchanged), 2), (Cell(isHarmful: true, kind: .identical), 1),
      (Cell(isHarmful: false, kind: .unchanged), 2), (Cell(isHarmful: false, kind: .identical), 1),
    ]
  }

  /// The places of the pairs to read, changed ones first.
  func places(in pairs: [AuditPair]) -> [Int] {
    var generator = Xoshiro256StarStar(seed: seed)
    return places(in: pairs, using: &generator)
  }

  /// The same with a generator that is used further.
  func places(in pairs: [AuditPair], using generator: inout Xoshiro256StarStar) -> [Int] {
    var cells: [Cell: [Int]] = [:]
    for (place, pair) in pairs.enumerated() {
      cells[Cell(isHarmful: pair.isHarmful, kind: pair.kind), default: []].append(place)
    }
    let available = Cell.sampled.map { cells[$0.cell]?.count ?? 0 }
    let wanted = Self.allocation(
      of: sample ?? pairs.count, available: available, weights: Cell.sampled.map(\.weight))
    var result = pairs.indices.filter { pairs[$0].kind == .changed }
    for (part, count) in zip(Cell.sampled, wanted) {
      result += generator.draw(count, of: cells[part.cell] ?? [])
    }
    return result
  }

  /// Shares `total` out by weight; what does not fit goes to those that have room.
  static func allocation(of total: Int, available: [Int], weights: [Int]) -> [Int] {
    var result = available.map { _ in 0 }
    var left = min(max(total, 0), available.reduce(0, +))
    while left > 0 {
      let open = available.indices.filter { result[$0] < available[$0] }
      let sum = open.reduce(0) { $0 + weights[$1] }
      guard sum > 0 else { break }
      let round = left
      for place in open {
        let share = max(1, round * weights[place] / sum)
        let added = min(share, available[place] - result[place], left)
        result[place] += added
        left -= added
      }
    }
    return result
  }
}
