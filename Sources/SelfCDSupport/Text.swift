import Foundation

extension String {
  /// Without leading and trailing white space and line ends.
  package func trimmingSpaces() -> String {
    trimmingCharacters(in: .whitespacesAndNewlines)
  }
}
