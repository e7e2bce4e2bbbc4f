import SelfCDReport
import SelfCDSupport

/// Makes text from models and files safe to print.
///
/// A reply is untrusted: it may hold escape sequences that repaint the screen, or characters that reorder what is
/// read. Line breaks and tabs stay; every other control becomes visible and harmless. Reports follow the same rule.
enum TerminalText {
  static func sanitized(_ text: String) -> String { UntrustedText.visible(text) }

  /// The same on one line.
  static func singleLine(_ text: String) -> String { UntrustedText.singleLine(text) }
}
