extension Sample {
  /// The group that a column puts the sample in: prompts of a group stand and fall together. One without a value there
  /// is a group of its own.
  /// - Parameters:
  ///   - column: The column, as ``value(ofColumn:)`` has it.
  ///   - dataset: The name of the sample's data set; identifiers are only unique within it.
  public func group(inColumn column: String, of dataset: String) -> String {
    // No value of a column can be taken for a prompt that has none.
    value(ofColumn: column).map { "group\u{0}\($0)" } ?? "prompt\u{0}\(dataset)\u{0}\(id)"
  }
}
