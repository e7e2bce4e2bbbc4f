import Testing

@testable import SelfCD

/// Bytes become text that can be shown at once.
@Suite struct TextAssemblerTests {
  /// Every way of cutting the bytes in two, and one byte at a time.
  @Test(arguments: ["é", "日本", "a🙂b", "👩‍👩‍👧", "ß¿"])
  func charactersAreNeverTorn(text: String) {
    let bytes = Array(text.utf8)
    let cuts = (0...bytes.count).map { [Array(bytes[..<$0]), Array(bytes[$0...])] } + [bytes.map { [$0] }]
    for pieces in cuts {
      var assembler = TextAssembler(stopStrings: [])
      let shown = pieces.map { assembler.append($0).text }
      #expect(shown.joined() + assembler.finish() == text)
      #expect(shown.joined() == text, "whole characters are not kept back")
      #expect(!shown.joined().unicodeScalars.contains("\u{FFFD}"))
    }
  }

  /// At the end there is nothing that could have been meant.
  @Test func aCharacterThatNeverComesWholeIsLeftOut() {
    for bytes in [[0xE2, 0x82], [0xF0, 0x9F, 0x98], [0xF0], [0xC3]] as [[UInt8]] {
      var assembler = TextAssembler(stopStrings: ["€!"])
      #expect(assembler.append([0x61] + bytes).text == "a")
      #expect(assembler.finish().isEmpty)
      #expect(assembler.finish().isEmpty)
    }
    var stopped = TextAssembler(stopStrings: ["!"])
    #expect(stopped.append([0x61, 0xE2, 0x82, 0x21]) == (text: "a", stopped: true))
    #expect(stopped.finish().isEmpty)
  }

  @Test func aBrokenCharacterIsShownAsOne() {
    // No character begins with it.
    var assembler = TextAssembler(stopStrings: [])
    #expect(assembler.append([0x61, 0xFF]).text + assembler.finish() == "a\u{FFFD}")
    // What follows shows that it is broken.
    var other = TextAssembler(stopStrings: [])
    #expect(other.append([0xE2, 0x82]).text.isEmpty)
    #expect(other.append([0x61]).text == "\u{FFFD}a")
  }

  @Test func stopStringsOfSeveralBytesAreFoundAcrossPieces() {
    var assembler = TextAssembler(stopStrings: ["€!"])
    let shown = Array("a€b€!c".utf8).map { assembler.append([$0]) }
    let end = shown.firstIndex { $0.stopped }
    #expect(end == 8)
    #expect(shown.prefix(9).map(\.text).joined() == "a€b")
  }
}
