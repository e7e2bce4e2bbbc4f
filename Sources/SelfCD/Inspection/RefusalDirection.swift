/// A direction of the residual stream along which harmful prompts lie apart from harmless ones.
///
/// The difference of means at one layer and position (Arditi et al., arXiv 2406.11717, section 2.3). It is measured, and
/// what lies along it is projected; nothing in this project takes it out of a model.
public struct RefusalDirection: Encodable, Sendable, Hashable {
  /// The layer behind whose output the states lie, from 0.
  public let layer: Int
  /// The position, counted from the end of the prompt: −1 is the last token.
  public let position: Int
  /// Of length one.
  public let vector: [Float]
  /// The distance of the two means before it was scaled to length one.
  public let magnitude: Double

  /// - Parameters:
  ///   - harmful: the mean state of harmful prompts.
  ///   - harmless: the mean state of harmless prompts.
  ///   - layer: the layer behind whose output the states lie.
  ///   - position: their position, counted from the end of the prompt.
  /// - Throws: ``DirectionError`` where the means differ in length, are not finite, or are the same.
  public init(harmful: [Double], harmless: [Double], layer: Int, position: Int) throws(DirectionError) {
    let difference = try DirectionError.difference(harmful, harmless)
    magnitude = difference.reduce(0) { $0 + $1 * $1 }.squareRoot()
    guard magnitude > 0 else { throw .noDifference }
    self.layer = layer
    self.position = position
    let length = magnitude
    vector = difference.map { Float($0 / length) }
  }

  /// How far a state lies along the direction.
  public func projection(of state: [Float]) -> Double {
    zip(vector, state).reduce(0) { $0 + Double($1.0) * Double($1.1) }
  }
}

/// What remains of the direction from harmless to pseudo-harmful prompts once the refusal direction is taken out of it.
///
/// Wang et al., "Surgical, Cheap, and Flexible: Mitigating False Refusal in Language Models via Single Vector Ablation",
/// ICLR 2025, arXiv 2410.03415: w ← w − r̂ r̂ᵀ w. The only vector that can be ablated here, and the only way to make one
/// goes through a ``RefusalDirection``; it cannot be read from a file. What this cannot prevent: a refusal direction
/// made from the wrong prompts protects nothing, which is why ablation is always shown beside the harmful prompts it
/// loses.
public struct FalseRefusalVector: Encodable, Sendable, Hashable {
  /// The layer behind whose output the states lie, from 0.
  public let layer: Int
  /// Counted from the end of the prompt.
  public let position: Int
  /// Of length one, orthogonal to the refusal direction.
  public let vector: [Float]
  /// The cosine between the direction before and the refusal direction: how much of it was refusal.
  public let cosine: Double

  /// - Parameters:
  ///   - pseudoHarmful: the mean state of harmless prompts that look harmful and are refused.
  ///   - harmless: the mean state of harmless prompts.
  ///   - layer: the layer behind whose output the states lie.
  ///   - position: their position, counted from the end of the prompt.
  ///   - refusal: the direction to keep.
  /// - Throws: ``DirectionError``, also where nothing is left beside the refusal direction.
  public init(
    pseudoHarmful: [Double], harmless: [Double], layer: Int, position: Int,
    orthogonalTo refusal: RefusalDirection
  ) throws(DirectionError) {
    var difference = try DirectionError.difference(pseudoHarmful, harmless)
    guard difference.count == refusal.vector.count else {
      throw .differentLengths(difference.count, refusal.vector.count)
    }
    let length = difference.reduce(0) { $0 + $1 * $1 }.squareRoot()
    guard length > 0 else { throw .noDifference }
    let kept = refusal.vector.map(Double.init)
    let along = zip(difference, kept).reduce(0) { $0 + $1.0 * $1.1 }
    // The direction is of length one up to float32's rounding.
    let square = kept.reduce(0) { $0 + $1 * $1 }
    for index in difference.indices { difference[index] -= along / square * kept[index] }
    let rest = difference.reduce(0) { $0 + $1 * $1 }.squareRoot()
    guard rest > 1e-3 * length else { throw .onlyRefusal(cosine: along / length) }
    self.layer = layer
    self.position = position
    cosine = along / length
    vector = difference.map { Float($0 / rest) }
  }
}

/// Why no direction could be made.
public enum DirectionError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The widths of two mean states, which differ: they are of different models.
  case differentLengths(Int, Int)
  /// A mean state holds NaN or infinity.
  case notFinite
  /// Both sets of prompts have the same mean state.
  case noDifference
  /// The candidate lies along the refusal direction; what is left of it is below 0.1 % of its length. `cosine` is that
  /// of the two.
  case onlyRefusal(cosine: Double)

  /// The error in words.
  public var description: String {
    switch self {
    case .differentLengths(let a, let b): "Two states have different widths, \(a) and \(b)."
    case .notFinite: "A mean state is not finite."
    case .noDifference:
      "The two sets of prompts have the same mean state, so there is no direction between them."
    case .onlyRefusal(let cosine):
      "The false-refusal direction is the refusal direction itself (cosine \(cosine)): nothing of it can be ablated."
    }
  }

  static func difference(_ a: [Double], _ b: [Double]) throws(DirectionError) -> [Double] {
    guard a.count == b.count else { throw .differentLengths(a.count, b.count) }
    let difference = zip(a, b).map { $0 - $1 }
    guard difference.allSatisfy(\.isFinite) else { throw .notFinite }
    return difference
  }
}
