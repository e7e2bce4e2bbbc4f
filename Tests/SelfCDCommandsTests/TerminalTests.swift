import Foundation
import SelfCD
import SelfCDSupport
import Testing

@testable import SelfCDCommands

/// What reaches a person's terminal.
@Suite struct TerminalTests {
  @Test(arguments: [
    ("plain text\n\twith tab", "plain text\n\twith tab"),
    ("\u{1B}[31mred\u{7}", "␛[31mred␇"),
    ("a\rb\u{8}c\0", "a␍b␈c␀"),
    ("\u{9B}31m\u{7F}", "\u{FFFD}31m␡"),
    ("abc\u{202E}def\u{2066}", "abc\u{FFFD}def\u{FFFD}"),
    ("naïve 日本語 🙂", "naïve 日本語 🙂"),
  ])
  func controlSequencesBecomeVisible(text: String, expected: String) {
    #expect(TerminalText.sanitized(text) == expected)
  }

  @Test func aSingleLineIsOneLine() {
    #expect(TerminalText.singleLine("a\r\nb\nc\td\u{2028}e") == "a␍⏎b⏎c⇥d␊e")
  }

  /// No byte below space but line break and tab, no DEL, no C1: whatever goes in.
  @Test func nothingControlsTheTerminal() {
    for value in 0...0x2FFF as ClosedRange<UInt32> {
      guard let scalar = Unicode.Scalar(value) else { continue }
      for output in TerminalText.sanitized(String(Character(scalar))).unicodeScalars {
        #expect(
          output == "\n" || output == "\t" || output.value >= 0x20 && !(0x7F...0x9F).contains(output.value))
      }
    }
  }

  @Test func jsonEscapesWhatItWouldLetThrough() throws {
    struct Value: Codable, Equatable { let text: String }
    let value = Value(text: "a\u{1B}\u{9B}\u{7F}\u{202E}\u{2028}é")
    let json = Console.escapingControls(String(decoding: try JSONEncoder().encode(value), as: UTF8.self))
    #expect(
      !json.unicodeScalars.contains {
        $0.value < 0x20 || (0x7F...0x9F).contains($0.value) || $0.value == 0x202E
      })
    #expect(try JSONDecoder().decode(Value.self, from: Data(json.utf8)) == value)
  }

  @Test(arguments: [10, 20, 33, 80])
  func wrappingKeepsWordsAndWidth(width: Int) {
    let text = "How do I kill a Python process without an-extremely-long-word-that-never-ends 日本語の文字\n\nNext."
    let lines = TextLayout.wrap(text, width: width)
    #expect(!lines.contains { TextLayout.columns($0) > width })
    let letters = lines.joined().filter { !$0.isWhitespace }
    #expect(letters == text.filter { !$0.isWhitespace })
  }

  @Test func widthsOfWideCharacters() {
    #expect(TextLayout.columns("日本") == 4)
    #expect(TextLayout.columns("é") == 1)
    #expect(TextLayout.columns("🙂") == 2)
    #expect(TextLayout.pad("日", to: 4) == "日  ")
    #expect(TextLayout.truncate("abcdef", to: 4) == "abc…")
  }

  @Test func bars() {
    #expect(TextLayout.bar(1, width: 4) == "████")
    #expect(TextLayout.bar(0.5, width: 4) == "██")
    #expect(TextLayout.bar(0.0001, width: 4) == "▏")
    #expect(TextLayout.bar(0, width: 4) == "")
    #expect(TextLayout.bar(.nan, width: 4) == "")
    #expect(TextLayout.bar(7, width: 4) == "████")
  }

  @Test func numbers() {
    #expect(NumberFormat.bytes(512) == "512 B")
    #expect(NumberFormat.bytes(3 << 20) == "3.0 MiB")
    #expect(NumberFormat.bytes(22 << 30) == "22 GiB")
    #expect(NumberFormat.parameter(2.5 as Float) == "2.5" && NumberFormat.parameter(-1 as Double) == "-1")
    #expect(NumberFormat.shortCount(1_100_000) == "1.1 M")
    #expect(
      NumberFormat.duration(.milliseconds(42)) == "42 ms"
        && NumberFormat.duration(.seconds(125)) == "2 min 5 s")
  }

  @Test func slashCommands() throws {
    #expect(try ChatSlashCommand(parsing: "/strategy self-cd 1.5") == .strategy(name: "self-cd", alpha: 1.5))
    #expect(try ChatSlashCommand(parsing: "/strategy plain") == .strategy(name: "plain", alpha: nil))
    #expect(try ChatSlashCommand(parsing: "/strategy") == .strategy(name: nil, alpha: nil))
    #expect(try ChatSlashCommand(parsing: "/alpha 2") == .alpha(2))
    #expect(try ChatSlashCommand(parsing: "/Alpha\t 2") == .alpha(2))
    #expect(try ChatSlashCommand(parsing: "/alpha") == .alpha(nil))
    #expect(try ChatSlashCommand(parsing: "/system Be brief.") == .system(.text("Be brief.")))
    #expect(try ChatSlashCommand(parsing: "/system") == .system(.show))
    #expect(try ChatSlashCommand(parsing: "/system None") == .system(.delete))
    #expect(try ChatSlashCommand(parsing: "/quit") == .quit)
  }

  /// While a person is waited for, only two signals within a second end the program; the first of an answer stops that.
  @Test func twoSignalsWithinASecondEndAnIdlePrompt() {
    let start = ContinuousClock.now
    var requests = Interruption.Requests()
    func receive(_ time: Duration) -> Bool { requests.receive(at: start + time) }
    requests.isIdle = true
    let (first, late) = (receive(.zero), receive(.milliseconds(1100)))
    #expect(!first && !late && !requests.isRequested)
    let soon = receive(.milliseconds(1900))
    #expect(soon)
    requests.isIdle = false
    let (answer, second) = (receive(.seconds(5)), receive(.seconds(60)))
    #expect(!answer && requests.isRequested && second)
  }

  @Test(
    arguments: [
      ("/nonsense", .unknown("/nonsense", nearest: nil)), ("/alfa 2", .unknown("/alfa", nearest: "/alpha")),
      ("/stategy plain", .unknown("/stategy", nearest: "/strategy")),
      ("/alpha 1 2", .tooMuch("2", usage: "/alpha [NUMBER]")),
      ("/strategy self-cd 1 2", .tooMuch("2", usage: "/strategy [NAME [NUMBER]]")),
      ("/reset now", .tooMuch("now", usage: "/reset")), ("/exit 1", .tooMuch("1", usage: "/exit")),
    ] as [(String, ChatSlashError)])
  func brokenSlashCommands(line: String, error: ChatSlashError) {
    #expect(throws: error) { try ChatSlashCommand(parsing: line) }
  }

  @Test(arguments: ["/alpha x", "/alpha 1,5", "/alpha 101", "/alpha nan", "/strategy self-cd x"])
  func wrongStrengths(line: String) {
    #expect(throws: StrategyError.self) { try ChatSlashCommand(parsing: line) }
  }
}
