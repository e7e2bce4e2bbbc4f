import Foundation
import SelfCDData
import SelfCDJudges
import SelfCDStatistics
import SelfCDTesting
import Testing

@testable import SelfCDEval

/// Pairs of a made-up run.
enum AuditFixture {
  static func pair(
    _ number: Int, harmful: Bool = true, texts: (String, String) = ("no", "never"),
    verdicts: (ReplyClass?, ReplyClass?) = (.fullRefusal, .fullRefusal)
  ) -> AuditPair {
    AuditPair(
      dataset: harmful ? "harmful" : "safe", sample: "\(number)", isHarmful: harmful,
      prompt: "question \(number)", reference: .init(text: texts.0, verdict: verdicts.0),
      candidate: .init(text: texts.1, verdict: verdicts.1))
  }

  /// Of each label: 4 with another verdict, 20 with other texts, 30 with the same text.
  static let pairs: [AuditPair] = [true, false].flatMap { harmful in
    (0..<54).map { number in
      switch number {
      case 0..<4:
        pair(
          number, harmful: harmful, texts: ("no", "yes"), verdicts: (.fullRefusal, .fullCompliance))
      case 4..<24: pair(number, harmful: harmful)
      default: pair(number, harmful: harmful, texts: ("no", "no"))
      }
    }
  }

  static func sheet(_ design: AuditDesign, pairs: [AuditPair] = pairs) throws -> AuditSheet {
    try AuditSheet(
      pairs, design: design, run: "r", reference: "guarded", candidate: "self-cd@1.5",
      judge: .init(name: "selfcd", version: "3"))
  }
}

@Suite struct AuditSheetTests {
  @Test func kindsFollowTextsAndVerdicts() {
    typealias Row = ((String, String), (ReplyClass?, ReplyClass?), AuditPair.Kind)
    let rows: [Row] = [
      (("a", "a"), (.fullRefusal, .fullCompliance), .identical), (("a", "a"), (nil, nil), .identical),
      (("a", "b"), (.fullRefusal, .fullRefusal), .unchanged),
      (("a", "b"), (.fullRefusal, .partialRefusal), .changed), (("a", "b"), (nil, .fullRefusal), .changed),
      // What nobody judged is read, and not taken for unchanged.
      (("a", "b"), (nil, nil), .changed),
    ]
    for (texts, verdicts, kind) in rows {
      #expect(AuditFixture.pair(1, texts: texts, verdicts: verdicts).kind == kind)
    }
  }

  @Test func pairsComeFromReplies() {
    func reply(
      _ sample: String, _ condition: String, label: Sample.Label? = .harmful, repetition: Int = 0,
      versions: [String] = ["3"]
    ) -> EvaluatedReply {
      EvaluatedReply(
        key: .init(dataset: "d", sample: sample, condition: condition, repetition: repetition),
        sample: Sample(id: sample, content: .text("q" + sample), label: label, position: .line(1)),
        text: condition,
        judgements: versions.map {
          .init(judge: "j", version: $0, verdict: Verdict($0 == "3" ? .fullRefusal : .fullCompliance))
        })
    }
    let replies = [
      reply("1", "guarded"), reply("1", "b"), reply("1", "other"), reply("1", "b", repetition: 1),
      reply("2", "guarded", label: .neutral), reply("2", "b", label: .neutral),
      reply("3", "guarded", label: nil), reply("3", "b", label: nil), reply("4", "guarded"),
      reply("5", "b", label: .safe, versions: ["2", "3"]), reply("5", "guarded", label: .safe, versions: []),
    ]
    let (pairs, incomplete) = AuditPair.pairs(
      of: replies, reference: "guarded", candidate: "b", judge: "j", version: "3")
    #expect(incomplete == 1 && pairs.map(\.sample) == ["1", "5"])
    #expect(pairs.map(\.isHarmful) == [true, false] && pairs[0].prompt == "q1")
    #expect(pairs[1].reference.verdict == nil && pairs[1].candidate.verdict == .fullRefusal)
  }

  /// One prompt a group is independent evidence; which one is drawn by the seed, and each label has its own.
  @Test func onePairOfEachGroupIsAudited() {
    var pairs = AuditFixture.pairs
    for index in pairs.indices where index % 9 != 0 { pairs[index].group = "g\(index % 54 / 6)" }
    for index in pairs.indices where index % 9 == 0 { pairs[index].group = "own \(index)" }
    let drawn = AuditPair.onePerGroup(pairs, seed: 3)
    for isHarmful in [true, false] {
      let groups = drawn.filter { $0.isHarmful == isHarmful }.compactMap(\.group)
      #expect(Set(groups).count == groups.count && groups.count == 9 + 6)
    }
    #expect(AuditPair.onePerGroup(pairs, seed: 3) == drawn && AuditPair.onePerGroup(drawn, seed: 8) == drawn)
    let others = (0..<20 as Range<UInt64>).map { AuditPair.onePerGroup(pairs, seed: $0).map(\.sample) }
    #expect(Set(others).count > 10)
    #expect(AuditPair.onePerGroup(AuditFixture.pairs, seed: 3) == AuditFixture.pairs)
  }

  @Test(arguments: [
    (300, [500, 500, 500, 500], [100, 50, 100, 50]), (300, [500, 0, 500, 500], [120, 0, 120, 60]),
    (300, [10, 20, 30, 40], [10, 20, 30, 40]), (7, [100, 100, 100, 100], [2, 1, 2, 1]),
    (0, [5, 5, 5, 5], [0, 0, 0, 0]), (90, [10, 100, 10, 100], [10, 35, 10, 35]),
  ])
  func theSampleIsSharedOut(total: Int, available: [Int], expected: [Int]) {
    let shares = AuditDesign.allocation(of: total, available: available, weights: [2, 1, 2, 1])
    #expect(shares.reduce(0, +) == min(total, available.reduce(0, +)))
    #expect(zip(shares, available).allSatisfy { $0 <= $1 })
    for (share, wanted) in zip(shares, expected) { #expect(abs(share - wanted) <= 1, "\(shares)") }
  }

  @Test func everyChangeIsReadAndARandomPartOfTheRest() throws {
    let sheet = try AuditFixture.sheet(.init(sample: 30, seed: 5))
    let read = sheet.key.strata.reduce(into: [:]) { $0["\($1.set) \($1.kind)"] = [$1.pairs, $1.read] }
    #expect(read["harmful changed"] == [4, 4] && read["safe changed"] == [4, 4])
    #expect(read["harmful unchanged"] == [20, 10] && read["safe identical"] == [30, 5])
    // Two rows of a pair whose texts differ, one of a pair whose texts are equal.
    #expect(sheet.rows.count == 2 * (4 + 4 + 10 + 10) + 5 + 5)
    #expect(Set(sheet.rows.map(\.id)).count == sheet.rows.count)
    #expect(sheet.rows.map(\.id) == sheet.key.rows.map(\.id))
    for (row, key) in zip(sheet.rows, sheet.key.rows) {
      #expect(row.prompt == "question \(key.sample)")
      #expect(row.reply == (key.stratum == .changed && key.conditions == ["self-cd@1.5"] ? "yes" : row.reply))
      #expect(key.conditions.count == (key.stratum == .identical ? 2 : 1))
      #expect(key.weight == (key.stratum == .changed ? 1 : key.stratum == .unchanged ? 2 : 6))
    }
    #expect(try AuditFixture.sheet(.init(sample: 30, seed: 5)) == sheet)
    let other = try AuditFixture.sheet(.init(sample: 30, seed: 6))
    #expect(other.key.audit != sheet.key.audit)
    #expect(other.key.rows.map(\.sample) != sheet.key.rows.map(\.sample))
    let all = try AuditFixture.sheet(.init(sample: nil))
    #expect(all.rows.count == 2 * (2 * 24 + 30) && all.key.rows.allSatisfy { $0.weight == 1 })
  }

  /// Nothing on the sheet tells one condition, verdict or set from another.
  @Test func theSheetIsBlind() throws {
    let sheet = try AuditFixture.sheet(.init(sample: 30))
    let lines = sheet.csv.split(separator: "\r\n")
    #expect(lines[0] == "id,prompt,reply,label" && lines.count == sheet.rows.count + 1)
    for word in ["guarded", "self-cd", "harmful", "safe", "refusal", "changed", "selfcd"] {
      #expect(!sheet.csv.contains(word), "\(word)")
    }
    // The order is that of no condition: each of them is first of some pair.
    let firsts = Dictionary(grouping: sheet.key.rows.filter { $0.stratum != .identical }) {
      "\($0.dataset)/\($0.sample)"
    }.compactMap { $0.value.first?.conditions.first }
    #expect(Set(firsts).count == 2)
  }

  /// Written by hand after the encoder of commit 43a0212, which knew no groups; the sheet of such a key may lie with a
  /// reader for weeks.
  @Test func aKeyOfTheFirstProgramIsRead() throws {
    let file = FileManager.default.temporaryDirectory.appending(path: "\(UUID().uuidString).key.json")
    defer { try? FileManager.default.removeItem(at: file) }
    let text = """
      {"audit": "k4", "candidate": "self-cd@1.5", "design": {"sample": 300, "seed": 7}, "format_version": 1,
       "judge": {"name": "selfcd", "version": "2+answer2"}, "reference": "guarded",
       "rows": [{"conditions": ["self-cd@1.5"], "dataset": "d", "id": "k4-1", "sample": "3", "set": "harmful",
                 "stratum": "changed", "verdict": "1_full_compliance", "weight": 1},
                {"conditions": ["guarded"], "dataset": "d", "id": "k4-2", "sample": "3", "set": "harmful",
                 "stratum": "changed", "weight": 1}],
       "run": "r", "run_sha256": "ab", "strata": [{"kind": "changed", "pairs": 1, "read": 1, "set": "harmful"}]}
      """
    try Data(text.utf8).write(to: file)
    let key = try AuditKey.read(path: file.path)
    #expect(key.group == nil && key.runSHA256 == "ab" && key.design == AuditDesign(sample: 300, seed: 7))
    #expect(key.rows.map(\.verdict) == [.fullCompliance, nil])
    #expect(key.rows.map(\.conditions) == [["self-cd@1.5"], ["guarded"]])
    #expect(key.strata.map(\.kind) == [.changed] && key.judge.version == "2+answer2")
  }

  @Test func theKeyIsReadBack() throws {
    let sheet = try AuditFixture.sheet(.init(sample: nil, seed: 9))
    let file = FileManager.default.temporaryDirectory.appending(path: "\(UUID().uuidString).key.json")
    defer { try? FileManager.default.removeItem(at: file) }
    try Data(sheet.key.json().utf8).write(to: file)
    #expect(try AuditKey.read(path: file.path) == sheet.key)
    try Data(#"{"format_version": 2}"#.utf8).write(to: file)
    #expect(throws: AuditError.laterKey(file: file.path, version: 2)) { try AuditKey.read(path: file.path) }
    try Data("[]".utf8).write(to: file)
    #expect(throws: AuditError.unreadableKey(file: file.path, detail: "it is no key of an audit")) {
      try AuditKey.read(path: file.path)
    }
    let missing = AuditError.unreadableKey(file: "/nowhere", detail: "there is no such file")
    #expect(throws: missing) { try AuditKey.read(path: "/nowhere") }
    #expect(throws: AuditError.noPairs(run: "r", reference: "guarded", candidate: "self-cd@1.5")) {
      try AuditFixture.sheet(.init(), pairs: [])
    }
  }
}

@Suite struct AuditLabelsTests {
  private func labels(
    _ text: String, _ key: AuditKey, file: String = "sheet.csv", pairs: [AuditPair] = AuditFixture.pairs
  ) throws -> AuditLabels {
    try AuditLabels.read(bytes: Array(text.utf8), fileName: file, key: key, pairs: pairs)
  }

  /// Pairs with every kind of text that spreadsheet programs change.
  private static let texts = [
    "one line", "two\nlines\n\nand more ", "=1+1", "-5 is no formula", "a,b;\"c\"", "\ttabbed",
    "'quoted'", "3.50", "dots… and – dashes", "", "007", "\u{0B}odd\u{7}",
  ]

  private static func pairs() -> [AuditPair] {
    texts.indices.map { index in
      AuditPair(
        dataset: "harmful", sample: "\(index)", isHarmful: true, prompt: "question \(index)\r\nin full",
        reference: .init(text: texts[index], verdict: .fullRefusal),
        candidate: .init(text: texts[(index + 1) % texts.count] + "!", verdict: .fullCompliance))
    }
  }

  private static func rows(_ sheet: AuditSheet, label: String = "1") -> [[String]] {
    sheet.rows.map { [$0.id, $0.prompt, $0.reply, label] }
  }

  private static func csv(_ rows: [[String]], _ writer: CSVWriter = CSVWriter()) -> String {
    ([AuditSheet.columns] + rows).map(writer.row).joined()
  }

  /// A column that was sorted by itself gives labels to other replies, and looks like a sheet all the same.
  @Test(arguments: [(1, "prompt"), (2, "reply"), (0, "prompt")])
  func aColumnSortedByItselfIsFound(column: Int, name: String) throws {
    let pairs = Self.pairs()
    let sheet = try AuditFixture.sheet(.init(sample: nil), pairs: pairs)
    var rows = Self.rows(sheet)
    let sorted = rows.map { $0[column] }.sorted(by: >)
    for index in rows.indices { rows[index][column] = sorted[index] }
    let error = #expect(throws: AuditError.self) { try labels(Self.csv(rows), sheet.key, pairs: pairs) }
    guard case .otherTexts(let file, let count, let problems)? = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(file == "sheet.csv" && count == sheet.rows.count && problems.count > count / 2)
    #expect(problems.allSatisfy { $0.position != nil })
    #expect(problems.count { $0.reason == .otherText(column: name) } > count / 2)
    let text = error?.description ?? ""
    #expect(text.contains("has another \(name)") && text.contains("sorted or pasted by itself"))
    #expect(text.contains("and \(problems.count - 10) more"))
    // Without the columns nobody can tell, and whole rows may stand in any order.
    let alone = "id,label\n" + rows.map { "\($0[0]),1\n" }.joined()
    let whole = Self.csv(Self.rows(sheet).reversed())
    for text in [alone, whole] {
      #expect(try labels(text, sheet.key, pairs: pairs).classes.count == count)
    }
  }

  @Test func oneSwappedReplyIsFound() throws {
    let pairs = Self.pairs()
    let sheet = try AuditFixture.sheet(.init(sample: nil), pairs: pairs)
    var rows = Self.rows(sheet)
    rows[4][2] = rows[4][2] + " indeed"
    let error = #expect(throws: AuditError.self) { try labels(Self.csv(rows), sheet.key, pairs: pairs) }
    guard case .otherTexts(_, _, let problems)? = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(problems.map(\.id) == [rows[4][0]] && problems[0].reason == .otherText(column: "reply"))
  }

  /// What programs do of themselves: other line ends, trimmed cells, other quotes, apostrophes and numbers, empty rows.
  @Test func whatProgramsChangeIsNoDifference() throws {
    let pairs = Self.pairs()
    let sheet = try AuditFixture.sheet(.init(sample: nil), pairs: pairs)
    func changed(_ change: (String) -> String) -> String {
      Self.csv(
        Self.rows(sheet).map { [$0[0], change($0[1]), change($0[2]), $0[3]] },
        CSVWriter(neutralisesFormulas: false, lineEnd: "\n"))
    }
    let versions = [
      sheet.csv.replacing(",\r\n", with: ",2\r\n"),
      changed { $0 },
      changed { $0.replacing("\r\n", with: "\n").replacing("\n", with: "\r") },
      changed { $0.trimmingCharacters(in: .whitespacesAndNewlines) },
      changed { $0 == "3.50" ? "3.5" : $0 == "007" ? "7" : $0 },
      changed { $0.filter { $0 != "\u{7}" } } + ",,,\n,,,\n",
    ]
    for (index, version) in versions.enumerated() {
      #expect(try labels(version, sheet.key, pairs: pairs).classes.count == sheet.rows.count, "\(index)")
    }
    // Programs cut very long cells.
    let long = String(repeating: "long ", count: 9000)
    #expect(AuditCellText(long).isKept(in: AuditCellText(String(long.prefix(32_767)))))
    for (own, read) in [("a long reply", "a long"), ("", "x"), ("x", ""), ("1", "2"), ("=1", "=2")] {
      #expect(!AuditCellText(own).isKept(in: AuditCellText(read)), "\(own) \(read)")
    }
  }

  @Test func rowsWithoutAnIdentifierAreNamed() throws {
    let sheet = try AuditFixture.sheet(.init(sample: 0))
    var rows = Self.rows(sheet)
    rows[2][0] = ""
    let error = #expect(throws: AuditError.self) { try labels(Self.csv(rows), sheet.key) }
    guard case .badRows(_, _, let problems)? = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(problems.map(\.reason) == [.unidentified, .missing])
    #expect(error?.description.contains("a row (line 4) has no id") == true)
  }

  @Test func labelsOfAChangedRunAreRefused() throws {
    let sheet = try AuditFixture.sheet(.init(sample: 0))
    var pairs = AuditFixture.pairs
    pairs[0].candidate.text = "something else"
    #expect(throws: AuditError.changedRun(run: "r")) { try labels(sheet.csv, sheet.key, pairs: pairs) }
  }

  @Test func whateverASpreadsheetMakesOfIt() throws {
    let key = try AuditFixture.sheet(.init(sample: 0)).key
    let ids = key.rows.map(\.id)
    #expect(ids.count == 16)
    let words = ["1", "2_full_refusal", "Partial refusal", "4 degenerate"]
    func expected(_ index: Int) -> ReplyClass {
      [.fullCompliance, .fullRefusal, .partialRefusal, .degenerate][index % 4]
    }
    // Semicolons, another order, columns more and less, a byte order mark.
    let lines = ids.enumerated().reversed().map { "\(words[$0 % 4]);x;\($1)" }
    let table = try labels("\u{FEFF}Label;note;ID\r\n" + lines.joined(separator: "\r\n") + "\r\n", key)
    let records = ids.enumerated().map { #"{"id":"\#($1)","label":"\#(words[$0 % 4])"}"# }
    let json = try labels(records.joined(separator: "\n"), key, file: "sheet.jsonl")
    for (index, id) in ids.enumerated() {
      #expect(table.classes[id] == expected(index) && json.classes[id] == expected(index))
    }
  }

  @Test func badRowsAreNamedAllTogether() throws {
    let key = try AuditFixture.sheet(.init(sample: 0)).key
    let ids = key.rows.map(\.id)
    var lines = ids.map { "\($0),1" }
    lines[0] = "\(ids[0]),"
    lines[1] = "\(ids[1]),maybe"
    lines[2] = "\(ids[3]),1"
    let error = #expect(throws: AuditError.self) {
      try labels("id,label\n" + lines.joined(separator: "\n"), key)
    }
    guard case .badRows(let file, let rows, let problems)? = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(file == "sheet.csv" && rows == 16)
    #expect(
      problems == [
        .init(id: ids[0], position: .line(2), reason: .unlabelled),
        .init(id: ids[1], position: .line(3), reason: .unknownLabel("maybe")),
        .init(id: ids[3], position: .line(5), reason: .repeated),
        .init(id: ids[2], position: nil, reason: .missing),
      ])
    let text = error?.description ?? ""
    #expect(text.contains("\(ids[0]) (line 2) has no label") && text.contains("'maybe'"))
    #expect(text.contains("3_partial_refusal") && text.contains("Nothing was changed"))
  }

  @Test func sheetsOfOtherAuditsAreRefused() throws {
    let key = try AuditFixture.sheet(.init(sample: 0)).key
    let other = try AuditFixture.sheet(.init(sample: 0, seed: 1))
    let error = #expect(throws: AuditError.self) { try labels(other.csv, key) }
    #expect(error?.description.contains("is not on the sheet of run 'r'") == true)
    #expect(throws: AuditError.missingColumn("label", file: "sheet.csv", present: ["id", "reply"])) {
      try labels("id,reply\na,b\n", key)
    }
    #expect(throws: DatasetError.self) { try labels("", key) }
    #expect(throws: DatasetError.self) { try labels("id,label\na,b,c\n", key) }
  }

  /// Damaged files are errors or complete: never a crash, and never a row that is guessed.
  @Test(arguments: 0..<4) func damageIsAnErrorOrHarmless(seed: UInt64) throws {
    let key = try AuditFixture.sheet(.init(sample: 4)).key
    let whole = Array(("id,label\n" + key.rows.map { "\($0.id),\"2\"\n" }.joined()).utf8)
    var generator = Xoshiro256StarStar(seed: seed)
    for _ in 0..<300 {
      var bytes = whole
      for _ in 0...generator.index(below: 3) {
        bytes[generator.index(below: bytes.count)] = UInt8(generator.index(below: 256))
      }
      if generator.index(below: 4) == 0 { bytes.removeLast(generator.index(below: bytes.count)) }
      guard
        let labels = try? AuditLabels.read(
          bytes: bytes, fileName: "sheet.csv", key: key, pairs: AuditFixture.pairs)
      else { continue }
      #expect(Set(labels.classes.keys) == Set(key.rows.map(\.id)))
    }
  }
}
