import SelfCDStatistics

/// Means over prompts and their intervals, for a terminal.
enum MeanText {
  /// For example "0.610 [0.593, 0.627]", or "0.610 [–]" without an interval.
  static func cell(_ mean: BootstrapMean, _ number: (Double) -> String) -> String {
    guard let interval = mean.interval else { return "\(number(mean.estimate)) [–]" }
    return "\(number(mean.estimate)) [\(number(interval.low)), \(number(interval.high))]"
  }

  /// What is resampled, for a sentence.
  /// - Parameter group: The column with the groups; nil where prompts are not grouped.
  static func resampled(by group: String?) -> String {
    group.map { "groups of column '\(TerminalText.singleLine($0))'" } ?? "prompts"
  }

  /// Why some of the means have no interval; nil where all have one.
  static func remark(_ means: [BootstrapMean], group: String?) -> String? {
    guard means.contains(where: { $0.interval == nil }) else { return nil }
    return group == nil
      ? "[–]: no interval, since one prompt says nothing about others."
      : oneGroup
  }

  /// Why figures of grouped prompts have no interval.
  static let oneGroup = "[–]: no interval, since the prompts of one group say nothing about others."
}
