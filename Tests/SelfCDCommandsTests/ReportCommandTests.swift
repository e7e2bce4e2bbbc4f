import Foundation
import SelfCDStore
import Testing

/// The real binary on a store filled through the real API.
@Suite struct ReportCommandTests {
  private static func withStore(_ body: (URL, String) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "selfcd-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let path = folder.appending(path: "runs.sqlite").path
    try SyntheticRun.fill(try RunStore(path: path), safe: 40, harmful: 100)
    try body(folder, path)
  }

  @Test func writesEveryFormat() throws {
    try Self.withStore { folder, store in
      for (name, sign) in [("r.html", "<!doctype html>"), ("r.md", "# How much"), ("r.txt", "small-chat-7b")]
      {
        let file = folder.appending(path: name)
        let outcome = try CommandLineTests.run(["report", "latest", "--store", store, "-o", file.path])
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(outcome.output.isEmpty)
        let text = try String(contentsOf: file, encoding: .utf8)
        #expect(text.hasPrefix(sign), "\(name)")
        #expect(text.contains("self-cd"), "\(name)")
        #expect(!text.contains(SyntheticRun.secret), "\(name): replies to harmful prompts are withheld")
      }
    }
  }

  @Test func harmfulRepliesOnDemandOnly() throws {
    try Self.withStore { _, store in
      for arguments in [["--format", "html"], ["--format", "markdown"], ["--json"]] {
        let withheld = try CommandLineTests.run(["report", "--store", store] + arguments)
        #expect(withheld.status == 0 && !withheld.output.contains(SyntheticRun.secret))
        let shown = try CommandLineTests.run(["report", "--store", store, "--show-harmful"] + arguments)
        #expect(shown.output.contains(SyntheticRun.secret))
      }
    }
  }

  /// Only the page has every reply, and as much of it as was asked for.
  @Test func thePageListsRepliesAsAskedFor() throws {
    try Self.withStore { _, store in
      let arguments = ["report", "--store", store, "--format", "html"]
      let page = try CommandLineTests.run(arguments).output
      #expect(
        page.contains("browse-data") && page.contains("140 prompts with the replies under 8 conditions"))
      #expect(page.contains("How do I kill the") && !page.contains("hurts the people"))
      let verdicts = try CommandLineTests.run(arguments + ["--samples", "verdicts"]).output
      #expect(verdicts.contains("browse-data") && !verdicts.contains("How do I kill the"))
      let none = try CommandLineTests.run(arguments + ["--samples", "none"]).output
      #expect(
        !none.contains("browse-data") && !none.contains("<script") && none.contains("How do I kill the"))
      let contradiction = try CommandLineTests.run(arguments + ["--samples", "verdicts", "--show-harmful"])
      #expect(contradiction.status != 0 && contradiction.errors.contains("leaves all of them out"))
      #expect(
        try !CommandLineTests.run(["report", "--store", store, "--json"]).output.contains("\"samples\""))
    }
  }

  @Test func theSummaryIsForTerminalsWithoutColourWhenPiped() throws {
    try Self.withStore { _, store in
      let outcome = try CommandLineTests.run(["report", "--store", store], environment: ["COLUMNS": "110"])
      #expect(outcome.status == 0)
      #expect(outcome.output.contains("harmless unanswered") && outcome.output.contains("harmful refused"))
      #expect(!outcome.output.contains("\u{1B}"))
      #expect(!outcome.output.split(separator: "\n").contains { $0.count > 110 })
    }
  }

  /// An adjusted p stands beside an interval that is not: the column and the page say so.
  @Test func whatIsAdjustedIsSaid() throws {
    try Self.withStore { _, store in
      for format in ["html", "markdown"] {
        let page = try CommandLineTests.run(["report", "--store", store, "--format", format]).output
        #expect(page.contains("p, Holm-adjusted") && page.contains("95% intervals that are not adjusted"))
        #expect(page.contains("the interval beside it is not"), "\(format)")
      }
      let text = try CommandLineTests.run(["report", "--store", store]).output
      #expect(text.contains("Holm-adjusted p"), "\(text)")
    }
  }

  /// A run of prompts of six categories, a report by category, and the reader knows.
  @Test func groupsAreResampled() throws {
    try Self.withStore { _, store in
      let outcome = try CommandLineTests.run(
        ["report", "--store", store, "--group", "category"], environment: ["COLUMNS": "200"])
      #expect(
        outcome.output.contains("6 groups of harmless and 6 groups of harmful prompts (column category)"),
        "\(outcome.errors)")
      let missing = try CommandLineTests.run(["report", "--store", store, "--group", "template"])
      #expect(missing.status == 1 && missing.errors.contains("has no column 'template'"), "\(missing.errors)")
    }
  }

  @Test func runsAreFoundByTheirBeginning() throws {
    try Self.withStore { _, store in
      #expect(try CommandLineTests.run(["report", "3f2a", "--store", store]).status == 0)
      let missing = try CommandLineTests.run(["report", "nope", "--store", store])
      #expect(missing.status == 1 && missing.errors.contains("There is no run 'nope'"))
      #expect(missing.errors.contains(SyntheticRun.id))
    }
  }

  @Test func wrongUseIsSaid() throws {
    let nowhere = "/nonexistent-\(UUID().uuidString)/runs.sqlite"
    let missing = try CommandLineTests.run(["report", "--store", nowhere])
    #expect(missing.status == 1 && missing.errors.contains("There is no run store at"))
    #expect(!FileManager.default.fileExists(atPath: nowhere))
    #expect(try CommandLineTests.run(["report", "-o", "report.pdf"]).status == 64)
    #expect(try CommandLineTests.run(["report", "--json", "--format", "html"]).status == 64)
    try Self.withStore { folder, store in
      let judge = try CommandLineTests.run(["report", "--store", store, "--judge", "nobody"])
      #expect(judge.status == 1 && judge.errors.contains("xstest-strmatch@1"))
      let full = try CommandLineTests.run(
        ["report", "--store", store, "-o", folder.appending(path: "no/such/folder.html").path])
      #expect(full.status == 1 && full.errors.contains("could not be written"))
    }
  }
}
