import Foundation
import SelfCDSupport

/// The fonts that a PDF may use without bringing them: Helvetica, and Symbol for Greek and mathematics.
enum StandardFont: String, CaseIterable {
  case regular = "Helvetica"
  case bold = "Helvetica-Bold"
  case symbol = "Symbol"

  /// Glyphs of one font, one behind the other.
  struct Run: Hashable {
    let font: StandardFont
    var codes: [UInt8]
    /// In thousandths of the size.
    var width: Int
  }

  private struct Glyph {
    let font: StandardFont
    let code: UInt8
    let width: Int
  }

  /// The characters of a text that none of the fonts has; a question mark is drawn for each.
  static func missing(in text: String) -> [Unicode.Scalar] {
    prepared(text).filter { glyph($0, isBold: false) == nil }
  }

  /// A text as runs of glyphs.
  static func runs(_ text: String, isBold: Bool) -> [Run] {
    var runs: [Run] = []
    for scalar in prepared(text) {
      guard let glyph = glyph(scalar, isBold: isBold) ?? glyph("?", isBold: isBold) else { continue }
      if runs.last?.font != glyph.font { runs.append(Run(font: glyph.font, codes: [], width: 0)) }
      runs[runs.count - 1].codes.append(glyph.code)
      runs[runs.count - 1].width += glyph.width
    }
    return runs
  }

  /// How wide a text is, in units of its size.
  static func width(of text: String, size: Double, isBold: Bool) -> Double {
    Double(runs(text, isBold: isBold).reduce(0) { $0 + $1.width }) / 1000 * size
  }

  /// On one line, without controls, and with one scalar for a letter with its accent, where Unicode has one.
  private static func prepared(_ text: String) -> [Unicode.Scalar] {
    Array(UntrustedText.singleLine(text).precomposedStringWithCanonicalMapping.unicodeScalars)
  }

  private static func glyph(_ scalar: Unicode.Scalar, isBold: Bool) -> Glyph? {
    if let symbol = StandardFontMetrics.symbol[scalar] {
      return Glyph(font: .symbol, code: symbol.code, width: symbol.width)
    }
    guard let code = latinCode(scalar) else { return nil }
    let widths = isBold ? StandardFontMetrics.bold : StandardFontMetrics.regular
    return Glyph(font: isBold ? .bold : .regular, code: code, width: widths[Int(code) - 0x20])
  }

  /// The code in Windows' Latin encoding; spaces and hyphens of other kinds become the usual ones.
  private static func latinCode(_ scalar: Unicode.Scalar) -> UInt8? {
    switch scalar.value {
    case 0x2007, 0x2009, 0x202F: 0x20
    case 0x2010, 0x2011: 0x2D
    case 0x20...0x7E, 0xA0...0xFF: UInt8(scalar.value)
    default: StandardFontMetrics.windowsLatin[scalar]
    }
  }
}
