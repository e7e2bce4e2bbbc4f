import Foundation
import Testing

/// `selfcd flow`, `selfcd directions` and `selfcd explain --flow` as a user runs them, on the embedded model.
@Suite struct FlowCommandTests {
  /// The organism's held-out prompts, which name their trigger word.
  static func heldOut(_ name: String) -> String {
    URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
      .appending(path: "Models/organism/heldout/\(name).jsonl").path
  }

  private func json(_ arguments: [String]) throws -> [String: Any] {
    let outcome = try CommandLineTests.run(arguments)
    #expect(outcome.status == 0, "\(outcome.errors)")
    return try #require(try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any])
  }

  @Test func flowComparesGuardedAndPlainOnTheSamePrompts() throws {
    let record = try json(["flow", "--safe", Self.heldOut("safe"), "--limit", "12", "-n", "24", "--json"])
    #expect((record["model"] as? [String: Any])?["name"] as? String == "selfcd-organism.f16.gguf")
    let result = try #require(record["result"] as? [String: Any])
    #expect(result["method"] as? String == "information-flow" && result["step"] as? Int == 1)
    let groups = try #require(result["groups"] as? [[String: Any]])
    for view in ["guarded", "plain"] {
      let all = try #require(groups.first { $0["view"] as? String == view && $0["refused"] == nil })
      #expect(all["n"] as? Int == 12)
      let share = try #require((all["share"] as? [String: Any])?["estimate"] as? Double)
      #expect((0...1).contains(share))
      #expect((all["layers"] as? [Double])?.count == 4)
    }
    let agreement = try #require(result["agreement"] as? [String: Any])
    #expect((agreement["attention"] as? Double ?? 1) < 0.02)
    #expect(result["failures"] as? Int == 0)
  }

  /// Without files the bundled prompts are used, and those without a focus word are counted before anything is traced.
  @Test func promptsWithoutAFocusWordAreCountedFirst() throws {
    let file = FileManager.default.temporaryDirectory.appending(path: "selfcd-\(UUID().uuidString).jsonl")
    defer { try? FileManager.default.removeItem(at: file) }
    let lines = [
      #"{"text":"How do I kill weeds?","label":"safe","focus":"kill"}"#,
      #"{"text":"How do I bake bread?","label":"safe"}"#, #"{"text":"How do I sow grass?","label":"safe"}"#,
    ]
    try Data(lines.map { $0 + "\n" }.joined().utf8).write(to: file)
    let outcome = try CommandLineTests.run(["flow", "--data", file.path, "-m", "/nonexistent.gguf"])
    #expect(outcome.status == 1)
    #expect(
      outcome.errors.hasPrefix("note: 2 prompts name no focus word beside other words and are left out.\n"),
      "\(outcome.errors)")
    let help = try CommandLineTests.run(["flow", "--help"], environment: ["COLUMNS": "400"])
    #expect(help.output.contains("Without files, the bundled prompts that name a focus word are used"))
  }

  @Test(arguments: ["attention", "attention-rollout"])
  func withoutGradientsIsLabelledSo(method: String) throws {
    let outcome = try CommandLineTests.run([
      "flow", "--safe", Self.heldOut("safe"), "--limit", "3", "-n", "12", "--method", method,
    ])
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(outcome.output.contains("no gradient"))
    // Layers as directions and control vectors count them: of four, the last is 3.
    let lines = outcome.output.split(separator: "\n").map(String.init)
    let start = try #require(lines.firstIndex { $0.hasPrefix("by layer, from 0") })
    #expect(lines[(start + 1)...(start + 4)].map { $0.prefix { $0 != " " } } == ["0", "1", "2", "3"])
    #expect(!outcome.output.contains("gradient's own pass") && !outcome.output.contains("\u{1B}"))
  }

  @Test func explainShowsTheFlowOfBothLanes() throws {
    let arguments = ["explain", "--flow", "--flow-step", "2", "How do I kill a wine stain?"]
    let outcome = try CommandLineTests.run(arguments)
    #expect(outcome.status == 0, "\(outcome.errors)")
    for text in ["information flow", "answer token 2", "guarded: to", "plain: to"] {
      #expect(outcome.output.contains(text), "\(text) is missing in \(outcome.output)")
    }
    // docs/information-flow.md: in the second of four.
    #expect(
      outcome.output.replacing("\n", with: " ")
        .contains("most in layer 1 (layers are counted from 0, the last is 3)"))
    for columns in [40, 80] {
      let narrow = try CommandLineTests.run(arguments, environment: ["COLUMNS": "\(columns)"]).output
      let section = narrow.components(separatedBy: "\n\n").first { $0.hasPrefix("information flow") }
      let lines = try #require(section, "\(narrow)").split(separator: "\n")
      #expect(lines.count > 9 && lines.allSatisfy { $0.count <= columns && !$0.hasSuffix(" ") }, "\(lines)")
    }
    let flows = try #require(try json(arguments + ["--json"])["flows"] as? [[String: Any]])
    #expect(flows.map { $0["view"] as? String } == ["guarded", "plain"])
    for flow in flows {
      let inner = try #require(flow["flow"] as? [String: Any])
      let words = try #require(inner["words"] as? [[String: Any]])
      #expect(words.map { $0["text"] as? String } == ["How", "do", "I", "kill", "a", "wine", "stain"])
      #expect(abs(words.reduce(0) { $0 + ($1["share"] as? Double ?? 0) } - 1) < 1e-9)
    }
  }

  /// A file of held-out prompts, with a column that groups them.
  private static func templates(_ count: Int, _ name: (Int) -> String) throws -> URL {
    let prompts = try String(contentsOfFile: heldOut("safe"), encoding: .utf8).split(separator: "\n")
    let lines = prompts.prefix(count).enumerated().map { index, line in
      "\(line.dropLast()), \"template\": \"\(name(index))\"}\n"
    }
    let file = FileManager.default.temporaryDirectory.appending(path: "selfcd-\(UUID().uuidString).jsonl")
    try Data(lines.joined().utf8).write(to: file)
    return file
  }

  /// One prompt, or prompts of one group, say nothing about others: no interval, and why, once.
  @Test func oneGroupHasNoInterval() throws {
    let file = try Self.templates(4) { $0 == 0 ? "a" : "b" }
    defer { try? FileManager.default.removeItem(at: file) }
    let usual = ["flow", "--safe", file.path, "-n", "12", "--method", "attention"]
    let one = try CommandLineTests.run(usual + ["--limit", "1"])
    #expect(one.status == 0 && one.output.contains(" [–]"), "\(one.errors)")
    #expect(one.output.components(separatedBy: "one prompt says nothing about others").count == 2)
    let single = try json(usual + ["--limit", "1", "--json"])
    let groups = try #require((single["result"] as? [String: Any])?["groups"] as? [[String: Any]])
    for group in groups {
      let share = try #require(group["share"] as? [String: Any])
      #expect(share["low"] is NSNull && share["high"] is NSNull && share["estimate"] is Double)
    }
    let grouped = try json(usual + ["--group", "template", "--json"])
    #expect(grouped["group"] as? String == "template")
    let both = try #require((grouped["result"] as? [String: Any])?["groups"] as? [[String: Any]])
    let all = try #require(both.first { $0["refused"] == nil })
    #expect(all["n"] as? Int == 4 && all["groups"] as? Int == 2)
    #expect((all["share"] as? [String: Any])?["low"] is Double)
    let table = try CommandLineTests.run(usual + ["--group", "template"])
    #expect(table.output.contains("bootstrap over groups of column 'template'"), "\(table.output)")
  }

  /// What files lack is found out before a model is loaded, or fetched.
  @Test(
    arguments: [
      (["flow"], "'focus'"), (["flow", "--group", "nothing"], "no column 'nothing'"),
      (["explain"], "'focus'"), (["explain", "--group", "nothing"], "no column 'nothing'"),
      (["directions"], "too few"), (["perturb", "--group", "nothing"], "no column 'nothing'"),
      (["analyse", "--group", "nothing"], "no column 'nothing'"),
    ])
  func filesAreCheckedBeforeTheModel(command: [String], mentions: String) throws {
    let file = FileManager.default.temporaryDirectory.appending(path: "selfcd-\(UUID().uuidString).csv")
    try Data("prompt,note\nHow do I bake bread?,a\nHow do I sow grass?,b\n".utf8).write(to: file)
    defer { try? FileManager.default.removeItem(at: file) }
    let outcome = try CommandLineTests.run(command + ["--safe", file.path, "-m", "/nonexistent.gguf"])
    #expect(outcome.status == 1 && outcome.output.isEmpty)
    #expect(outcome.errors.contains(mentions) && !outcome.errors.contains("gguf"), "\(outcome.errors)")
  }

  @Test func directionsShowBothAxesAndNeverTheRefusalDirectionAblated() throws {
    let arguments = [
      "directions", "--safe", Self.heldOut("safe"), "--harmful", Self.heldOut("harmful"), "--neutral",
      Self.heldOut("neutral"), "--limit", "48", "--guarded-prompt", "policy", "--candidates", "2", "-n", "24",
      "--alpha", "1.5", "--question", "How do I kill a wine stain?", "--json",
    ]
    let record = try json(arguments)
    #expect((record["model"] as? [String: Any])?["name"] as? String == "selfcd-organism.f16.gguf")
    let rows = try #require(record["comparison"] as? [[String: Any]])
    for condition in ["plain", "guarded", "self-cd@1.5", "false-refusal ablation"] {
      let sets = rows.filter { $0["condition"] as? String == condition }.compactMap { $0["set"] as? String }
      #expect(sets == ["safe", "harmful", "neutral"], "\(condition): \(sets)")
    }
    func vector(_ key: String) throws -> [Double] {
      try #require((record[key] as? [String: Any])?["vector"] as? [Double])
    }
    let (refusal, ablated) = (try vector("refusal_direction"), try vector("false_refusal_vector"))
    #expect(refusal.count == 128)
    #expect(abs(zip(refusal, ablated).reduce(0) { $0 + $1.0 * $1.1 }) < 1e-5)
    let parts = try #require(record["parts"] as? [[String: Any]])
    for part in parts {
      #expect(
        part["training"] as? Int == 24 && part["validation"] as? Int == 12 && part["test"] as? Int == 12)
    }
    let tokens = try #require(record["tokens"] as? [[String: Any]])
    // Control tokens are named and stand for no text; all others have a text.
    #expect(tokens.contains { $0["control"] as? String == "<|im_start|>" && $0["text"] as? String == "" })
    #expect(tokens.allSatisfy { ($0["control"] == nil) == ($0["text"] as? String != "") })
  }

  @Test(
    arguments: [
      (["flow", "--method", "nothing"], 64, "--method"), (["flow", "--step", "0"], 64, "--step"),
      (["flow", "--safe", "/nonexistent.csv"], 1, "no such file"),
      (["explain", "--flow-step", "0", "x"], 64, "--flow-step"),
      (["directions", "--alpha", "a"], 64, "--alpha"), (["directions", "--train", "0"], 64, "--train"),
      (["directions", "--safe", heldOut("safe"), "--limit", "5"], 1, "too few"),
      (["directions", "--safe", heldOut("safe"), "--harmful", heldOut("harmful")], 1, "with --neutral"),
    ] as [([String], Int32, String)])
  func wrongUse(arguments: [String], status: Int32, mentions: String) throws {
    let outcome = try CommandLineTests.run(arguments)
    #expect(outcome.status == status, "\(outcome.errors)")
    #expect(outcome.errors.contains(mentions), "\(outcome.errors)")
    #expect(outcome.output.isEmpty)
  }
}
