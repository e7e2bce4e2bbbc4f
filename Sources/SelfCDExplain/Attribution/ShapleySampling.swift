import SelfCD

/// Shapley values by sampling orders (Castro, Gómez and Tejada, "Polynomial calculation of the Shapley value based on
/// sampling", 2009), each order followed by its reverse, which removes much of the variance (antithetic sampling,
/// Mitchell et al., arXiv 2104.12199).
///
/// Words are put in one by one, in a random order, into the prompt that has none; a word's contribution is by how much
/// the score changes when it comes. In every order the contributions add up to the score of the whole prompt less that
/// of the empty one, so the estimates do too, exactly (efficiency). Standard errors are over pairs of orders.
public struct ShapleySampling: Codable, Sendable, Hashable {
  /// Pairs of an order and its reverse.
  public var pairs: Int
  /// The same seed gives the same orders.
  public var seed: UInt64

  /// Makes a sampling.
  public init(pairs: Int = 16, seed: UInt64 = 0) {
    self.pairs = pairs
    self.seed = seed
  }

  /// The orders that are sampled: each pair's own, then its reverse.
  func orders(count: Int) -> [[Int]] {
    var generator = SplitMix64(seed: seed)
    return (0..<pairs).flatMap { _ in
      var order = Array(0..<count)
      // Written out, so that a seed keeps its meaning across Swift versions.
      for index in stride(from: count - 1, to: 0, by: -1) {
        order.swapAt(index, Int(generator.next().multipliedFullWidth(by: UInt64(index + 1)).high))
      }
      return [order, order.reversed()]
    }
  }

  /// The sets of words whose scores are needed: of each order its beginnings, from none to all.
  /// - Throws: ``ExplanationError/outOfRange(what:value:allowed:)`` for less than one pair.
  func coalitions(count: Int) throws(ExplanationError) -> [[Int]] {
    guard pairs >= 1 else {
      throw .outOfRange(
        what: "the number of sampled pairs of orders", value: "\(pairs)", allowed: "1 or more")
    }
    return orders(count: count).flatMap { order in (0...count).map { Array(order.prefix($0)) } }
  }

  /// The values of `count` players with their standard errors.
  /// - Parameter values: The scores of ``coalitions(count:)``, in their order.
  func estimate(_ values: [Double], count: Int) -> (effects: [Double], standardErrors: [Double]?) {
    var sums = Array(repeating: Array(repeating: 0.0, count: count), count: pairs)
    for (number, order) in orders(count: count).enumerated() {
      let start = number * (count + 1)
      for (position, player) in order.enumerated() {
        sums[number / 2][player] += (values[start + position + 1] - values[start + position]) / 2
      }
    }
    let n = Double(pairs)
    let means = (0..<count).map { player in sums.reduce(0) { $0 + $1[player] } / n }
    guard pairs > 1 else { return (means, nil) }
    let errors = (0..<count).map { player in
      let squares = sums.reduce(0) { $0 + ($1[player] - means[player]) * ($1[player] - means[player]) }
      return (squares / (n - 1) / n).squareRoot()
    }
    return (means, errors)
  }
}
