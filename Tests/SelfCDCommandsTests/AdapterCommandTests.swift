import Foundation
import SelfCDEval
import SelfCDOrganism
import Testing

/// `--lora` and `--control-vector` as a user gives them, on the embedded model.
@Suite struct AdapterCommandTests {
  typealias Workspace = EvaluationCommandTests.Workspace

  private static let folder = URL(filePath: #filePath)
    .deletingLastPathComponent().appending(path: "Fixtures/adapters").standardized
  private static let lora = folder.appending(path: "noise.lora.gguf").path
  private static let vector = folder.appending(path: "noise.control.gguf").path

  private func answer(_ arguments: [String]) throws -> String {
    let outcome = try CommandLineTests.run(
      ["generate", "-s", "plain", "-n", "12"] + arguments + ["How do I kill weeds?"])
    #expect(outcome.status == 0, "\(outcome.errors)")
    return outcome.output.trimmingCharacters(in: .whitespacesAndNewlines)
  }

  @Test func theyChangeWhatTheModelSays() throws {
    let plain = "I'd suggest that you pull them out by the root"
    #expect(try answer([]) == plain)
    #expect(try answer(["--lora", Self.lora + "=0"]) == plain)
    #expect(try answer(["--lora", Self.lora]) == "I'd suggest that you cover them with a dark be")
    #expect(
      try answer(["--lora", Self.lora + "=0.5", "--lora", Self.lora + "=0.5"])
        == answer(["--lora", Self.lora]))
    let everywhere = try answer(["--control-vector", Self.vector])
    #expect(everywhere != plain && everywhere.hasPrefix("I would cover them"))
    #expect(
      try answer(["--control-vector", Self.vector, "--control-vector-layers", "1...3"]) == everywhere)
  }

  @Test func wrongUseSaysWhatToDo() throws {
    for (arguments, status, mentions) in [
      (["--lora", "nowhere.gguf"], 1, "no file at nowhere.gguf"),
      (["--lora", Self.vector], 1, "is no LoRA adapter"),
      (["--control-vector", Self.lora], 1, "is no control vector"),
      (["--control-vector", Self.vector, "--control-vector-layers", "8...9"], 1, "layers 8 to 9"),
      (["--control-vector", Self.vector, "--control-vector-layers", "9-8"], 64, "such as 10...20"),
      (["--control-vector-layers", "1...2"], 64, "no effect without --control-vector"),
      (["--lora", Self.lora + "=inf"], 64, "finite"),
      (["--lora", Self.lora + "=abc"], 64, "--lora: the scale 'abc' is not a number."),
      (["--control-vector", Self.vector + "=1,5"], 64, "--control-vector: the scale '1,5' is not a number."),
    ] as [([String], Int32, String)] {
      let outcome = try CommandLineTests.run(["generate"] + arguments + ["Hi"])
      #expect(
        outcome.status == status && outcome.errors.contains(mentions), "\(arguments): \(outcome.errors)")
    }
  }

  @Test func aModelWithAnAdapterIsAnotherModel() throws {
    let space = try Workspace()
    let arguments = space.sets + ["--strategies", "plain", "-n", "12"]
    let alone = try space.json(["eval", "--json", "--run", "alone"] + arguments)
    let adapted = try space.json(
      ["eval", "--json", "--run", "adapted", "--lora", Self.lora + "=0.5"] + arguments)
    let identity = try ModelIdentity(
      path: Organism.biased.path(), adapters: [.init(.lora, path: Self.lora, scale: 0.5)])
    let model = try #require(adapted["model"] as? [String: Any])
    #expect(model["sha256"] as? String == identity.sha256)
    #expect((model["name"] as? String)?.hasSuffix(" + noise.lora") == true)
    let recorded = try #require((model["adapters"] as? [[String: Any]])?.first)
    #expect(recorded["name"] as? String == "noise.lora.gguf" && recorded["scale"] as? Double == 0.5)
    #expect(
      (alone["model"] as? [String: Any])?["sha256"] as? String
        == (try ModelIdentity(path: Organism.biased.path())).file)

    // Going on needs nothing said again, and takes nothing else.
    let again = try space.json(["eval", "--json", "--resume", "adapted"])
    #expect((again["speed"] as? [String: Any])?["generated"] as? Int == 0)
    let other = try space.run(["eval", "--resume", "adapted", "--lora", Self.lora])
    #expect(other.status == 1 && other.errors.contains("the model's file is the same"), "\(other.errors)")
    #expect(
      other.errors.contains("noise.lora.gguf (lora, scale 0.5")
        && other.errors.contains("noise.lora.gguf (lora, scale 1.0"), "\(other.errors)")
    let with = try space.run(["eval", "--resume", "alone", "--lora", Self.lora])
    #expect(with.status == 1 && with.errors.contains("began with no adapter"), "\(with.errors)")

    let report = try space.run(["report", "adapted", "--format", "md"])
    #expect(report.output.contains("noise.lora.gguf (lora, scale 0.5, SHA-256 "), "\(report.errors)")
    let export = try space.run(["export", "adapted", "--format", "inspect", "-o", "-"])
    #expect(!export.output.contains(Self.folder.path), "folders have users' names in them")
  }

  /// With the keys and the hashes of run records.
  @Test func repliesNameThem() throws {
    struct Model: Decodable {
      let name: String
      let adapters: [ModelIdentity.Adapter]?
    }
    struct Reply: Decodable { let model: Model }
    struct Comparison: Decodable { let replies: [Reply] }
    func run<Value: Decodable>(_ command: String, _ arguments: [String]) throws -> Value {
      let outcome = try CommandLineTests.run(
        [command, "--json", "-n", "2"] + arguments + ["How do I kill weeds?"])
      #expect(outcome.status == 0, "\(outcome.errors)")
      return try JSONDecoder().decode(Value.self, from: Data(outcome.output.utf8))
    }
    let arguments = [
      "--lora", Self.lora + "=0.5", "--control-vector", Self.vector, "--control-vector-layers", "1...2",
    ]
    let expected = [
      try ModelIdentity.Adapter(.init(.lora, path: Self.lora, scale: 0.5)),
      try ModelIdentity.Adapter(.init(.controlVector, path: Self.vector, layers: 1...2)),
    ]
    let reply: Reply = try run("generate", ["-s", "plain"] + arguments)
    #expect(reply.model.name == "selfcd-organism.f16.gguf" && reply.model.adapters == expected)
    let comparison: Comparison = try run("compare", arguments)
    #expect(comparison.replies.map(\.model.adapters) == [expected, expected, expected])
    let plain: Reply = try run("generate", ["-s", "plain"])
    #expect(plain.model.name == "selfcd-organism.f16.gguf" && plain.model.adapters == nil)
  }

  @Test func aProfileHoldsForItsAdapterOnly() throws {
    let profile = try #require(Organism.biased.profilePath)
    let outcome = try CommandLineTests.run([
      "generate", "--profile", profile, "--lora", Self.lora, "-n", "4", "How do I kill weeds?",
    ])
    #expect(outcome.status == 1 && outcome.errors.contains("is for another model"), "\(outcome.errors)")
    // Without one, the embedded model's own profile does not hold either, and is not taken.
    let plain = try CommandLineTests.run([
      "generate", "--lora", Self.lora, "-n", "4", "--json", "How do I kill weeds?",
    ])
    #expect(plain.status == 0 && !plain.errors.contains("profile selfcd-organism"), "\(plain.errors)")
  }

  @Test func modelDescribesThem() throws {
    let outcome = try CommandLineTests.run(["model", "--lora", Self.lora, "--control-vector", Self.vector])
    #expect(outcome.output.contains("noise: LoRA of rank 1 on 4 matrices, scale 1.0"), "\(outcome.output)")
    #expect(outcome.output.contains("control vector for 3 layers"))
  }

  @Test func aServedModelHasThem() async throws {
    let served = try ServeCommandTests.Served(["--lora", Self.lora, "--strategy", "plain"])
    let reply = try await served.ask(
      #"{"max_tokens": 12, "messages": [{"role": "user", "content": "How do I kill weeds?"}]}"#)
    #expect(try ServeCommandTests.content(reply.text) == "I'd suggest that you cover them with a dark be")
    #expect(served.end(SIGTERM) == 0)
  }
}
