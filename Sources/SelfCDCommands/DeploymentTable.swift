/// Which lane a deployment is, and the options that say so: the same table in the help of every command it concerns.
enum DeploymentTable {
  /// Where it is told at length.
  static let page = "docs/which-lane.md"

  /// A command's column of the table.
  enum Column {
    case calibrate
    case serve
    case generate
  }

  /// The table for a command's help.
  static func help(_ column: Column) -> String {
    // Lines are kept short: help wraps them at a terminal's width without an indent.
    let rows: (String, String, [String])
    switch column {
    case .calibrate:
      rows = (
        "nothing more (the reference is 'plain')", "--system TEXT (the reference is 'plain')",
        ["--guarded-prompt-file FILE with that text, --system", "with the rest (the reference is 'guarded')"]
      )
    case .serve:
      rows = (
        "nothing more (decodes 'plain')", "nothing more: clients send it (decodes 'plain')",
        ["--guarded-prompt TEXT with it, clients send the rest", "(decodes 'guarded')"]
      )
    case .generate:
      rows = (
        "nothing more (decodes 'plain')", "--system TEXT (decodes 'plain')",
        ["--guarded-prompt-file FILE with that text, --system", "with the rest (decodes 'guarded')"]
      )
    }
    return """
      WHICH LANE IS YOUR DEPLOYMENT? (\(page))
        no system prompt      \(rows.0)
        one of its own        \(rows.1)
        one with safety text  \(rows.2.joined(separator: "\n" + String(repeating: " ", count: 24)))
      """
  }
}
