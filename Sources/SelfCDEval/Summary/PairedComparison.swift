import SelfCDStatistics

/// What a condition changes against another on the same prompts: the one comparison that tables, JSON and reports show.
public struct PairedComparison: Codable, Sendable, Hashable {
  /// The condition compared with.
  public var reference: String
  /// Prompts that both conditions answered.
  public var n: Int
  /// This rate less the reference's, with Tango's score interval, or `GroupedInterval`'s where prompts come in groups.
  /// Without an interval its ends are −1 and 1.
  public var difference: ConfidenceInterval
  /// Prompts refused under this condition only.
  public var onlyHere: Int
  /// Prompts refused under the reference only.
  public var onlyReference: Int
  /// McNemar's exact two-sided p-value, or the sign-flip test's where prompts come in groups.
  public var pValue: Double
  /// The same after Holm's correction over all conditions on the same set. ``difference`` is not corrected for how many
  /// there are.
  public var adjustedPValue: Double
  /// The groups of prompts that interval and test go by; nil where they take prompts as independent.
  public var groups: Int?

  /// Whether the difference has an interval: fewer than two groups say nothing of others.
  public var hasInterval: Bool { groups.map { $0 >= BootstrapMean.fewestGroups } ?? true }

  /// Compares paired outcomes; `here[i]` and `reference[i]` belong to the same prompt.
  /// - Parameters:
  ///   - here: Whether the prompt is refused under this condition.
  ///   - reference: Whether it is under the other.
  ///   - name: The other condition's name.
  ///   - groups: The group of each prompt; nil takes prompts as independent.
  /// - Throws: `StatisticsError` for unpaired or empty lists.
  public init(
    _ here: [Bool], against reference: [Bool], named name: String, groups: [String]? = nil
  ) throws(StatisticsError) {
    let test = try McNemarTest(first: here, second: reference)
    self.reference = name
    n = here.count
    onlyHere = test.firstOnly
    onlyReference = test.secondOnly
    if let groups {
      let interval = try GroupedInterval.difference(here, reference, groups: groups)
      difference =
        interval
        ?? ConfidenceInterval(
          estimate: Double(test.firstOnly - test.secondOnly) / Double(here.count), low: -1, high: 1,
          confidence: 0.95)
      let differences = Self.differences(here, reference, groups)
      pValue = try SignFlipTest.pValue(differences)
      self.groups = differences.count
    } else {
      difference = try PairedScoreInterval.difference(
        firstOnly: test.firstOnly, secondOnly: test.secondOnly, n: here.count)
      pValue = test.pValue
    }
    adjustedPValue = pValue
  }

  /// Prompts refused here only less those refused there only, group by group in the order in which they come first.
  private static func differences(_ here: [Bool], _ reference: [Bool], _ groups: [String]) -> [Int] {
    var places: [String: Int] = [:]
    var differences: [Int] = []
    for (index, group) in groups.enumerated() {
      let difference = (here[index] ? 1 : 0) - (reference[index] ? 1 : 0)
      if let place = places[group] {
        differences[place] += difference
      } else {
        places[group] = differences.count
        differences.append(difference)
      }
    }
    return differences
  }

  /// Holm's correction over a family of comparisons: those of one set, that answer one question.
  /// - Parameters:
  ///   - family: The comparisons.
  ///   - tests: How many comparisons there would be if none had been selected; nil for as many as there are.
  /// - Throws: `StatisticsError` for a p-value outside [0, 1], or fewer tests than comparisons.
  public static func correct(
    _ family: inout [PairedComparison], outOf tests: Int? = nil
  ) throws(StatisticsError) {
    let adjusted = try HolmCorrection.adjusted(family.map(\.pValue), outOf: tests)
    for (index, value) in adjusted.enumerated() { family[index].adjustedPValue = value }
  }

  // MARK: Codable

  private enum CodingKeys: String, CodingKey {
    case reference, n, difference, onlyHere, onlyReference, pValue, adjustedPValue, groups
  }

  /// A difference whose ends may be missing.
  private struct Difference: Codable {
    var estimate: Double
    var low: Double?
    var high: Double?
    var confidence: Double

    enum CodingKeys: String, CodingKey { case estimate, low, high, confidence }

    init(_ interval: ConfidenceInterval, hasInterval: Bool) {
      estimate = interval.estimate
      low = hasInterval ? interval.low : nil
      high = hasInterval ? interval.high : nil
      confidence = interval.confidence
    }

    /// With null for missing ends, so that every difference has the same keys.
    func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode(estimate, forKey: .estimate)
      try container.encode(low, forKey: .low)
      try container.encode(high, forKey: .high)
      try container.encode(confidence, forKey: .confidence)
    }

    var interval: ConfidenceInterval {
      ConfidenceInterval(estimate: estimate, low: low ?? -1, high: high ?? 1, confidence: confidence)
    }
  }

  /// Reads a comparison; ends that are null are those of a difference without an interval.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    reference = try container.decode(String.self, forKey: .reference)
    n = try container.decode(Int.self, forKey: .n)
    difference = try container.decode(Difference.self, forKey: .difference).interval
    onlyHere = try container.decode(Int.self, forKey: .onlyHere)
    onlyReference = try container.decode(Int.self, forKey: .onlyReference)
    pValue = try container.decode(Double.self, forKey: .pValue)
    adjustedPValue = try container.decode(Double.self, forKey: .adjustedPValue)
    groups = try container.decodeIfPresent(Int.self, forKey: .groups)
  }

  /// Writes a comparison, with null for both ends of a difference that has no interval.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(reference, forKey: .reference)
    try container.encode(n, forKey: .n)
    try container.encode(Difference(difference, hasInterval: hasInterval), forKey: .difference)
    try container.encode(onlyHere, forKey: .onlyHere)
    try container.encode(onlyReference, forKey: .onlyReference)
    try container.encode(pValue, forKey: .pValue)
    try container.encode(adjustedPValue, forKey: .adjustedPValue)
    try container.encodeIfPresent(groups, forKey: .groups)
  }
}
