import SelfCDData

/// Why directions could not be extracted.
public enum DirectionStudyError: Error, Sendable, Equatable, CustomStringConvertible {
  /// No prompt has this label.
  case noPrompts(Sample.Label)
  /// A label, or what is left of it, has too few prompts; `what` names them in the plural.
  case tooFew(what: String, found: Int)
  /// Groups go to one part whole, and with these a part of a label has too few prompts.
  case groupsTooLarge(column: String, set: Sample.Label, training: Int, validation: Int, test: Int)

  /// The error in words, with what to try.
  public var description: String {
    switch self {
    case .noPrompts(let label):
      """
      There are no \(label.rawValue) prompts; directions need safe, harmful and neutral ones. Give a file of them with \
      --\(label.rawValue), or with --data where its rows say so.
      """
    case .tooFew(let what, let found):
      """
      There are only \(found) \(what), too few to extract a direction, select it and test it. Give more of them; a model \
      that hardly over-refuses under this safety prompt has no false-refusal vector to find.
      """
    case .groupsTooLarge(let column, let set, let training, let validation, let test):
      """
      The groups of column '\(column)' are too large to share out the \(set.rawValue) prompts: \(training) to learn from, \
      \(validation) to select on and \(test) to compare. Name a column with smaller groups, or give more prompts.
      """
    }
  }
}
