import Foundation

/// A token with its probability in one distribution.
public struct Candidate: Codable, Sendable, Hashable {
  /// The token's index in the vocabulary.
  public let token: TokenID
  /// Its probability, 0 … 1, rounded to single precision.
  public let probability: Float
  /// Natural logarithm of the probability, in double precision: the probability itself is rounded.
  public let logProbability: Double

  /// Makes a candidate of a token and its natural log-probability (nats), from which the probability follows.
  public init(token: TokenID, logProbability: Double) {
    self.token = token
    self.logProbability = logProbability
    probability = Float(exp(logProbability))
  }
}

/// The most likely tokens of a row, best first, ties by lower id.
public enum TopCandidates {
  /// The `count` most likely tokens under softmax of the row, best first.
  ///
  /// - Parameters:
  ///   - count: how many at most; excluded tokens (`-inf`) are never among them.
  ///   - row: raw logits or scores, `[vocabulary size]`.
  /// - Returns: empty where `count` is 0 or less, or no token has a finite score.
  public static func select(_ count: Int, from row: [Float]) -> [Candidate] {
    guard count > 0 else { return [] }
    let normaliser = Softmax.logSumExp(row)
    guard normaliser > -.infinity else { return [] }
    return indices(count, of: row).map {
      Candidate(token: TokenID($0), logProbability: Double(row[$0]) - normaliser)
    }
  }

  /// Above this many, sorting the row beats inserting into a list.
  private static let insertionLimit = 128

  /// Indices of the `count` greatest entries above `-inf`, best first. Linear in the row for a small `count`.
  static func indices(_ count: Int, of row: [Float]) -> [Int] {
    if count > insertionLimit {
      let sorted = row.indices.filter { row[$0] > -.infinity }.sorted { (row[$1], $0) < (row[$0], $1) }
      return Array(sorted.prefix(count))
    }
    var kept: [Int] = []
    kept.reserveCapacity(count + 1)
    for index in row.indices where row[index] > -.infinity {
      if kept.count == count, !(row[index] > row[kept[count - 1]]) { continue }
      let position = kept.partitioningIndex { row[$0] < row[index] }
      kept.insert(index, at: position)
      if kept.count > count { kept.removeLast() }
    }
    return kept
  }
}

extension [Int] {
  /// First position whose element satisfies a predicate that is false before it and true behind it.
  fileprivate func partitioningIndex(where belongsBehind: (Int) -> Bool) -> Int {
    var low = 0
    var high = count
    while low < high {
      let middle = (low + high) / 2
      if belongsBehind(self[middle]) { high = middle } else { low = middle + 1 }
    }
    return low
  }
}
