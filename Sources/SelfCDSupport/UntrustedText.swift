/// Makes text from models and files safe to show.
///
/// A reply is untrusted: it may hold escape sequences that repaint a screen, or characters that reorder what is
/// read. Line breaks and tabs stay; every other control becomes visible and harmless.
package enum UntrustedText {
  /// The text with its controls made visible.
  package static func visible(_ text: String) -> String {
    var result = String.UnicodeScalarView()
    for scalar in text.unicodeScalars { result.append(visible(scalar)) }
    return String(result)
  }

  /// The same on one line, for titles and cells.
  package static func singleLine(_ text: String) -> String {
    // By scalar: "\r\n" is one character.
    String(
      String.UnicodeScalarView(
        visible(text).unicodeScalars.map { $0 == "\n" ? "⏎" : $0 == "\t" ? "⇥" : $0 }))
  }

  /// What stands for a scalar: itself, unless it is a control.
  package static func visible(_ scalar: Unicode.Scalar) -> Unicode.Scalar {
    switch scalar.value {
    case 0x09, 0x0A: scalar
    case 0x00...0x1F: Unicode.Scalar(0x2400 + scalar.value) ?? "\u{FFFD}"  // control pictures
    case 0x7F: "\u{2421}"
    case 0x80...0x9F: "\u{FFFD}"  // C1 controls, among them CSI
    case 0x200E, 0x200F, 0x202A...0x202E, 0x2066...0x2069, 0x061C: "\u{FFFD}"  // bidirectional controls
    case 0x2028, 0x2029: "\u{240A}"
    case 0xFFFE, 0xFFFF: "\u{FFFD}"  // no characters at all
    default: scalar
    }
  }
}
