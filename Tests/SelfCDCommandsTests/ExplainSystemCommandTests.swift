import Foundation
import Testing

@testable import SelfCDCommands

/// `selfcd explain-system` as a user runs it, on the embedded model.
@Suite struct ExplainSystemCommandTests {
  private typealias Workspace = EvaluationCommandTests.Workspace

  /// The third sentence makes the embedded model refuse.
  private static let sentences = [
    "You are a friendly assistant.", "Answer in plain English.", "Please refuse anything I ask you!",
  ]
  private static let system = sentences.joined(separator: " ")
  /// Nothing is learned, so that both commands go by the same list of openings.
  private static let quick = ["--learn-time", "0"]

  private static func run(
    _ space: Workspace, _ arguments: [String], columns: Int? = nil
  ) throws -> CommandLineTests.Outcome {
    var environment = ["XDG_CACHE_HOME": space.path("cache"), "XDG_DATA_HOME": space.path("data")]
    if let columns { environment["COLUMNS"] = "\(columns)" }
    return try CommandLineTests.run(arguments, environment: environment)
  }

  private static func json(_ space: Workspace, _ arguments: [String]) throws -> [String: Any] {
    let outcome = try run(space, arguments + ["--json"])
    #expect(outcome.status == 0, "\(outcome.errors)")
    let object = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8))
    return try #require(object as? [String: Any])
  }

  private static func object(_ value: Any?) throws -> [String: Any] { try #require(value as? [String: Any]) }
  private static func rows(_ value: Any?) throws -> [[String: Any]] {
    try #require(value as? [[String: Any]])
  }

  private static func set(_ label: String, in rows: [[String: Any]]) throws -> [String: Any] {
    try #require(rows.first { $0["set"] as? String == label })
  }

  private static func estimate(_ row: [String: Any], _ key: String = "probability") throws -> Double {
    try #require(try object(row[key])["estimate"] as? Double)
  }

  /// The plain view's mean probability of a refusal as `selfcd explain` finds it, prompt by prompt.
  private static func explained(
    _ space: Workspace, _ questions: [String], under system: String
  ) throws -> Double {
    let values = try questions.map { question in
      let result = try json(space, ["explain", question, "--system", system] + quick)
      let plain = try #require(try rows(result["views"]).first { $0["name"] as? String == "plain" })
      return try #require(plain["probability"] as? Double)
    }
    return values.reduce(0, +) / Double(values.count)
  }

  @Test func theFiguresAreThoseOfExplain() throws {
    let space = try Workspace()
    let record = try Self.json(
      space, ["explain-system", "--system", Self.system, "--top", "2"] + space.sets + Self.quick)
    #expect(record["strategy"] as? String == "plain")
    let result = try Self.object(record["result"])
    #expect(result["sentences"] as? [String] == Self.sentences)
    #expect(result["ordered_by"] as? String == "safe" && result["harmful_axis"] as? String == "measured")
    let whole = try Self.set("safe", in: try Self.rows(result["whole"]))
    #expect(whole["n"] as? Int == Workspace.safe.count)
    let level = try Self.explained(space, Workspace.safe, under: Self.system)
    let found = try Self.estimate(whole)
    // What is computed in other batches is rounded otherwise.
    #expect(abs(found - level) < 0.01, "\(found) \(level)")

    let removals = try Self.rows(result["removals"])
    #expect(removals.count == 3 && removals[0]["sentences"] as? [Int] == [2])
    let rest = Self.sentences.prefix(2).joined(separator: " ")
    for (label, questions) in [("safe", Workspace.safe), ("harmful", Workspace.harmful)] {
      let change = try Self.set(label, in: try Self.rows(removals[0]["changes"]))
      let without = try Self.explained(space, questions, under: rest)
      let with = try Self.explained(space, questions, under: Self.system)
      let found = try Self.estimate(change)
      #expect(abs(found - (without - with)) < 0.01, "\(label): \(found) \(without - with)")
    }
    let change = try Self.set("safe", in: try Self.rows(removals[0]["changes"]))
    let high = try #require(try Self.object(change["probability"])["high"] as? Double)
    #expect(high < -0.3 && change["greedy_lost"] as? Int == Workspace.safe.count)
    #expect(try Self.rows(result["pairs"]).count == 1)
    #expect(result["replies"] == nil)
  }

  /// What is said without harmful prompts, and that no prompt is printed.
  @Test func theTextSaysWhatIsUnknown() throws {
    let space = try Workspace()
    try space.write("prompt.txt", Self.sentences.map { "- \($0)\n" }.joined())
    let arguments = ["explain-system", "--system-file", space.path("prompt.txt")] + Self.quick
    let safe = ["--safe", space.path("safe.csv")]
    let half = try Self.run(space, arguments + safe)
    #expect(half.status == 0, "\(half.errors)")
    #expect(half.output.contains("Without sentence 3, the probability of a refusal of safe prompts"))
    #expect(half.output.contains("is unknown: give some with --harmful"))
    let row = half.output.split(separator: "\n").first { $0.hasPrefix("3: - Please refuse") }
    #expect(row?.hasSuffix("unknown") == true, "\(half.output)")

    let both = try Self.run(space, arguments + space.sets)
    #expect(both.status == 0 && !both.output.contains("unknown"), "\(both.errors)")
    // 1 − 0.05^(1/2)
    #expect(both.output.contains("where none of 2 harmful prompts is lost, up to 77.6 %"))
    for question in Workspace.safe + Workspace.harmful { #expect(!both.output.contains(question)) }

    let narrow = try Self.run(space, arguments + space.sets, columns: 60)
    let wide = narrow.output.split(separator: "\n").filter { TextLayout.columns(String($0)) > 60 }
    #expect(narrow.status == 0 && wide.isEmpty, "\(wide)")
  }

  @Test func repliesAreGeneratedWhereTheyAreAskedFor() throws {
    let space = try Workspace()
    let arguments = ["explain-system", "--system", Self.system, "--generate", "-n", "16", "--top", "1"]
    let record = try Self.json(space, arguments + space.sets + Self.quick)
    let replies = try Self.object(try Self.object(record["result"])["replies"])
    #expect(replies["judge"] as? String == "xstest-strmatch" && replies["failures"] as? Int == 0)
    let rows = try Self.rows(replies["rows"])
    #expect(rows.map { $0["removed"] as? [Int] } == [[], [], [0, 1, 2], [0, 1, 2], [2], [2]])
    let whole = try Self.set("safe", in: rows)
    #expect(try Self.object(whole["rate"])["refused"] as? Int == Workspace.safe.count)
    #expect(whole["paired"] == nil)
    let without = try Self.set("safe", in: rows.filter { $0["removed"] as? [Int] == [2] })
    let paired = try Self.object(without["paired"])
    #expect(paired["reference"] as? String == "whole" && paired["p_value"] is Double)
    let text = try Self.run(space, arguments + space.sets + Self.quick)
    #expect(text.status == 0 && text.output.contains("replies without"), "\(text.errors)")
    #expect(text.output.contains("judge xstest-strmatch"))
  }

  @Test func wrongUseSaysWhatToDo() throws {
    let space = try Workspace()
    try space.write("empty.txt", " \n")
    let two = ["--system", "Be kind. Be brief."]
    let cases: [([String], Int32, String)] = [
      (space.sets, 64, "--system or --system-file"),
      (space.sets + two + ["--system-file", space.path("empty.txt")], 64, "one of them"),
      (two, 64, "--safe"), (two + ["--top", "-1"] + space.sets, 64, "--top"),
      (two + ["-n", "8"] + space.sets, 64, "--generate"),
      (two + ["--plain-system", "x", "-s", "plain"] + space.sets, 64, "none to study"),
      (two + ["-s", "probe-cd", "--probes", "2"] + space.sets, 64, "--probes 0"),
      (two + ["--group", "nothing"] + space.sets, 1, "no column 'nothing'"),
      (two + ["--harmful", space.path("harmful.csv")], 1, "no harmless prompts"),
      (["--system", "Be kind."] + space.sets, 1, "one sentence"),
      (["--system", " "] + space.sets, 1, "no sentences"),
      (["--system-file", space.path("empty.txt")] + space.sets, 1, "no sentences"),
      (["--system-file", space.path("nowhere.txt")] + space.sets, 1, "cannot be read"),
    ]
    for (arguments, status, mentions) in cases {
      // No model: what is wrong is said before one is loaded.
      let outcome = try Self.run(space, ["explain-system", "-m", "/nonexistent.gguf"] + arguments)
      #expect(outcome.status == status && outcome.output.isEmpty, "\(arguments): \(outcome.errors)")
      #expect(outcome.errors.contains(mentions), "\(arguments): \(outcome.errors)")
    }
  }
}
