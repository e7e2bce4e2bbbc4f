import Foundation

/// A column that is to say which prompts belong together, and that a data set does not have.
///
/// A misspelt one would make every prompt a group of its own, and figures as good as without groups.
public struct MissingColumn: Error, Sendable, Equatable, CustomStringConvertible, LocalizedError {
  /// The data set's name.
  public let dataset: String
  /// The column that was asked for.
  public let column: String
  /// The columns that the data set has.
  public let known: [String]

  /// The error in words, with the columns that there are.
  public var description: String {
    "\(dataset) has no column '\(column)' to group prompts by. "
      + (known.isEmpty
        ? "It has no columns besides the prompts." : "Its columns are \(known.joined(separator: ", ")).")
  }

  /// As ``description``.
  public var errorDescription: String? { description }
}

extension [Dataset] {
  /// Makes sure that every set has the column that says which prompts belong together.
  ///
  /// - Parameter column: its name; nil for prompts that are independent.
  /// - Throws: ``MissingColumn``.
  public func checkGroups(by column: String?) throws(MissingColumn) {
    guard let column else { return }
    for dataset in self
    where !dataset.samples.isEmpty && !dataset.samples.contains(where: { $0.value(ofColumn: column) != nil })
    {
      let columns = dataset.samples.reduce(into: Set<String>()) { $0.formUnion($1.columns) }.sorted()
      throw MissingColumn(dataset: dataset.name, column: column, known: columns)
    }
  }
}
