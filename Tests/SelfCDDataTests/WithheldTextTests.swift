import SelfCDData
import Testing

/// Files that an export wrote without some of their texts.
@Suite struct WithheldTextTests {
  private static let reader = DatasetReader(options: .init(skipsBadRows: true))

  /// Where all are left out, no option helps but another export, whose command is said.
  @Test func anExportWithoutTextsNamesItsRun() {
    let tables = ["run,prompt,withheld\nr-1,,1\nr-1,,1\n", "run,sample,withheld\nr-1,a,1\nr-1,b,1\n"]
    for table in tables {
      #expect {
        try DatasetReader().read(bytes: Array(table.utf8), fileName: "t.csv")
      } throws: {
        "\($0)" == "All texts of t.csv were left out of the export. Write it again with them: "
          + "selfcd export r-1 --text all."
      }
    }
    let named = RowIssue(position: .line(2), reason: .withheld, run: "a run; rm")
    #expect("\(named)".hasSuffix("selfcd export RUN --text all includes it"))
  }

  @Test func withheldPromptsAreNoPrompts() throws {
    let table = "prompt,withheld,note\nOne?,0,a\n,1,b\n(withheld),,c\n,0,d\nTwo?,1,e\n"
    let dataset = try Self.reader.read(bytes: Array(table.utf8), fileName: "t.csv")
    #expect(dataset.samples.map(\.prompt) == ["One?", "Two?"])
    #expect(dataset.skipped.map(\.reason) == [.withheld, .withheld, .emptyPrompt])
    #expect(dataset.skipped.first.map { "\($0)" }?.contains("selfcd export RUN --text all") == true)
    let lines = """
      {"prompt": null, "withheld": true}
      {"withheld": 1, "other": "x"}
      {"prompt": "One?"}
      {"prompt": [{"role": "user", "content": "(withheld)"}]}

      """
    let records = try Self.reader.read(bytes: Array(lines.utf8), fileName: "t.jsonl")
    #expect(records.samples.map(\.prompt) == ["One?"])
    #expect(records.skipped.map(\.reason) == [.withheld, .withheld, .withheld])
  }
}
