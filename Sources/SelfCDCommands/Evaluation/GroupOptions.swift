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
  /// - Throws: `MissingColumn` that names the set and its columns.
  func check(_ datasets: [Dataset]) throws(MissingColumn) { try datasets.checkGroups(by: group) }
}
