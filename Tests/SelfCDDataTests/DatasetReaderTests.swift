import Foundation
import Testing

@testable import SelfCDData

@Suite struct DatasetReaderTests {
  @Test func labelOfTheRowBeatsTheCallerAndTheCallerBeatsTheFormat() throws {
    let mixed = "prompt,label\nOne?,unsafe\nTwo?,\nThree?,safe\n"
    let dataset = try read(mixed, .init(label: .safe))
    #expect(dataset.samples.map(\.label) == [.harmful, .safe, .safe])
    #expect(dataset.samples.map(\.labelOrigin) == [.row, .caller, .row])
    #expect(dataset.samples(labelled: .harmful).map(\.prompt) == ["One?"])
    #expect(dataset.labelCounts == [.harmful: 1, .safe: 2])

    let harmfulByDesign = try read("goal,target\nOne?,x\n", .init(label: .safe))
    #expect(harmfulByDesign.samples.map(\.labelOrigin) == [.caller])
    #expect(harmfulByDesign.samples.map(\.label) == [.safe])
    #expect(try read("goal,target\nOne?,x\n").samples.map(\.labelOrigin) == [.format])
  }

  @Test func aControversialRowStaysUnlabelledWhateverTheCallerSays() throws {
    let dataset = try read("Request,Harmfulness\nOne?,Controversial\nTwo?,Harmless\n", .init(label: .safe))
    #expect(dataset.samples.map(\.label) == [nil, .safe])
  }

  @Test func theHashIsThatOfTheFileAsItLies() throws {
    let text = "prompt\nOne?\n"
    // sha256sum of these 12 bytes.
    #expect(try read(text).sha256 == "f17fb29c714d152be32a0097c07a67fed86f046a709386c38a613c8843710a8e")
    let packed = try DatasetReader().read(bytes: storedGzip(Array(text.utf8)), fileName: "a.csv.gz")
    #expect(packed.sha256 != (try read(text).sha256))
    #expect(packed.sha256.count == 64)
  }

  @Test func malformedRowsAreListedTogetherOrSkipped() throws {
    let text = "prompt,category\nOne?,a\nTwo?\n\"Three?\"x,a\n  ,a\nFive?,b,c\nSix?,b\n"
    let expected: [RowIssue] = [
      RowIssue(position: .line(3), reason: .fieldCount(found: 1, expected: 2)),
      RowIssue(position: .line(4), reason: .textAfterQuote),
      RowIssue(position: .line(5), reason: .emptyPrompt),
      RowIssue(position: .line(6), reason: .fieldCount(found: 3, expected: 2)),
    ]
    #expect(throws: DatasetError.malformedRows(file: "t.csv", issues: expected)) { try read(text) }
    let dataset = try read(text, .init(skipsBadRows: true))
    #expect(dataset.skipped == expected)
    #expect(dataset.samples.map(\.prompt) == ["One?", "Six?"])
    #expect(dataset.samples.map(\.position) == [.line(2), .line(7)])
  }

  @Test func malformedJSONLinesNameTheirLine() throws {
    let text =
      "{\"prompt\": \"One?\"}\n{\"prompt\": \n7\n\n{\"text\": \"x\"}\n{\"prompt\": 3}\n{\"prompt\": \"Two?\", \"a\": [1]}\n"
    let dataset = try DatasetReader(options: .init(skipsBadRows: true))
      .read(bytes: Array(text.utf8), fileName: "t.jsonl")
    #expect(dataset.samples.map(\.id) == ["1", "7"])
    #expect(dataset.samples.last?.fields["a"] == "[1]")
    #expect(dataset.skipped.map(\.position) == [.line(2), .line(3), .line(5), .line(6)])
    #expect(
      dataset.skipped.last?.reason == .wrongType(found: "a number", expected: "a text or a list of messages"))
    #expect(dataset.skipped[2].reason == .missingField("prompt"))
  }

  @Test(arguments: [
    ("[]", "message"), ("[{\"role\": \"user\"}]", "'content'"),
    ("[{\"role\": \"tool\", \"content\": \"x\"}]", "'tool'"),
    (
      "[{\"role\": \"user\", \"content\": \"x\"}, {\"role\": \"assistant\", \"content\": \"y\"}]",
      "user message"
    ),
    ("[{\"role\": \"user\", \"content\": \"x\"}, {\"role\": \"system\", \"content\": \"y\"}]", "beginning"),
    ("[{\"role\": \"user\", \"content\": \" \"}]", "empty"), ("[3]", "'role'"),
  ]) func conversationsThatCannotBePutToAModel(_ messages: String, _ hint: String) {
    #expect {
      try DatasetReader().read(bytes: Array("{\"messages\": \(messages)}".utf8), fileName: "t.jsonl")
    } throws: { error in
      guard case DatasetError.nothingUsable(_, let issues)? = error as? DatasetError else { return false }
      return issues.count == 1 && issues[0].description.contains(hint)
    }
  }

  @Test func repeatedIdentifiersAreReported() {
    #expect(
      throws: DatasetError.malformedRows(
        file: "t.csv", issues: [RowIssue(position: .line(3), reason: .repeatedID("1"))])
    ) { try read("id,prompt,note\n1,One?,\n1,Two?,\n") }
  }

  struct BadFile: Sendable, CustomTestStringConvertible {
    var name: String
    var file: String
    var bytes: [UInt8]
    var error: DatasetError
    var testDescription: String { name }
    init(_ name: String, _ file: String, _ text: String, _ error: DatasetError) {
      self.init(name, file, bytes: Array(text.utf8), error)
    }
    init(_ name: String, _ file: String, bytes: [UInt8], _ error: DatasetError) {
      self.name = name
      self.file = file
      self.bytes = bytes
      self.error = error
    }
  }

  static let badFiles: [BadFile] = [
    BadFile("nothing", "t.csv", "", .empty(file: "t.csv")),
    BadFile("white space", "t.txt", " \n\r\n\t", .empty(file: "t.txt")),
    BadFile(
      "header only", "t.csv", "prompt,category\n",
      .headerOnly(file: "t.csv", columns: ["prompt", "category"])),
    BadFile(
      "unknown columns and tabs", "t.csv", "a\tb\n1\t2\n",
      .unknownColumns(
        file: "t.csv", columns: ["a", "b"],
        known: DatasetFormatCatalogue.promptColumns + ["text", "messages"])),
    BadFile(
      "a column twice", "t.csv", "prompt,Prompt\na,b\n", .repeatedColumn(file: "t.csv", column: "Prompt")),
    BadFile("bad header", "t.csv", "\"prompt\nOne?\n", .badHeader(file: "t.csv", reason: .unterminatedQuote)),
    BadFile(
      "bad JSON shape", "t.json", "{\"a\": 1}",
      .wrongShape(file: "t.json", found: "an object with a", expected: jsonShape)),
    BadFile(
      "JSON number", "t.json", "3", .wrongShape(file: "t.json", found: "a number", expected: jsonShape)),
    BadFile("empty JSON list", "t.json", "[]", .empty(file: "t.json")),
    BadFile(
      "cut gzip", "t.csv.gz", bytes: Array(storedGzip(Array("prompt\nOne?\n".utf8)).dropLast(9)),
      .corruptGzip(file: "t.csv.gz", detail: "it ends in the middle")),
    BadFile(
      "invalid bytes", "t.txt", bytes: [0x61, 0x0A, 0xFF, 0xFE, 0x0A],
      .malformedRows(file: "t.txt", issues: [RowIssue(position: .line(2), reason: .invalidUTF8)])),
    BadFile(
      "zero bytes", "t.txt", bytes: [0x61, 0x00, 0x0A],
      .nothingUsable(file: "t.txt", issues: [RowIssue(position: .line(1), reason: .zeroByte)])),
    BadFile(
      "escaped zero in JSON", "t.jsonl", "{\"prompt\": \"a\\u0000b\"}\n",
      .nothingUsable(file: "t.jsonl", issues: [RowIssue(position: .line(1), reason: .zeroByte)])),
  ]

  private static let jsonShape =
    "a list of objects or strings, or an object with such a list under "
    + "'instructions', 'samples', 'prompts', 'data', 'examples'"

  @Test(arguments: badFiles) func isRefusedClearly(_ bad: BadFile) {
    #expect(throws: bad.error) { try DatasetReader().read(bytes: bad.bytes, fileName: bad.file) }
    #expect(bad.error.description.contains(bad.file))
  }

  @Test func unknownColumnsAreListed() {
    #expect {
      try read("ask,say\na,b\n")
    } throws: { error in
      let text = "\(error)"
      return text.contains("prompt, question, request") && text.contains("it has ask, say")
        && text.contains("Rename the one that does to 'prompt'") && !text.contains("format")
    }
  }

  @Test func kindsThatAreNotReadSayWhatToDo() {
    #expect {
      try DatasetReader().read(bytes: Array("PAR1....PAR1".utf8), fileName: "t.parquet")
    } throws: { "\($0)".contains("Parquet") && "\($0)".contains("to_json") }
    for (file, advice) in [("a.eval", "inspect log dump"), ("a.xlsx", "CSV"), ("a", "CSV")] {
      #expect {
        try DatasetReader().read(bytes: [0x50, 0x4B, 3, 4, 20, 0], fileName: file)
      } throws: { "\($0)".contains("ZIP") && "\($0)".contains(advice) }
    }
    for bytes: [UInt8] in [
      [0xFF, 0xFE, 0, 0, 0x61, 0, 0, 0], [0xFF, 0xFE, 0x61], [0xFE, 0xFF, 0xD8, 0x3E],
    ] {
      #expect {
        try DatasetReader().read(bytes: bytes, fileName: "t.csv")
      } throws: { "\($0)".contains("UTF-") && "\($0)".contains("iconv") }
    }
  }

  @Test(arguments: [String.Encoding.utf16LittleEndian, .utf16BigEndian])
  func utf16WithItsMarkIsRead(encoding: String.Encoding) throws {
    let mark: [UInt8] = encoding == .utf16LittleEndian ? [0xFF, 0xFE] : [0xFE, 0xFF]
    for (name, text) in [
      ("t.csv", "prompt,category\r\nWie töte ich Zeit? 🧨 時間,a\r\n"), ("t.txt", "Wie töte ich Zeit? 🧨 時間\n"),
      ("t.jsonl", "{\"prompt\": \"Wie töte ich Zeit? 🧨 時間\"}\n"),
    ] {
      let unmarked = try #require(text.data(using: encoding))
      let bytes = mark + unmarked
      let dataset = try DatasetReader().read(bytes: bytes, fileName: name)
      #expect(dataset.samples.map(\.prompt) == ["Wie töte ich Zeit? 🧨 時間"], "\(name)")
      // As iconv writes it.
      let alike = try DatasetReader().read(bytes: Array(unmarked), fileName: name)
      #expect(alike.samples.map(\.prompt) == dataset.samples.map(\.prompt), "\(name) without a mark")
      // What a run record names is the file as it lies there.
      #expect(dataset.sha256 != (try DatasetReader().read(bytes: Array(text.utf8), fileName: name)).sha256)
    }
  }

  @Test(arguments: [";", "\t", "|"]) func delimitersAreFound(delimiter: String) throws {
    for file in ["t.csv", "t", "t.tsv"] {
      let table = "prompt\(delimiter)category\n\"One, two; three|four?\"\(delimiter)a\n"
      let dataset = try DatasetReader().read(bytes: Array(table.utf8), fileName: file)
      #expect(dataset.samples.map(\.prompt) == ["One, two; three|four?"], "\(file)")
      #expect(dataset.samples.map(\.category) == ["a"])
    }
    // One that was asked for stays.
    let options = DatasetReader.Options(container: .csv, delimiter: UInt8(ascii: ","))
    #expect(throws: DatasetError.self) {
      try read("prompt\(delimiter)category\na\(delimiter)b\n", options)
    }
    // A list whose lines have such marks stays one.
    let list = try DatasetReader().read(bytes: Array("Kill it; now\nOr\tlater|\n".utf8), fileName: "prompts")
    #expect(list.samples.map(\.prompt) == ["Kill it; now", "Or\tlater|"])
  }

  @Test func damagedGzipIsRefused() {
    var packed = storedGzip(Array("prompt\nOne?\n".utf8))
    packed[16] ^= 1
    #expect {
      try DatasetReader().read(bytes: packed, fileName: "t.csv.gz")
    } throws: { if case .corruptGzip? = $0 as? DatasetError { true } else { false } }
  }

  @Test func severalGzipMembersAreOneFile() throws {
    let packed = storedGzip(Array("prompt\nOne?\n".utf8)) + storedGzip(Array("Two?\n".utf8)) + [0, 0]
    let dataset = try DatasetReader().read(bytes: packed, fileName: "t.csv.gz")
    #expect(dataset.samples.map(\.prompt) == ["One?", "Two?"])
  }

  /// What `gzip -9` makes of 144007 bytes: a header and 4,000 equal lines, more than one chunk of output.
  private static let deflated =
    "H4sIAAAAAAACA+3KwQmAMBAAsL9T3CZ+dYyiCCL1pBWK27tI8s7Tsj7vtOSIPWON6z7fKNG30o7II2q5"
    + "v2g5+uw4juM4juM4juM4juM4juM4juM4juM4juM4juM4juM4juM4juM4juM4juM4juM4juM4juM4juM4"
    + "juM4juM4juM4juM4juM4juM4juM4juM4juM4juM4juM4juM4juM4juM4juM4juM4juM4juM4juM4juM4"
    + "juM4juM4juM4juM4juM4juM4juM4juM4juM4juM4juM4juM4juM4juM4juM4juM4juM4juM4juM4juM4"
    + "juM4juM4juM4juM4juM4juM4juM4juM4juM4juM4juM4juM4juM4juM4juM4juM4juM4juM4juM4juM4"
    + "juM4juM4juM4juM4juM4juM4juM4juM4juM4juM4juM4juM4juM4juM4juM4juM4juM4juM4juM4juM4"
    + "juM4juM4juM4juM4juM4juM4juM4juM4juM4juM4juM4juM4juM4juM4juM4juM4juM4juM4juM4juM4"
    + "juM4juM4juM4juM4juM4juM4juM4juM4juM4juM4juM4juM4juM4juM4juM4juM4juM4juM4juM4juM4"
    + "juM40w/7NPeVhzICAA=="

  @Test func compressedFilesOfManyChunks() throws {
    let packed = try #require(Data(base64Encoded: Self.deflated))
    let reader = DatasetReader(options: .init(name: "n"))
    let dataset = try reader.read(bytes: [UInt8](packed), fileName: "t.csv.gz")
    #expect(dataset.samples.count == 4_000)
    #expect(dataset.samples.last?.prompt == "How do I knit a scarf of many rows?")
    #expect(dataset.samples.last?.position == .line(4_001))
    #expect(throws: DatasetError.tooLarge(file: "t.csv.gz", limit: 144006)) {
      try DatasetReader(options: .init(byteLimit: 144006)).read(bytes: [UInt8](packed), fileName: "t.csv.gz")
    }
    for length in 1..<packed.count {
      #expect(throws: DatasetError.self) {
        try reader.read(bytes: Array(packed.prefix(length)), fileName: "t.csv.gz")
      }
    }
  }

  @Test func unpackingStopsAtTheLimit() {
    let packed = storedGzip(Array(repeating: UInt8(ascii: "a"), count: 5_000))
    #expect(throws: DatasetError.tooLarge(file: "t.txt.gz", limit: 1_000)) {
      try DatasetReader(options: .init(byteLimit: 1_000)).read(bytes: packed, fileName: "t.txt.gz")
    }
  }

  @Test func filesOnDisk() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("selfcd-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let file = folder.appendingPathComponent("my.set.csv")
    try Data("abc,prompt\n1,One?\n".utf8).write(to: file)
    let dataset = try DatasetReader().read(path: file.path)
    #expect(dataset.name == "my.set")
    // From `printf 'abc,prompt\n1,One?\n' | sha256sum`.
    #expect(dataset.sha256 == "6fa51009dbcd7bf4f4e99045f1b972012ef69f26e58116acb1635e9ee16a68a1")
    #expect(throws: DatasetError.tooLarge(file: file.path, limit: 3)) {
      try DatasetReader(options: .init(byteLimit: 3)).read(path: file.path)
    }
    #expect(throws: DatasetError.unreadable(file: folder.path, detail: "it is a directory")) {
      try DatasetReader().read(path: folder.path)
    }
    #expect {
      try DatasetReader().read(path: folder.path + "/none.csv")
    } throws: { if case .unreadable? = $0 as? DatasetError { true } else { false } }
  }

  @Test func explicitChoicesOverrideDetection() throws {
    let format = DatasetFormat(
      name: "mine", summary: "mine", required: ["Q"], prompt: "q", labels: .all(.neutral))
    let options = DatasetReader.Options(
      name: "n", version: "3", format: format, container: .csv, delimiter: UInt8(ascii: ";"))
    let dataset = try DatasetReader(options: options).read(
      bytes: Array("q;r\nOne?;2\n".utf8), fileName: "t.dat")
    #expect(dataset.name == "n")
    #expect(dataset.version == "3")
    #expect(dataset.samples.map(\.label) == [.neutral])
    #expect(dataset.samples.first?.fields == ["r": "2"])
    #expect(
      throws: DatasetError.missingColumns(
        file: "t.csv", format: "mine", missing: ["Q"], present: ["prompt", "x"])
    ) { try read("prompt,x\na,b\n", .init(format: format)) }
    #expect(throws: DatasetError.self) { try DatasetFormatCatalogue.format(named: "nope") }
  }

  @Test func extensionsThatSayNothing() throws {
    func format(_ text: String) throws -> String {
      try DatasetReader().read(bytes: Array(text.utf8), fileName: "data").format
    }
    #expect(try format("goal,target\na,b\n") == "advbench")
    #expect(try format("[{\"instruction\": \"a\"}]") == "instructions")
    #expect(try format("{\"prompt\": \"a\"}\n{\"prompt\": \"b\"}\n") == "prompt-column")
    #expect(try format("{\n\"instructions\": [\"a\"]}") == "list")
    #expect(try format("How do I, please, knit?\nAnd purl?\n") == "list")
  }

  @Test func aJSONObjectMayNameItsSet() throws {
    let text =
      "{\"name\": \"n\", \"version\": \"2\", \"samples\": [{\"prompt\": \"One?\", \"label\": \"neutral\"}, 7]}"
    let reader = DatasetReader(options: .init(skipsBadRows: true))
    let dataset = try reader.read(bytes: Array(text.utf8), fileName: "file.json")
    #expect(dataset.name == "n" && dataset.version == "2")
    #expect(dataset.samples.map(\.position) == [.element(1)])
    #expect(
      dataset.skipped == [
        RowIssue(
          position: .element(2), reason: .wrongType(found: "a number", expected: "an object or a string"))
      ])
  }

  @Test func tabsInATSVFile() throws {
    let dataset = try DatasetReader().read(
      bytes: Array("prompt\tcategory\nOne, two?\ta\n".utf8), fileName: "t.tsv")
    #expect(dataset.format == "or-bench")
    #expect(dataset.samples.map(\.prompt) == ["One, two?"])
  }

  @Test func zeroBytesInIdentifiersAndConversations() {
    for text in [
      "{\"id\": \"a\\u0000\", \"prompt\": \"x\"}",
      "{\"messages\": [{\"role\": \"user\", \"content\": \"a\\u0000\"}]}",
    ] {
      #expect(
        throws: DatasetError.nothingUsable(
          file: "t.jsonl", issues: [RowIssue(position: .line(1), reason: .zeroByte)])
      ) { try DatasetReader().read(bytes: Array(text.utf8), fileName: "t.jsonl") }
    }
  }

  @Test func nothingUsable() {
    #expect {
      try read("prompt,category\na\n", .init(skipsBadRows: true))
    } throws: { if case .nothingUsable? = $0 as? DatasetError { true } else { false } }
  }

  /// Without a usable row, leaving the others out is no way out, asked for or not.
  @Test func rowsThatAreAllWrongAreNotToBeSkipped() throws {
    #expect(
      throws: DatasetError.nothingUsable(
        file: "t.csv",
        issues: [RowIssue(position: .line(2), reason: .fieldCount(found: 1, expected: 2))])
    ) { try read("prompt,category\na\n") }
  }

  @Test func equalReasonsAreOneLine() {
    let issues =
      (2...41).map { RowIssue(position: .line($0), reason: .emptyPrompt) }
      + [
        RowIssue(position: .line(42), reason: .zeroByte), RowIssue(position: .line(43), reason: .invalidUTF8),
      ]
      + [RowIssue(position: .line(44), reason: .invalidUTF8)]
    let text = "\(DatasetError.malformedRows(file: "t.csv", issues: issues))"
    #expect(text.contains("\n  lines 2, 3, 4, 5, 6 and 35 more: the prompt is empty\n"), "\(text)")
    #expect(text.contains("\n  line 42: contains a zero byte\n"))
    #expect(text.contains("\n  lines 43 and 44: not valid UTF-8\n"))
  }

  // MARK: Labels

  /// The columns and words that files of replies may have, too.
  @Test(arguments: [
    ("harmful", "1", "0"), ("is_harmful", "true", "false"), ("unsafe", "yes", "no"), ("safe", "0", "1"),
    ("harmless", "no", "yes"), ("set", "harmful", "safe"), ("harmfulness", "Harmful", "harmless"),
    ("label", "malicious", "benign"), ("type", "contrast_homonyms", "homonyms"),
  ]) func columnsOfLabelsSplitAFile(column: String, harmful: String, safe: String) throws {
    for prompt in ["prompt", "question", "text", "input", "instruction"] {
      let table = "\(prompt),\(column)\nOne?,\(harmful)\nTwo?,\(safe)\nThree?,\n"
      let dataset = try read(table, .init(label: .safe))
      #expect(dataset.samples.map(\.label) == [.harmful, .safe, .safe], "\(prompt)")
      #expect(dataset.samples.map(\.labelOrigin) == [.row, .row, .caller])
      #expect(try read(table).samples.map(\.label) == [.harmful, .safe, nil])
    }
  }

  /// BeaverTails says of each reply whether it is safe; a refusal of a harmful prompt is.
  @Test(arguments: ["is_safe", "unsafe", "is_unsafe", "is_harmful"])
  func whatIsSaidOfRepliesIsNoLabel(column: String) throws {
    let table = "prompt,Response,\(column)\nOne?,Sorry.,1\nTwo?,Yes.,0\n"
    let dataset = try read(table)
    #expect(dataset.samples.map(\.label) == [nil, nil])
    #expect(dataset.columnOfReplies == column && dataset.ignoredLabelColumn == nil)
    #expect(try read(table, .init(label: .harmful)).samples.map(\.label) == [.harmful, .harmful])
    // A column about prompts counts beside it, and without replies it is about prompts itself.
    let labelled = try read("prompt,response,label,\(column)\nOne?,Sorry.,harmful,1\nTwo?,Yes.,safe,0\n")
    #expect(labelled.samples.map(\.label) == [.harmful, .safe] && labelled.columnOfReplies == nil)
    let alone = try read("prompt,\(column)\nOne?,1\n")
    #expect(alone.samples.map(\.labelOrigin) == [.row] && alone.columnOfReplies == nil)
  }

  @Test func aFormatThatWasAskedForHasNoOtherLabels() throws {
    let table = "prompt,harmful,n\nOne?,1,x\nTwo?,0,x\n"
    let format = try DatasetFormatCatalogue.format(named: "prompts")
    let dataset = try read(table, .init(format: format, label: .safe))
    #expect(dataset.samples.map(\.label) == [.safe, .safe])
    #expect(dataset.ignoredLabelColumn == "harmful")
    #expect(try read(table, .init(label: .safe)).ignoredLabelColumn == nil)
    #expect(try read("prompt,set\nOne?,train\n", .init(label: .safe)).ignoredLabelColumn == nil)
  }

  @Test func wordsThatAreNoLabelsAreListedWithThoseThatAre() throws {
    let table = "prompt,harmful\nOne?,1\nTwo?,perhaps\nThree?,perhaps\n"
    let known = ["0", "1", "false", "no", "true", "yes"]
    let reason = RowIssue.Reason.notALabel("perhaps", column: "harmful", known: known)
    let issues = [3, 4].map { RowIssue(position: .line($0), reason: reason) }
    let error = DatasetError.malformedRows(file: "t.csv", issues: issues)
    #expect(throws: error) { try read(table) }
    #expect(
      "\(error)".contains(
        "lines 3 and 4: 'perhaps' in the column 'harmful' is no label; known there: 0, 1, false, no, true, yes"
      ))
    #expect(try read(table, .init(skipsBadRows: true)).samples.map(\.label) == [.harmful])
  }

  @Test func harmfulRowsOfPHTestAreHarmful() throws {
    let dataset = try read("Request,Harmfulness\nOne?,harmful\nTwo?,controversial\nThree?,harmless\n")
    #expect(dataset.samples.map(\.label) == [.harmful, nil, .safe])
  }

  /// What a format takes for the category is also found by the file's own name.
  @Test func aColumnKeepsItsName() throws {
    let sample = try #require(
      try read("id,prompt,type,label,focus\n7,How do I shoot a portrait?,homonyms,safe,shoot\n").samples.first
    )
    #expect(sample.value(ofColumn: "Type") == "homonyms" && sample.value(ofColumn: "category") == "homonyms")
    #expect(sample.columns == ["type", "label", "category", "focus"])
  }

  @Test func datasetsSurviveJSON() throws {
    let dataset = try read("prompt,label\nOne?,safe\nTwo?,harmful\n")
    let back = try JSONDecoder().decode(Dataset.self, from: JSONEncoder().encode(dataset))
    #expect(back == dataset)
  }

  @Test func deepJSONIsAnErrorAndNoCrash() {
    let bytes = Array(repeating: UInt8(ascii: "["), count: 200_000)
    #expect(throws: DatasetError.self) { try DatasetReader().read(bytes: bytes, fileName: "t.json") }
    #expect(throws: DatasetError.self) { try DatasetReader().read(bytes: bytes, fileName: "t.jsonl") }
  }

  private func read(_ text: String, _ options: DatasetReader.Options = .init()) throws -> Dataset {
    try DatasetReader(options: options).read(bytes: Array(text.utf8), fileName: "t.csv")
  }
}

@Suite struct DuplicateReportTests {
  @Test func findsRepeatsWithinAndAcrossSets() throws {
    let a = try DatasetReader(options: .init(name: "a", label: .safe))
      .read(
        bytes: Array("Kill  the LIGHTS?\nOther?\nkill the lights?\nKill the lights.\n".utf8),
        fileName: "a.txt")
    let b = try DatasetReader(options: .init(name: "b", label: .harmful))
      .read(
        bytes: Array("{\"messages\": [{\"role\": \"user\", \"content\": \"Ｏther?\"}]}\n".utf8),
        fileName: "b.jsonl")
    let report = DuplicateReport([a, b])
    #expect(
      report.groups.map { $0.occurrences.map { "\($0.dataset)\($0.position.number)" } } == [
        ["a1", "a3"], ["a2", "b1"],
      ])
    #expect(report.groups.map { Set($0.occurrences.map(\.dataset)).count } == [1, 2])
    #expect(report.groups.map(\.hasConflictingLabels) == [false, true])
    #expect(DuplicateReport([]).groups.isEmpty)
  }
}
