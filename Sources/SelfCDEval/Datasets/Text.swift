import Foundation

extension String {
  /// Without leading and trailing white space and line ends.
  func trimmingSpaces() -> String {
    trimmingCharacters(in: .whitespacesAndNewlines)
  }
}
