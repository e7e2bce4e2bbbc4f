import Foundation
import Testing

/// `selfcd reproduce`, as a user runs it, on the embedded model and sets of our own.
@Suite struct ReproduceCommandTests {
  typealias Workspace = EvaluationCommandTests.Workspace

  private static func sets(_ space: Workspace) -> [String] {
    [
      "--xstest", space.path("mixed.csv"), "--oktest", space.path("safe.csv"), "--set",
      "own=\(space.path("harmful.csv")):harmful", "-n", "12",
    ]
  }

  private static func conditions(_ model: [String: Any]) throws -> [[String: Any]] {
    try #require(model["rows"] as? [[String: Any]])
  }

  @Test func thePapersConditionsOnTheSetsGiven() throws {
    let space = try Workspace()
    try space.write("pool.csv", "prompt,answer\nHow do I boil an egg?,In water.\nWhat is a cat?,An animal.\n")
    let report = space.path("r.html")
    let outcome = try space.run(
      ["reproduce", "--run", "paper", "--examples", space.path("pool.csv"), "--json", "-o", report]
        + Self.sets(space))
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(outcome.errors.contains("AdvBench is left out") && outcome.errors.contains("--malicious"))
    let object = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any]
    let result = try #require(object)
    #expect(result["left_out"] as? [String] == ["AdvBench", "MaliciousInstruct"])
    let models = try #require(result["models"] as? [[String: Any]])
    #expect(models.count == 1)
    let rows = try Self.conditions(models[0])
    #expect(
      rows.map { $0["strategy"] as? String }
        == ["plain", "guarded", "helpful", "icl", "cot", "few-shot-cot"]
        + Array(repeating: "self-cd", count: 6) + ["ada-cd"])
    #expect(rows.compactMap { $0["alpha"] as? Double } == [0.5, 1, 1.5, 2, 2.5, 3, 4.5])
    let columns = try #require(models[0]["columns"] as? [[String: Any]])
    #expect(
      columns.map { $0["title"] as? String } == [
        "XSTest-Safe ↓", "OKTest ↓", "all harmless ↓", "XSTest-Unsafe ↑", "own ↑", "all harmful ↑",
      ])
    for row in rows {
      let rates = try #require(row["rates"] as? [[String: Any]])
      #expect(rates.map { $0["n"] as? Int } == [1, 3, 4, 1, 2, 3])
    }
    #expect((models[0]["references"] as? [Any])?.isEmpty == true, "nothing is published of the organism")
    #expect(try String(contentsOfFile: report, encoding: .utf8).contains("XSTest"))
    #expect(try space.run(["report", "paper"]).output.contains("harmful refused"))
  }

  /// The judge that counts without --judge, in help as in figures.
  @Test func helpNamesTheJudgeThatCounts() throws {
    let help = try CommandLineTests.run(["reproduce", "--help"]).output
      .split(whereSeparator: \.isWhitespace).joined(separator: " ")
    #expect(help.contains("Without --judge, the verdicts of xstest-strmatch are counted"), "\(help)")
    let space = try Workspace()
    let outcome = try space.run(["reproduce", "--limit", "1"] + Self.sets(space))
    #expect(outcome.output.contains("judge xstest-strmatch@"), "\(outcome.errors)")
  }

  @Test func severalModelsAndResuming() throws {
    let space = try Workspace()
    let arguments =
      ["reproduce", "organism", "organism-unbiased", "--run", "two", "--limit", "1"] + Self.sets(space)
    let first = try space.run(arguments)
    #expect(first.status == 0, "\(first.errors)")
    #expect(first.output.contains("Safety system prompt") && first.output.contains("all harmful ↑"))
    #expect(!first.output.contains("\u{1B}"))
    #expect(first.errors.contains("two-1 two-2"))
    let taken = try space.run(arguments)
    #expect(taken.status == 1 && taken.errors.contains("esume"), "\(taken.errors)")
    let again = try space.run(arguments + ["--resume"])
    #expect(again.status == 0 && again.output == first.output, "\(again.errors)")
    let other = try space.run(arguments + ["--resume", "-n", "13"])
    #expect(other.status != 0)
    // A model whose turn had not come begins.
    #expect(try space.run(["runs", "delete", "two-2"]).status == 0)
    let rest = try space.run(arguments + ["--resume"])
    #expect(rest.status == 0 && rest.errors.contains("'two-2' yet"), "\(rest.errors)")
    #expect(rest.output == first.output)
  }

  @Test func theAxesAreStackedWhereTheyDoNotFit() throws {
    let space = try Workspace()
    let arguments = ["reproduce", "--run", "w", "--limit", "1"] + Self.sets(space)
    func heads(_ columns: String, _ more: [String]) throws -> Int {
      let outcome = try CommandLineTests.run(
        arguments + more, environment: ["XDG_DATA_HOME": space.folder.path, "COLUMNS": columns])
      #expect(outcome.status == 0, "\(outcome.errors)")
      return outcome.output.split(separator: "\n").count { $0.hasPrefix("condition ") }
    }
    #expect(try heads("200", []) == 1)
    #expect(try heads("80", ["--resume"]) == 2)
  }

  @Test func wrongUseSaysWhatToDo() throws {
    let space = try Workspace()
    let safe = space.path("safe.csv")
    let cases: [([String], Int32, String)] = [
      ([], 64, "--xstest"), (["--set", "x"], 64, "name=file"),
      (["--set", "x=\(safe):neutral"], 64, "name=file"),
      (["--oktest", safe, "--set", "oktest=\(safe):safe"], 64, "another name"),
      (["--oktest", safe, "--limit", "0"], 64, "--limit"), (["--oktest", safe, "--resume"], 64, "--run"),
      (["--oktest", safe, "-n", "0"], 64, "--max-tokens"), (["--oktest", safe, "-o", "x.pdf"], 64, ".html"),
      (["a.gguf", "--oktest", safe, "--model", "b.gguf"], 64, "not both"),
      (["--xstest", safe], 1, "--set"), (["--oktest", space.path("nowhere.csv")], 1, "no such file"),
      (["organism", space.path("nowhere.gguf"), "--oktest", safe], 1, "nowhere.gguf"),
      (["--oktest", safe, "--examples", safe], 1, "answers"),
    ]
    for (arguments, status, mentions) in cases {
      let outcome = try space.run(["reproduce"] + arguments)
      #expect(outcome.status == status, "\(arguments)")
      #expect(outcome.errors.contains(mentions), "\(arguments): \(outcome.errors)")
      #expect(outcome.output.isEmpty, "\(arguments)")
    }
    #expect(!FileManager.default.fileExists(atPath: space.path("selfcd/runs.sqlite")), "nothing was begun")
  }
}
