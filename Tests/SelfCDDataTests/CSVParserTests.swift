import Testing

@testable import SelfCDData
@testable import SelfCDStatistics

@Suite struct CSVParserTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var name: String
    var text: String
    var rows: [CSVParser.Row]
    var testDescription: String { name }
  }

  static let cases: [Case] = [
    Case(name: "plain", text: "a,b\n1,2\n", rows: [record(["a", "b"], 1), record(["1", "2"], 2)]),
    Case(name: "no last line end", text: "a\nb", rows: [record(["a"], 1), record(["b"], 2)]),
    Case(name: "CRLF", text: "a,b\r\n1,2\r\n", rows: [record(["a", "b"], 1), record(["1", "2"], 2)]),
    Case(name: "CR alone", text: "a\rb\r", rows: [record(["a"], 1), record(["b"], 2)]),
    Case(name: "byte order mark", text: "\u{FEFF}a\n", rows: [record(["a"], 1)]),
    Case(name: "byte order mark before a quote", text: "\u{FEFF}\"a\"\n", rows: [record(["a"], 1)]),
    Case(name: "doubled quotes", text: "\"say \"\"hi\"\"\"", rows: [record(["say \"hi\""], 1)]),
    Case(name: "only a doubled quote", text: "\"\"\"\"", rows: [record(["\""], 1)]),
    Case(name: "delimiter inside quotes", text: "\"a,b\",c", rows: [record(["a,b", "c"], 1)]),
    Case(
      name: "line ends inside quotes are kept and counted", text: "\"a\r\nb\nc\",d\ne,f",
      rows: [record(["a\r\nb\nc", "d"], 1), record(["e", "f"], 4)]),
    Case(
      name: "empty fields", text: ",,\n\"\",x,", rows: [record(["", "", ""], 1), record(["", "x", ""], 2)]),
    Case(
      name: "a quoted empty record is a record", text: "a\n\"\"\n", rows: [record(["a"], 1), record([""], 2)]),
    Case(
      name: "empty lines are passed over", text: "\n\na\n\r\n\nb\n",
      rows: [record(["a"], 3), record(["b"], 6)]),
    Case(name: "spaces belong to the field", text: " a , b ", rows: [record([" a ", " b "], 1)]),
    Case(
      name: "text after a quote", text: "\"a\"b\nc",
      rows: [.malformed(reason: .textAfterQuote, line: 1), record(["c"], 2)]),
    Case(
      name: "stray quote", text: "5\" nail\nc",
      rows: [.malformed(reason: .strayQuote, line: 1), record(["c"], 2)]),
    Case(
      name: "a quote that is never closed costs its own line only", text: "a\n\"b\nc\nd\n",
      rows: [
        record(["a"], 1), .malformed(reason: .unterminatedQuote, line: 2), record(["c"], 3), record(["d"], 4),
      ]),
    Case(
      name: "zero byte", text: "a\u{0}b\nc", rows: [.malformed(reason: .zeroByte, line: 1), record(["c"], 2)]),
    Case(name: "nothing", text: "", rows: []),
    Case(name: "only line ends", text: "\n\r\n\r", rows: []),
  ]

  @Test(arguments: cases) func reads(_ example: Case) {
    #expect(rows(Array(example.text.utf8)) == example.rows)
  }

  @Test func invalidUTF8IsReportedWithItsLine() {
    let bytes = Array("a\n".utf8) + [0xC3, 0x28] + Array("\nb".utf8)
    #expect(rows(bytes) == [record(["a"], 1), .malformed(reason: .invalidUTF8, line: 2), record(["b"], 3)])
  }

  @Test func hugeRecordsAreRefused() {
    let bytes = Array("a\n\"".utf8) + Array(repeating: UInt8(ascii: "x"), count: 500) + Array("\"\nb".utf8)
    #expect(
      rows(bytes, limit: 100)
        == [record(["a"], 1), .malformed(reason: .tooLarge(limit: 100), line: 2), record(["b"], 3)])
    #expect(rows(bytes, limit: 1_000).count == 3)
  }

  /// Whatever can stand in a table comes back from it: quotes, delimiters, line ends, marks, other scripts.
  @Test(arguments: 0..<40) func randomTablesSurviveTheRoundTrip(seed: UInt64) throws {
    var random = Xoshiro256StarStar(seed: seed)
    let alphabet: [String] = [
      "a", "\"", "\"\"", ",", "\n", "\r\n", "\r", " ", "\t", ";", "é", "e\u{301}", "\u{301}", "日本", "👩‍👩‍👧", "=",
      "'", "\u{FEFF}",
    ]
    let columns = 1 + random.index(below: 5)
    let table = (0..<(1 + random.index(below: 30))).map { _ in
      (0..<columns).map { _ in
        (0..<random.index(below: 8)).map { _ in alphabet[random.index(below: alphabet.count)] }.joined()
      }
    }
    // A mark at the very beginning is a byte order mark and not content.
    let guarded = [Array(repeating: "h", count: columns)] + table
    let lineEnd = ["\n", "\r\n", "\r"][random.index(below: 3)]
    let writer = CSVWriter(neutralisesFormulas: false, lineEnd: lineEnd)
    let text = guarded.map(writer.row).joined()
    let back = rows(Array(text.utf8)).map { row -> [String]? in
      if case .record(let fields, _) = row { fields } else { nil }
    }
    try #require(back.count == guarded.count, "seed \(seed)")
    for (ours, original) in zip(back, guarded) {
      // Bytes, not characters: "\r\n" equals itself only, and canonical equivalence would hide a change.
      #expect(ours?.map { Array($0.utf8) } == original.map { Array($0.utf8) }, "seed \(seed)")
    }
  }

  @Test(arguments: 0..<60) func randomBytesNeitherCrashNorHang(seed: UInt64) {
    var random = Xoshiro256StarStar(seed: seed &+ 1_000)
    // Mostly the bytes that mean something, so that the states are reached.
    let special: [UInt8] = [0x22, 0x22, 0x2C, 0x0A, 0x0D, 0x00, 0xEF, 0xBB, 0xBF, 0xC3, 0x61]
    let bytes = (0..<3_000).map { _ in
      random.index(below: 3) == 0
        ? UInt8(random.index(below: 256)) : special[random.index(below: special.count)]
    }
    let found = rows(bytes)
    let lines = found.map { row in
      switch row {
      case .record(_, let line), .malformed(_, let line): line
      }
    }
    #expect(lines == lines.sorted())
    #expect(Set(lines).count == lines.count, "no line begins two records")
  }

  @Test func readerSurvivesRandomBytesInEveryContainer() {
    for seed in 0..<120 {
      var random = Xoshiro256StarStar(seed: UInt64(seed) &+ 5_000)
      let pieces: [[UInt8]] = [
        Array("prompt,category\n".utf8), Array("{\"prompt\":".utf8), Array("[".utf8), Array("]".utf8), [0x22],
        [0x0A], [0x2C], [0x00], [0xFF], [0x1F, 0x8B], Array("text".utf8), Array("{}".utf8), [0x5C],
      ]
      let bytes = (0..<40).flatMap { _ in pieces[random.index(below: pieces.count)] }
      for container in DatasetReader.Container.allCases {
        for skips in [true, false] {
          let reader = DatasetReader(options: .init(container: container, skipsBadRows: skips))
          // Any outcome but a crash; every error has a text.
          do {
            let dataset = try reader.read(bytes: bytes, fileName: "x")
            #expect(!dataset.samples.isEmpty)
          } catch {
            #expect(!error.description.isEmpty)
          }
        }
      }
    }
  }

  private func rows(_ bytes: [UInt8], limit: Int = 1 << 20) -> [CSVParser.Row] {
    var parser = CSVParser(bytes, recordLimit: limit)
    var result: [CSVParser.Row] = []
    while let row = parser.next() { result.append(row) }
    return result
  }

  private static func record(_ fields: [String], _ line: Int) -> CSVParser.Row {
    .record(fields: fields, line: line)
  }

  private func record(_ fields: [String], _ line: Int) -> CSVParser.Row { Self.record(fields, line) }
}

@Suite struct CSVWriterTests {
  @Test(arguments: [
    ("=1+1", "'=1+1"), ("+1", "'+1"), ("-1", "'-1"), ("@x", "'@x"), ("\tx", "'\tx"), ("\rx", "\"'\rx\""),
    ("\r\nx", "\"'\r\nx\""), ("=\u{301}", "'=\u{301}"), ("a=b", "a=b"), ("", ""), ("'=1", "'=1"),
    ("=\"x\"", "\"'=\"\"x\"\"\""),
  ]) func cellsThatASpreadsheetWouldExecute(_ cell: String, _ written: String) {
    // Two columns, so that an empty cell is not the special case of an empty line.
    #expect(CSVWriter(lineEnd: "\n").row([cell, "z"]) == written + ",z\n")
  }

  @Test func verbatimOnRequest() {
    #expect(CSVWriter(neutralisesFormulas: false).row(["=1", "b"]) == "=1,b\r\n")
  }
}
