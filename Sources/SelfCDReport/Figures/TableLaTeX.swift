extension Table {
  /// The table as a `tabular` of the package booktabs, for `\input`.
  /// - Parameter notes: What stands above it as comments, after the caption.
  func latex(_ notes: [String]) -> String {
    let body = rows.map { line($0) }
    let isPlain = (head + body).allSatisfy(LaTeXText.isPlain)
    var lines = [LaTeXText.comment("Caption: \(caption)")]
    lines += notes.map(LaTeXText.comment)
    if !isPlain {
      lines.append(
        LaTeXText.comment(
          "Some characters are beyond pdfLaTeX: compile with LuaLaTeX and a font that has them."))
    }
    lines.append(LaTeXText.comment("Needs \\usepackage{booktabs}."))
    lines.append("\\begin{tabular}{\(columns.map { $0.isNumber ? "r" : "l" }.joined())}")
    lines.append("\\toprule")
    lines += head
    lines.append("\\midrule")
    lines += body
    lines += ["\\bottomrule", "\\end{tabular}", ""]
    return lines.joined(separator: "\n")
  }

  private var head: [String] {
    let titles = columns.map { LaTeXText.escaped($0.title) }.joined(separator: " & ") + " \\\\"
    guard !groups.isEmpty else { return [titles] }
    let above =
      groups.map { "\\multicolumn{\($0.span)}{c}{\(LaTeXText.escaped($0.title))}" }.joined(separator: " & ")
      + " \\\\"
    return [above, titles]
  }

  private func line(_ row: Row) -> String {
    row.cells.enumerated().map { index, cell -> String in
      let text = LaTeXText.escaped(cell.text)
      let marked =
        cell.isCode ? "\\texttt{\(text)}" : row.isKey && index == 0 ? "\\textbf{\(text)}" : text
      return cell.detail.map { "\(marked) {\\footnotesize (\(LaTeXText.escaped($0)))}" } ?? marked
    }.joined(separator: " & ") + " \\\\"
  }
}
