/// A mean over prompts without an interval; `BootstrapMean` has one.
enum PromptMean {
  /// Alone; 0 for no values.
  static func of(_ values: [Double]) -> Double { values.reduce(0, +) / Double(max(1, values.count)) }
}
