/// Why directions could not be extracted.
public enum DirectionStudyError: Error, Sendable, Equatable, CustomStringConvertible {
  /// A label, or what is left of it, has too few prompts; `what` names them in the plural.
  case tooFew(what: String, found: Int)

  /// The error in words, with what to try.
  public var description: String {
    switch self {
    case .tooFew(let what, let found):
      """
      There are only \(found) \(what), too few to extract a direction, select it and test it. Give more of them; a model \
      that hardly over-refuses under this safety prompt has no false-refusal vector to find.
      """
    }
  }
}
