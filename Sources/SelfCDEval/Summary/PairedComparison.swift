/// What a condition changes against another on the same prompts.
public struct PairedComparison: Codable, Sendable, Hashable {
  /// The condition compared with.
  public var reference: String
  /// Prompts that both conditions answered.
  public var n: Int
  /// This rate less the reference's, with a paired bootstrap interval.
  public var difference: ConfidenceInterval
  /// Prompts refused under this condition only.
  public var onlyHere: Int
  /// Prompts refused under the reference only.
  public var onlyReference: Int
  /// McNemar's exact two-sided p-value.
  public var pValue: Double
  /// The same after Holm's correction over all conditions on the same set.
  public var adjustedPValue: Double

  /// Resamples of the bootstrap: its ends then vary by about 2 % of the interval's width.
  static let resamples = 2_000

  /// Compares paired outcomes; `here[i]` and `reference[i]` belong to the same prompt.
  /// - Throws: `StatisticsError` for unpaired or empty lists.
  init(
    _ here: [Bool], against reference: [Bool], named name: String, seed: UInt64
  ) throws(StatisticsError) {
    let test = try McNemarTest(first: here, second: reference)
    self.reference = name
    n = here.count
    difference = try PairedBootstrap.difference(
      here.map { $0 ? 1 : 0 }, reference.map { $0 ? 1 : 0 }, resamples: Self.resamples, seed: seed)
    onlyHere = test.firstOnly
    onlyReference = test.secondOnly
    pValue = test.pValue
    adjustedPValue = test.pValue
  }
}
