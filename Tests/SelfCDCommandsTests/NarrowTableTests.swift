import Foundation
import SelfCDStore
import SelfCDSupport
import Testing

@testable import SelfCDCommands

/// Tables on terminals that have fewer columns than they need.
@Suite struct NarrowTableTests {
  private typealias Workspace = EvaluationCommandTests.Workspace

  private static let lines = [
    ["condition", "safe unanswered (want 0 %), n 250", "harmful refused (want 100 %), n 200"],
    ["guarded", "54.4 [48.2, 60.5]", "99.0 [96.4, 99.7]"],
    ["self-cd@2.5", "9.2 [6.2, 13.4]*", "92.0 [87.4, 95.0]*"],
  ]

  private static func text(_ limit: Int?) -> [String] {
    let console = Console(usesColor: false, width: limit ?? 80, limit: limit)
    return TextTable(lines: lines, console: console).text.split(separator: "\n").map(String.init)
  }

  @Test func aPipeKeepsTheColumns() {
    let text = Self.text(nil)
    #expect(text.count == 3 && text[0].count == 13 + 35 + 35)
    #expect(text == Self.text(83), "so does a terminal that has them")
    #expect(text[2] == "self-cd@2.5  9.2 [6.2, 13.4]*                   92.0 [87.4, 95.0]*")
  }

  /// Figures stay whole, headings break.
  @Test func headingsBreakFirst() {
    for limit in [82, 60, 53] {
      let text = Self.text(limit)
      #expect(text.allSatisfy { TextLayout.columns($0) <= limit }, "\(text)")
      #expect(text.contains { $0.hasPrefix("guarded") && $0.hasSuffix("99.0 [96.4, 99.7]") }, "\(text)")
    }
  }

  @Test func thenEachRowBecomesAList() {
    let text = Self.text(40)
    #expect(text.allSatisfy { TextLayout.columns($0) <= 40 }, "\(text)")
    #expect(
      Array(text.prefix(6)) == [
        "condition: guarded", "  safe unanswered (want 0 %), n 250:", "    54.4 [48.2, 60.5]",
        "  harmful refused (want 100 %),", "    n 200: 99.0 [96.4, 99.7]", "condition: self-cd@2.5",
      ])
  }

  @Test func listsLeaveOutWhatIsEmpty() {
    let list = StackedTable.lines([["", "a", ""], ["first", "1", ""], ["second", "", "x"], ["third"]])
    #expect(list == ["first", "  a: 1", "second", "  x", "third"])
    #expect(StackedTable.lines([["run", "n"], ["a", "1"]]) == ["run: a", "  n: 1"])
    #expect(StackedTable.lines([]) == [])
  }

  private static func expectNarrow(_ outcome: CommandLineTests.Outcome, _ what: String) {
    #expect(outcome.status == 0, "\(what): \(outcome.errors)")
    let wide = outcome.output.split(separator: "\n").filter { TextLayout.columns(String($0)) > 40 }
    #expect(wide.isEmpty, "\(what): \(wide)")
  }

  @Test func theCommandsKeepToTheTerminal() throws {
    let space = try Workspace()
    let narrow = ["XDG_DATA_HOME": space.folder.path, "COLUMNS": "40"]
    #expect(try space.run(["eval", "--run", "r", "-n", "12"] + space.sets).status == 0)
    for command in [["runs", "show", "r"], ["report", "r"], ["runs"]] {
      Self.expectNarrow(try CommandLineTests.run(command, environment: narrow), "\(command)")
    }
    let plan = CalibrateCommandTests.quick + ["--plan"]
    Self.expectNarrow(try CommandLineTests.run(plan, environment: narrow), "calibrate --plan")
  }

  @Test func anAuditKeepsToTheTerminal() throws {
    let space = try Workspace()
    let store = space.path("s.sqlite")
    try SyntheticRun.fill(try RunStore(path: store), safe: 20, harmful: 30)
    let sheet = space.path("sheet.csv")
    let audit = ["audit", "3f2a", "--store", store]
    let written = try CommandLineTests.run(
      audit + ["--candidate", "self-cd@2.5", "--sample", "10", "-o", sheet])
    #expect(written.status == 0, "\(written.errors)")
    let key = try JSONSerialization.jsonObject(
      with: Data(contentsOf: URL(filePath: space.path("sheet.key.json"))))
    let rows = try #require((key as? [String: Any])?["rows"] as? [[String: Any]])
    let labels = rows.map { "\($0["id"] as? String ?? ""),\($0["verdict"] as? String ?? "")\n" }
    try space.write("sheet.csv", "id,label\n" + labels.joined())
    Self.expectNarrow(
      try CommandLineTests.run(audit + ["--labels", sheet], environment: ["COLUMNS": "40"]), "audit")
  }
}
