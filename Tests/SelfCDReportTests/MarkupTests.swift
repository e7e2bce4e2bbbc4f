import SelfCDSupport
import Testing

@testable import SelfCDReport

@Suite struct MarkupTests {
  @Test(arguments: [
    ("</script><script>", "&lt;/script&gt;&lt;script&gt;"), ("\"'", "&quot;&#39;"),
    ("a&amp;b", "a&amp;amp;b"),
    ("\u{1B}[2J", "␛[2J"), ("a\u{202E}b\u{2066}c\u{200F}", "a\u{FFFD}b\u{FFFD}c\u{FFFD}"),
    ("\u{0}\u{7F}\u{9B}", "␀␡\u{FFFD}"),
    ("line\nand\ttab", "line\nand\ttab"), ("Grüße 👩‍👩‍👧 \u{2028}", "Grüße 👩‍👩‍👧 ␊"), ("]]><!--", "]]&gt;&lt;!--"),
    ("", ""),
  ])
  func textStaysText(_ text: String, _ expected: String) {
    #expect(Markup.escape(text) == expected)
  }

  /// Whatever the scalar, nothing that HTML reads as more than text comes out.
  @Test func noScalarEscapes() {
    for value in UInt32(0)...0x2FFF {
      guard let scalar = Unicode.Scalar(value) else { continue }
      let escaped = Markup.escape(String(scalar))
      #expect(!escaped.contains { "<>\"'".contains($0) }, "U+\(String(value, radix: 16))")
      let isControl = scalar.properties.generalCategory == .control && value != 9 && value != 10
      #expect(!isControl || !escaped.unicodeScalars.contains(scalar), "U+\(String(value, radix: 16))")
    }
  }

  @Test func attributesAndElements() {
    let markup = tag("p", ["class": "\" onclick=\"x"]) {
      "a<b"
      tag("br")
    }
    #expect(markup.html == "<p class=\"&quot; onclick=&quot;x\">a&lt;b<br></p>")
  }

  @Test func oneLineIsOneLine() {
    #expect(UntrustedText.singleLine("a\r\nb\tc\u{2028}") == "a␍⏎b⇥c␊")
  }

  @Test(arguments: [
    ("a | b", "a \\| b"), ("<script>", "&lt;script&gt;"), ("[x](javascript:y)", "\\[x\\](javascript:y)"),
    ("https://x.y", "https\\://x.y"), ("www.x.y", "www\\.x.y"), ("two\nlines", "two⏎lines"),
    ("`$a$`", "\\`\\$a\\$\\`"),
    ("@someone", "&#64;\u{2060}someone"), ("&lt;", "&amp;lt;"), ("\\*", "\\\\\\*"),
  ])
  func markdownStaysText(_ text: String, _ expected: String) {
    #expect(MarkdownText.inline(text) == expected)
  }

  @Test func quotationsOpenNothing() {
    #expect(
      MarkdownText.quotation("# a\n- b\n1. c\n    d\n\n---") == """
        > \\# a  \n> \\- b  \n> 1\\. c  \n> \u{A0}\u{A0}\u{A0}\u{A0}d  \n>   \n> \\---
        """)
  }
}
