/// How often one labelling meets another: rows are the reference, columns what was judged.
public struct ConfusionMatrix: Codable, Sendable, Hashable {
  /// The names of the classes, for rows and columns alike.
  public let labels: [String]
  /// `counts[r][c]`: items of reference class r that were put in class c. Shape: labels × labels.
  public private(set) var counts: [[Int]]

  /// An empty matrix over `labels`; a label given twice counts once.
  public init(labels: [String]) {
    var seen: Set<String> = []
    self.labels = labels.filter { seen.insert($0).inserted }
    counts = Array(repeating: Array(repeating: 0, count: self.labels.count), count: self.labels.count)
  }

  /// The matrix of two labellings of the same items, over `labels` first and any further ones as they come.
  /// - Throws: `StatisticsError.unpaired` for lists of different lengths.
  public init(reference: [String], judged: [String], labels: [String] = []) throws(StatisticsError) {
    guard reference.count == judged.count else {
      throw .unpaired(first: reference.count, second: judged.count)
    }
    self.init(labels: labels + reference + judged)
    let index = Dictionary(uniqueKeysWithValues: zip(self.labels, self.labels.indices))
    for (r, j) in zip(reference, judged) {
      if let row = index[r], let column = index[j] { counts[row][column] += 1 }
    }
  }

  /// Items counted.
  public var total: Int { counts.reduce(0) { $0 + $1.reduce(0, +) } }

  /// Items on the diagonal.
  public var agreeing: Int { labels.indices.reduce(0) { $0 + counts[$1][$1] } }

  /// The share on the diagonal.
  /// - Throws: `StatisticsError.empty` when nothing was counted.
  public func accuracy() throws(StatisticsError) -> Double {
    guard total > 0 else { throw .empty(what: "the accuracy") }
    return Double(agreeing) / Double(total)
  }

  /// Cohen's κ: agreement beyond what the two labellings' own frequencies would give by chance.
  ///
  /// J. Cohen, "A coefficient of agreement for nominal scales", Educational and Psychological Measurement 20
  /// (1960): κ = (p_o − p_e) / (1 − p_e). When both labellings use one and the same class throughout, p_e is 1
  /// and κ is 0/0; it is given as 1 then, since every item agrees.
  /// - Throws: `StatisticsError.empty` when nothing was counted.
  public func kappa() throws(StatisticsError) -> Double {
    let observed = try accuracy()
    let n = Double(total)
    var expected = 0.0
    for k in labels.indices {
      let row = Double(counts[k].reduce(0, +))
      let column = Double(counts.reduce(0) { $0 + $1[k] })
      expected += (row / n) * (column / n)
    }
    if 1 - expected < 1e-15 { return 1 }
    return (observed - expected) / (1 - expected)
  }
}
