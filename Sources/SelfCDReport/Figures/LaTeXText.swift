import SelfCDSupport

/// Text that means nothing but itself in LaTeX.
enum LaTeXText {
  /// On one line, with everything escaped that LaTeX would read otherwise.
  static func escaped(_ text: String) -> String {
    var result = ""
    var previous: Unicode.Scalar?
    for scalar in UntrustedText.singleLine(text).unicodeScalars {
      if let replacement = replacements[scalar] {
        result += replacement
      } else if scalar == previous, ligatures.contains(scalar) {
        // Two of them would become a dash or a quotation mark.
        result += "{}\(scalar)"
      } else {
        result.unicodeScalars.append(scalar)
      }
      previous = scalar
    }
    return result
  }

  /// A text behind `%`: TeX reads nothing of it, as long as it has no end of a line.
  static func comment(_ text: String) -> String { "% " + UntrustedText.singleLine(text) }

  /// Whether pdfLaTeX knows every character that is written as it is.
  static func isPlain(_ escaped: String) -> Bool {
    escaped.unicodeScalars.allSatisfy { $0.isASCII || (0xC0...0x17F).contains($0.value) }
  }

  private static let ligatures: Set<Unicode.Scalar> = ["-", "'", ","]

  private static let replacements: [Unicode.Scalar: String] = [
    "\\": "\\textbackslash{}", "{": "\\{", "}": "\\}", "$": "\\$", "&": "\\&", "#": "\\#", "%": "\\%",
    "_": "\\_", "~": "\\textasciitilde{}", "^": "\\textasciicircum{}", "<": "\\textless{}",
    ">": "\\textgreater{}", "|": "\\textbar{}", "\"": "\\symbol{34}", "`": "\\textasciigrave{}",
    // Behind the end of a row they would be an argument, and a row that must not leave the page.
    "[": "{[}", "]": "{]}", "*": "{*}",
    "\u{A0}": "~", "\u{202F}": "\\,", "\u{2009}": "\\,", "\u{2011}": "-", "–": "--", "—": "---", "−": "$-$",
    "…": "\\ldots{}", "‘": "`", "’": "'", "“": "``", "”": "''", "×": "$\\times$", "±": "$\\pm$",
    "·": "$\\cdot$", "≤": "$\\leq$", "≥": "$\\geq$", "≠": "$\\neq$", "≈": "$\\approx$", "∞": "$\\infty$",
    "←": "$\\leftarrow$", "→": "$\\rightarrow$", "↑": "$\\uparrow$", "↓": "$\\downarrow$",
    "α": "$\\alpha$", "β": "$\\beta$", "γ": "$\\gamma$", "δ": "$\\delta$", "ε": "$\\epsilon$",
    "κ": "$\\kappa$", "λ": "$\\lambda$", "μ": "$\\mu$", "σ": "$\\sigma$", "τ": "$\\tau$",
  ]
}
