/// Writes comma-separated values as RFC 4180 has them.
public struct CSVWriter: Sendable, Hashable {
  /// Whether cells that a spreadsheet would execute are neutralised.
  ///
  /// A cell that begins with `=`, `+`, `-`, `@`, a tab or a carriage return is a formula to Excel and its
  /// likes, and replies of a model are text from outside; such a cell gets an apostrophe in front (OWASP, "CSV
  /// Injection"). Leave it off only for files that no spreadsheet will open: it changes the text.
  public var neutralisesFormulas: Bool
  /// What ends a record.
  public var lineEnd: String

  /// Makes a writer.
  public init(neutralisesFormulas: Bool = true, lineEnd: String = "\r\n") {
    self.neutralisesFormulas = neutralisesFormulas
    self.lineEnd = lineEnd
  }

  /// One record with its line end.
  public func row(_ fields: [String]) -> String {
    // A lone empty field would be an empty line, which readers pass over.
    if fields == [""] { return "\"\"" + lineEnd }
    return fields.map(cell).joined(separator: ",") + lineEnd
  }

  private func cell(_ field: String) -> String {
    let safe = neutralisesFormulas && Self.isFormula(field) ? "'" + field : field
    let needsQuotes = safe.utf8.contains { $0 == 0x22 || $0 == 0x2C || $0 == 0x0A || $0 == 0x0D }
    guard needsQuotes else { return safe }
    var quoted = String.UnicodeScalarView("\"".unicodeScalars)
    for scalar in safe.unicodeScalars {
      if scalar == "\"" { quoted.append(scalar) }
      quoted.append(scalar)
    }
    quoted.append("\"")
    return String(quoted)
  }

  /// By scalars, not characters: "\r\n" is one character and "=" may carry a combining mark.
  private static func isFormula(_ field: String) -> Bool {
    guard let first = field.unicodeScalars.first else { return false }
    return ["=", "+", "-", "@", "\t", "\r"].contains(first)
  }
}
