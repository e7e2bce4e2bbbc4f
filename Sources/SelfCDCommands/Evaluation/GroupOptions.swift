import ArgumentParser
import SelfCDData

/// The column that says which prompts belong together.
struct GroupOptions: ParsableArguments {
  @Option(
    help: .init(
      "The column that says which prompts belong together, such as the template they were made from. Intervals then resample whole groups.",
      valueName: "column"))
  var group: String?

  func validate() throws {
    if let group, group.isEmpty { throw ValidationError("--group is empty.") }
  }

  /// Makes sure that every set has the column.
  /// - Throws: `CommandError` that names the set and its columns.
  func check(_ datasets: [Dataset]) throws { try Self.check(group, in: datasets) }

  /// Makes sure that every set has a column. A misspelt one would make every prompt a group of its own, and figures as
  /// good as without groups.
  /// - Throws: `CommandError` that names the set and its columns.
  static func check(_ group: String?, in datasets: [Dataset]) throws {
    guard let group else { return }
    for dataset in datasets where !dataset.samples.contains(where: { $0.value(ofColumn: group) != nil }) {
      let columns = dataset.samples.reduce(into: Set<String>()) { $0.formUnion($1.columns) }.sorted()
      throw CommandError.invalid(
        "\(dataset.name) has no column '\(group)' for --group. "
          + (columns.isEmpty
            ? "It has no columns besides the prompts."
            : "Its columns are \(columns.joined(separator: ", ")).")
      )
    }
  }
}
