import SelfCDData
import SelfCDStatistics
import SelfCDSupport

/// How the prompts of a run are grouped: those with one value in a column stand and fall together.
public struct PromptGrouping: Codable, Sendable, Hashable {
  /// The column.
  public var column: String
  /// Groups among the harmless prompts; nil where there are none.
  public var safe: Int?
  /// Groups among the harmful prompts.
  public var harmful: Int?
  /// Groups among the neutral prompts.
  public var neutral: Int?

  /// Makes a grouping; `groups` are those among the prompts of each label.
  public init(column: String, groups: [Sample.Label: Int]) {
    self.column = column
    safe = groups[.safe]
    harmful = groups[.harmful]
    neutral = groups[.neutral]
  }

  /// What intervals do with the groups, as the rest of a sentence that begins with "95 %" or the like.
  package var intervals: String {
    let counts = [(safe, "harmless"), (harmful, "harmful"), (neutral, "neutral")].compactMap { count, name in
      count.map { "\(NumberFormat.counted($0, "group")) of \(name)" }
    }
    let name = UntrustedText.singleLine(column)
    guard let last = counts.last else { return "intervals resample whole groups (column \(name))" }
    let list = counts.count > 1 ? counts.dropLast().joined(separator: ", ") + " and " + last : last
    return "intervals resample \(list) prompts (column \(name))"
  }

  /// Why the interval of a rate of 0 or 1 may be far wider than that of another rate of as many prompts.
  package static let withoutSpread =
    "Where all prompts have the same outcome, so that the rate is 0 % or 100 %, nothing shows how far outcomes go by "
    + "groups: the interval is then that of as many independent prompts as there are groups, with Student's t for so few."

  /// Said where prompts of some label have too few groups for an interval.
  package var missingIntervals: String? {
    let counts = [safe, harmful, neutral].compactMap(\.self)
    return counts.contains { $0 < BootstrapMean.fewestGroups }
      ? "From a single group nothing can be said of others, so that there is no interval." : nil
  }
}
