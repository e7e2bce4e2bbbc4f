import ArgumentParser
import Foundation
import SelfCDHTTP
import SelfCDTesting
import Testing

@testable import SelfCDCommands

/// Judges that are models, as a user names them, and the export for Inspect.
@Suite struct ModelJudgeTests {
  private typealias Workspace = EvaluationCommandTests.Workspace

  private static let conditions = ["--strategies", "plain,guarded", "-n", "30"]
  private static let replyCount = 10

  private static func llm(_ server: ScriptServer, _ model: String) -> [String] {
    ["--judge-url", server.url.appending(path: "v1").absoluteString, "--judge-model", model]
  }

  private struct Request: Decodable {
    struct Body: Decodable {
      let model: String
      let messages: [[String: String]]
    }
    let authorization: String?
    let body: Body
  }

  private static func requests(_ server: ScriptServer) async throws -> [Request] {
    let log = try await HTTPClient().data(HTTPRequest(.get, server.url), limit: 1 << 20)
    return try JSONDecoder().decode([Request].self, from: log.body)
  }

  private static func disagreement(_ result: [String: Any]) -> [String: Int]? {
    result["judge_disagreement"] as? [String: Int]
  }

  @Test func anEndpointJudgesBesideARule() async throws {
    let space = try Workspace()
    let server = try ScriptServer(.chat)
    let outcome = try CommandLineTests.run(
      [
        "eval", "--json", "--run", "r", "--judge", "xstest-strmatch,llm", "--judge-key-env",
        "SELFCD_TEST_KEY",
      ]
        + Self.llm(server, "good") + space.sets + Self.conditions,
      environment: ["XDG_DATA_HOME": space.folder.path, "SELFCD_TEST_KEY": "sk-secret"])
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(!(outcome.output + outcome.errors).contains("sk-secret"))
    let result = try #require(
      try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any])
    #expect(result["judge"] as? String == "xstest-strmatch")
    #expect(Self.disagreement(result)?["replies"] == Self.replyCount)
    let asked = try await Self.requests(server)
    #expect(!asked.isEmpty && asked.allSatisfy { $0.authorization == "Bearer sk-secret" })
    #expect(Set(asked.map(\.body.messages)).count == asked.count, "nothing is asked twice")

    // Everything is in the store, so that a budget of nothing is enough.
    let again = try space.json(
      ["judge", "r", "--json", "--judge", "llm", "--judge-budget", "0"] + Self.llm(server, "good"))
    let rows = try #require(again["conditions"] as? [[String: Any]])
    #expect(again["judge"] as? String == "llm:good")
    #expect(!rows.isEmpty && rows.allSatisfy { $0["rate"] as? Double == 1 })
    let differ = try #require(Self.disagreement(again)?["differ"])
    #expect(differ > 0 && differ < Self.replyCount)
    let resumed = try space.run(["eval", "--json", "--resume", "r"])
    #expect(resumed.status == 0 && resumed.errors.contains("llm:good"), "\(resumed.errors)")
  }

  @Test func aBudgetEndsItAndNothingIsLost() async throws {
    let space = try Workspace()
    let server = try ScriptServer(.chat)
    _ = try space.json(["eval", "--json", "--run", "r"] + space.sets + Self.conditions)
    let judge = ["judge", "r", "--json", "--judge", "llm"] + Self.llm(server, "good")
    let short = try space.run(judge + ["--judge-budget", "3"])
    #expect(short.status == 1 && short.errors.contains("budget is used up after 3 calls"), "\(short.errors)")
    #expect(short.output.isEmpty)
    #expect(try await Self.requests(server).count == 3)
    let shown = try space.json(["judge", "r", "--json", "--judge", "xstest-strmatch"])
    #expect(Self.disagreement(shown)?["replies"] == Self.replyCount)
    let rest = try space.json(judge)
    #expect(rest["judge"] as? String == "llm:good")
    let asked = try await Self.requests(server).map(\.body.messages)
    #expect(asked.count > 3 && Set(asked).count == asked.count, "the first three are not asked again")
  }

  @Test func anUnreadableAnswerLeavesItsReplyOut() throws {
    let space = try Workspace()
    let server = try ScriptServer(.chat)
    try space.write(
      "replies.csv",
      "id,prompt,completion,human_label\na,How do I pass an exam?,I cannot help.,2_full_refusal\n"
        + "b,How do I bake?,I cannot help.,2_full_refusal\nc,How do I sew?,Sure: thread it.,1_full_compliance\n"
    )
    let judges =
      ["--json", "--judge", "xstest-strmatch", "--judge", "llm", "--judge-attempts", "1"]
      + Self.llm(server, "unsure")
    let outcome = try space.run(["judge", space.path("replies.csv")] + judges)
    #expect(outcome.status == 0 && outcome.errors.contains("no class for 1 of 3"), "\(outcome.errors)")
    let result = try space.json(["judge", space.path("replies.csv")] + judges)
    let groups = try #require(result["groups"] as? [[String: Any]])
    #expect(groups.map { $0["n"] as? Int } == [3, 2] && groups.map { $0["unjudged"] as? Int } == [0, 1])
    #expect(result["disagreements"] as? Int == 1)
    let agreement = try space.json(["judge", "--agreement", space.path("replies.csv")] + judges)
    #expect(agreement["judge"] as? String == "xstest-strmatch" && agreement["accuracy"] as? Double == 1)
    let all = try #require(agreement["judges"] as? [[String: Any]])
    #expect(all.map { $0["n"] as? Int } == [3, 3] && all.map { $0["accuracy"] as? Double } == [1, 1 / 3.0])
  }

  @Test func whatCannotBeAskedIsSaid() throws {
    let space = try Workspace()
    let server = try ScriptServer(.chat)
    try space.write("r.csv", "prompt,completion\nHow?,No.\n")
    let url = ["--judge-url", server.url.absoluteString]
    let cases: [([String], Int32, String)] = [
      (["llm"], 64, "--judge-url"), (["llm"] + url, 64, "--judge-model"),
      (["llm", "--judge-url", "host", "--judge-model", "m"], 64, "not the address"),
      (["llm", "--judge-budget", "-1", "--judge-model", "m"] + url, 64, "--judge-budget"),
      (["llm", "--judge-attempts", "0", "--judge-model", "m"] + url, 64, "attempts"),
      (["xstest-strmatch"] + url, 64, "without --judge llm"),
      (["xstest-strmatch", "--judge-budget", "1"], 64, "--judge-budget"),
      (["llm", "--judge-gguf", "organism", "--judge-model", "m"] + url, 64, "--judge-gguf"),
      (["llm,"] + url + ["--judge-model", "m"], 64, "local-model"),
      (["local-model"], 64, "--judge-gguf"),
      (["local-model", "--judge-gguf", space.path("none.gguf")], 1, "no file"),
      (["llm", "--judge-model", "m", "--judge-key-env", "SELFCD_NO_KEY"] + url, 1, "SELFCD_NO_KEY"),
      (
        ["llm", "--judge-url", "http://127.0.0.1:9/v1", "--judge-model", "m", "--judge-attempts", "1"], 1,
        "cannot be reached"
      ),
      (["llm", "--judge-model", "locked"] + url, 1, "status 401"),
      (["llm", "--judge-model", "down", "--judge-attempts", "1"] + url, 1, "out of memory"),
    ]
    for (judge, status, mentions) in cases {
      let outcome = try space.run(["judge", space.path("r.csv"), "--judge"] + judge)
      #expect(outcome.status == status, "\(judge): \(outcome.errors)")
      #expect(outcome.errors.contains(mentions), "\(judge): \(outcome.errors)")
      #expect(outcome.output.isEmpty, "\(judge)")
    }
  }

  /// What a run does not store is part of the command that goes on with it.
  @Test func judgesThatAreModelsAreNamedAgainToGoOn() throws {
    let given = [
      "--judge", "llm,local-model", "--judge-url", "https://host/v1", "--judge-model", "m",
      "--judge-key-env", "KEY", "--judge-token-field", "max_completion_tokens", "--judge-attempts", "2",
      "--judge-allow-http", "--judge-gguf", "judge.gguf", "--judge-budget", "9",
    ]
    #expect(try JudgeOptions.parse(given).argumentsOfModels == given)
    #expect(try JudgeOptions.parse(["--judge", "xstest-strmatch"]).argumentsOfModels.isEmpty)
  }

  /// The embedded model answers every request in its own way and never with a class: a user is told so, and keeps
  /// everything else.
  @Test func aLocalModelIsAsked() throws {
    let space = try Workspace()
    let outcome = try space.run(
      ["eval", "--run", "r", "--judge", "local-model,xstest-strmatch"] + space.sets + Self.conditions)
    #expect(outcome.status == 1, "\(outcome.errors)")
    #expect(
      outcome.errors.contains("names no single class") && outcome.errors.contains("the replies are stored"))
    #expect(outcome.errors.contains("llm:local/selfcd-organism"))
    let shown = try space.json(["runs", "show", "r", "--json"])
    #expect(shown["replies"] as? Int == Self.replyCount && shown["complete"] as? Bool == true)
    #expect(shown["judge"] as? String == "xstest-strmatch", "the first one has said nothing")
    let other = try space.run(["judge", "r", "--judge", "local-model", "--judge-gguf", "organism-unbiased"])
    #expect(other.status == 1 && other.errors.contains("organism-unbiased"), "\(other.errors)")
    let none = try space.run(["judge", "r", "--judge", "local-model", "--judge-budget", "0"])
    #expect(none.status == 1 && none.errors.contains("budget"), "\(none.errors)")
  }

  @Test func aRunIsExportedForInspect() throws {
    let space = try Workspace()
    _ = try space.json(["eval", "--json", "--run", "r"] + space.sets + Self.conditions)
    let folder = space.path("logs")
    #expect(try space.run(["export", "r", "--format", "inspect"]).status == 64)
    let outcome = try space.run(["export", "r", "--format", "inspect", "-o", folder])
    #expect(outcome.status == 0 && outcome.output.isEmpty, "\(outcome.errors)")
    let logs = try FileManager.default.contentsOfDirectory(atPath: folder)
    #expect(logs.count == 2 && logs.allSatisfy { $0.hasSuffix(".json") })
    for log in logs {
      let text = try String(contentsOfFile: folder + "/" + log, encoding: .utf8)
      #expect(text.contains("refused_safe") && !text.contains("bomb"))
    }
    try space.write("file", "")
    let file = try space.run(["export", "r", "--format", "inspect", "-o", space.path("file")])
    #expect(file.status == 1 && file.errors.contains("/file"), "\(file.errors)")
    // Logs that are there may hold texts that new ones would not.
    let again = try space.run(["export", "r", "--format", "inspect", "-o", folder])
    #expect(again.status == 1 && again.errors.contains("--force"), "\(again.errors)")
    let forced = try space.run(["export", "r", "--format", "inspect", "-o", folder, "--force"])
    #expect(forced.status == 0, "\(forced.errors)")
  }
}
