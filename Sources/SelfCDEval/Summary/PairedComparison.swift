import SelfCDStatistics

/// What a condition changes against another on the same prompts: the one comparison that tables, JSON and reports show.
public struct PairedComparison: Codable, Sendable, Hashable {
  /// The condition compared with.
  public var reference: String
  /// Prompts that both conditions answered.
  public var n: Int
  /// This rate less the reference's, with Tango's score interval.
  public var difference: ConfidenceInterval
  /// Prompts refused under this condition only.
  public var onlyHere: Int
  /// Prompts refused under the reference only.
  public var onlyReference: Int
  /// McNemar's exact two-sided p-value.
  public var pValue: Double
  /// The same after Holm's correction over all conditions on the same set.
  public var adjustedPValue: Double

  /// Compares paired outcomes; `here[i]` and `reference[i]` belong to the same prompt.
  /// - Parameters:
  ///   - here: Whether the prompt is refused under this condition.
  ///   - reference: Whether it is under the other.
  ///   - name: The other condition's name.
  /// - Throws: `StatisticsError` for unpaired or empty lists.
  public init(_ here: [Bool], against reference: [Bool], named name: String) throws(StatisticsError) {
    let test = try McNemarTest(first: here, second: reference)
    self.reference = name
    n = here.count
    difference = try PairedScoreInterval.difference(
      firstOnly: test.firstOnly, secondOnly: test.secondOnly, n: here.count)
    onlyHere = test.firstOnly
    onlyReference = test.secondOnly
    pValue = test.pValue
    adjustedPValue = test.pValue
  }

  /// Holm's correction over a family of comparisons: those of one set, that answer one question.
  /// - Throws: `StatisticsError` for a p-value outside [0, 1].
  public static func correct(_ family: inout [PairedComparison]) throws(StatisticsError) {
    let adjusted = try HolmCorrection.adjusted(family.map(\.pValue))
    for (index, value) in adjusted.enumerated() { family[index].adjustedPValue = value }
  }
}
