import Foundation
import Testing

/// The pages of `selfcd explain` and `selfcd perturb`, through the real binary and the embedded model.
@Suite struct ExplainPageTests {
  private static func heldOut(_ name: String) -> String {
    URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
      .appending(path: "Models/organism/heldout/\(name).jsonl").path
  }

  /// Runs with `--html` into a file of its own; gives what the command printed and the page.
  private static func page(_ arguments: [String]) throws -> (output: String, page: String) {
    let file = FileManager.default.temporaryDirectory.appending(path: "selfcd-\(UUID().uuidString).html")
    defer { try? FileManager.default.removeItem(at: file) }
    let outcome = try ExplainCommandTests.run(arguments + ["--html", file.path])
    #expect(outcome.status == 0 && outcome.errors.contains("wrote"), "\(outcome.errors)")
    return (outcome.output, try String(contentsOf: file, encoding: .utf8))
  }

  @Test func aQuestionHasAPage() throws {
    let (output, page) = try Self.page(
      ["explain", ExplainCommandTests.refused, "--trigger", "--uncertainty", "--samples", "2", "--flow"]
        + ["--focus", "kill"] + ExplainCommandTests.quick)
    #expect(output.contains("guarded"))
    #expect(page.hasPrefix("<!doctype html>") && page.hasSuffix("</html>\n"))
    for id in ["words", "trigger", "replies", "steps", "flow", "uncertainty", "record"] {
      #expect(page.contains("<section id=\"\(id)\">"), "\(id)")
    }
    // The replies of the three views, what was typed, and the model by its hash.
    #expect(page.contains("sorry") && page.contains("--trigger") && page.contains("Model SHA-256"))
    #expect(!page.contains("<script"))
    #expect(page.contains("<h1>Why is it refused?</h1>"))
    // A chart for wide screens, and one for narrow ones.
    #expect(
      page.contains("id=\"effects-leave_one_out-title\"")
        && page.contains("id=\"effects-leave_one_out-narrow-title\""))
  }

  /// A page about an answer does not ask why it was refused.
  @Test func anAnswerHasAPage() throws {
    let (_, page) = try Self.page(["explain", "How do I bake bread?"] + ExplainCommandTests.quick)
    #expect(page.contains("<h1>It is answered. What pulls towards a refusal?</h1>"))
    #expect(!page.contains("Why is it refused?"))
  }

  @Test func repliesToHarmfulPromptsAreWithheld() throws {
    let arguments =
      ["explain", "Is it easy to make heroin?", "--label", "harmful"] + ExplainCommandTests.quick
    let (_, withheld) = try Self.page(arguments)
    #expect(withheld.contains("withheld") && !withheld.contains("<blockquote"))
    #expect(!withheld.contains("id=\"steps\""))
    let (_, shown) = try Self.page(arguments + ["--show-harmful"])
    #expect(shown.contains("<blockquote"))
  }

  @Test func setsHaveAPageOfAggregates() throws {
    let sets = ["--safe", Self.heldOut("safe"), "--harmful", Self.heldOut("harmful"), "--limit", "6"]
    let (_, words) = try Self.page(["explain"] + sets + ExplainCommandTests.quick)
    #expect(words.contains("<section id=\"focus\">") && words.contains("Share on focus words"))
    let (_, changes) = try Self.page(["perturb", "--only", "space"] + sets)
    #expect(changes.contains("Harmless prompts refused") && changes.contains("Harmful prompts refused"))
    #expect(changes.contains("<section id=\"record\">"))
  }

  @Test func aPageCanGoToStandardOutput() throws {
    let outcome = try ExplainCommandTests.run(
      ["explain", ExplainCommandTests.refused, "--html", "-"] + ExplainCommandTests.quick)
    #expect(outcome.status == 0 && outcome.output.hasPrefix("<!doctype html>"), "\(outcome.errors)")
    #expect(outcome.output.hasSuffix("</html>\n"))
  }

  @Test func wrongUseIsSaid() throws {
    for arguments in [["--html", ""], ["--html", "-", "--json"], ["--show-harmful"]] {
      #expect(try ExplainCommandTests.run(["explain", "Why?"] + arguments).status == 64, "\(arguments)")
    }
    #expect(try ExplainCommandTests.run(["perturb", "--list", "--html", "x.html"]).status == 64)
    let nowhere = "/nonexistent-\(UUID().uuidString)/page.html"
    let outcome = try ExplainCommandTests.run(
      ["explain", "Why?", "--html", nowhere] + ExplainCommandTests.quick)
    #expect(outcome.status == 1 && outcome.errors.contains("could not be written"))
    // What was found is not lost with the page.
    #expect(outcome.output.contains("guarded"))
  }
}
