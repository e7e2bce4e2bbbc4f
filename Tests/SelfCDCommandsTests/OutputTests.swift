import Foundation
import Testing

/// What is written to be passed on: its format by the file's name, its dates, its keys, and nobody's folders.
@Suite struct OutputTests {
  /// A run with a file of prompts and a store whose folders have a name that must not be passed on.
  private static func withRun(_ body: (EvaluationCommandTests.Workspace) throws -> Void) throws {
    let space = try EvaluationCommandTests.Workspace()
    let outcome = try space.run(
      ["eval", "--run", "r", "--strategies", "plain,guarded", "-n", "12"] + space.sets)
    #expect(outcome.status == 0, "\(outcome.errors)")
    try body(space)
  }

  private static func read(_ space: EvaluationCommandTests.Workspace, _ name: String) throws -> String {
    try String(contentsOfFile: space.path(name), encoding: .utf8)
  }

  @Test func exportsGoByTheFilesName() throws {
    try Self.withRun { space in
      for name in ["a.csv", "a.CSV", "a.jsonl", "a.ndjson", "a.json"] {
        // Some file systems take a.csv and a.CSV for one name.
        let outcome = try space.run(["export", "r", "--force", "-o", space.path(name)])
        #expect(outcome.status == 0 && outcome.output.isEmpty, "\(outcome.errors)")
      }
      #expect(try Self.read(space, "a.csv").hasPrefix("run,model,condition,set,id"))
      #expect(try Self.read(space, "a.CSV").hasPrefix("run,model,condition,set,id"))
      let lines = try Self.read(space, "a.jsonl").split(separator: "\n")
      #expect(lines.count == 10)
      let list = try JSONSerialization.jsonObject(with: Data(try Self.read(space, "a.json").utf8))
      let objects = try #require(list as? [[String: Any]])
      let first = try JSONSerialization.jsonObject(with: Data(lines[0].utf8)) as? NSDictionary
      #expect(objects.count == 10 && NSDictionary(dictionary: objects[0]) == first)
      let unknown = try space.run(["export", "r", "-o", space.path("a.svg")])
      #expect(
        unknown.status == 64 && unknown.errors.contains(".jsonl, .ndjson, .json, .csv"), "\(unknown.errors)")
      #expect(unknown.errors.contains("--format"))
      let html = try space.run(["export", "r", "-o", space.path("a.html")])
      #expect(html.status == 64 && html.errors.contains("does not write html"), "\(html.errors)")
      #expect(try space.run(["export", "r", "-o", "-"]).output.hasPrefix("{"))
    }
  }

  @Test func reportsGoByTheFilesName() throws {
    try Self.withRun { space in
      for (name, sign) in [
        ("a.html", "<!doctype"), ("a.htm", "<!doctype"), ("a.md", "# "), ("a.markdown", "# "),
        ("a.json", "{"),
      ] {
        #expect(try space.run(["report", "r", "-o", space.path(name)]).status == 0)
        #expect(try Self.read(space, name).hasPrefix(sign), "\(name)")
      }
      let unknown = try space.run(["report", "r", "-o", space.path("fig.svg")])
      #expect(unknown.status == 64)
      for ending in [".txt", ".html", ".md", ".json", "--format: text, html, markdown, json"] {
        #expect(unknown.errors.contains(ending), "\(unknown.errors)")
      }
      let reproduced = try space.run(["reproduce", "--xstest", space.path("mixed.csv"), "-o", "fig.svg"])
      #expect(reproduced.status == 64 && reproduced.errors.contains(".html"), "\(reproduced.errors)")
      #expect(!reproduced.errors.contains("--format"), "which reproduce does not have")
    }
  }

  @Test func exportsReplaceNothingByThemselves() throws {
    try Self.withRun { space in
      let path = space.path("kept.jsonl")
      #expect(try space.run(["export", "r", "--text", "all", "-o", path]).status == 0)
      let kept = try Self.read(space, "kept.jsonl")
      let again = try space.run(["export", "r", "-o", path])
      #expect(again.status == 1 && again.errors.contains("--force"), "\(again.errors)")
      #expect(try Self.read(space, "kept.jsonl") == kept && kept.contains("\"reply\":"))
      #expect(try space.run(["export", "r", "--force", "-o", path]).status == 0)
      #expect(try !Self.read(space, "kept.jsonl").contains("\"reply\":"))
    }
  }

  @Test func aFormatAndANameThatDisagreeAreRefused() throws {
    try Self.withRun { space in
      for (arguments, name) in [
        (["export", "r", "--format", "csv"], "a.jsonl"), (["report", "r", "--format", "html"], "a.md"),
        (["export", "r", "--format", "inspect"], "a.json"),
      ] {
        let outcome = try space.run(arguments + ["-o", space.path(name)])
        #expect(outcome.status == 64 && outcome.errors.contains("say two things"), "\(outcome.errors)")
        #expect(!FileManager.default.fileExists(atPath: space.path(name)))
      }
      for name in ["a.csv", "a.data"] {
        #expect(try space.run(["export", "r", "--format", "csv", "-o", space.path(name)]).status == 0)
        #expect(try Self.read(space, name).hasPrefix("run,model"))
      }
    }
  }

  /// Keys of objects, at any depth, but not those of dictionaries by judge.
  private static func keys(_ value: Any) -> Set<String> {
    if let list = value as? [Any] { return list.reduce(into: []) { $0.formUnion(keys($1)) } }
    guard let object = value as? [String: Any] else { return [] }
    return object.reduce(into: []) { result, entry in
      if !entry.key.contains("@") { result.insert(entry.key) }
      result.formUnion(keys(entry.value))
    }
  }

  @Test func exportsSpellKeysInOneWay() throws {
    try Self.withRun { space in
      let lines = try space.run(["export", "r", "--text", "harmless"]).output
      let line = try #require(lines.split(separator: "\n").first)
      let object = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
      let header = try space.run(["export", "r", "--format", "csv", "--text", "harmless"]).output
      let columns = try #require(header.split(whereSeparator: \.isNewline).first).split(separator: ",")
        .map(String.init).filter { !$0.contains("@") }
      #expect(object["stop_reason"] is String && object["model"] is String)
      #expect(object["judge"] as? String == "selfcd" && object["judge_version"] as? String == "4+answer3")
      #expect(object["refused"] is Int && object["verdict"] is String)
      // Everything that is no dictionary by judge has the same name in both; what is empty is left out of JSON.
      let named = Set(object.keys).subtracting(["verdicts", "confidences"])
      #expect(named.isSubset(of: columns), "\(named.subtracting(columns))")
      #expect(Set(columns).subtracting(named).isSubset(of: ["category", "alpha", "label"]))
      #expect(columns.allSatisfy { $0.lowercased() == $0 && !$0.contains(" ") })
      let logs = space.path("logs")
      #expect(try space.run(["export", "r", "--format", "inspect", "-o", logs]).status == 0)
      for name in try FileManager.default.contentsOfDirectory(atPath: logs) {
        let log = try JSONSerialization.jsonObject(
          with: Data(contentsOf: URL(filePath: logs).appending(path: name)))
        let eval = try #require((log as? [String: Any])?["eval"])
        let own = Self.keys(eval).filter { $0.contains(where: \.isUppercase) }
        #expect(own.isEmpty, "\(own)")
      }
    }
  }

  private static func dates(_ value: Any) -> [String: Any] {
    if let list = value as? [Any] {
      return list.reduce(into: [:]) { $0.merge(dates($1)) { first, _ in first } }
    }
    guard let object = value as? [String: Any] else { return [:] }
    return object.reduce(into: [:]) { result, entry in
      if entry.key.hasSuffix("_at") { result[entry.key] = entry.value }
      result.merge(dates(entry.value)) { first, _ in first }
    }
  }

  @Test func datesAreISO8601() throws {
    try Self.withRun { space in
      var found = 0
      for arguments in [["report", "r", "--json"], ["runs", "--json"], ["runs", "show", "r", "--json"]] {
        let output = try space.run(arguments).output
        for (key, value) in Self.dates(try JSONSerialization.jsonObject(with: Data(output.utf8))) {
          let text = try #require(value as? String, "\(arguments): \(key) is \(value)")
          let date = try Date(text, strategy: .iso8601)
          #expect(abs(date.timeIntervalSinceNow) < 600, "\(arguments): \(key) is \(text)")
          found += 1
        }
      }
      #expect(found >= 5)
    }
  }

  @Test func nobodysFoldersArePassedOn() throws {
    try Self.withRun { space in
      // A model in a folder, named by its whole path.
      let describe = try CommandLineTests.run(["model", "--json"])
      let object = try JSONSerialization.jsonObject(with: Data(describe.output.utf8)) as? [String: Any]
      let organism = try #require(object?["path"] as? String)
      let model = space.path("my.gguf")
      try FileManager.default.copyItem(atPath: organism, toPath: model)
      let run = ["--run", "own", "-m", model, "--strategies", "plain,guarded", "-n", "8"]
      let evaluated = try space.run(["eval", "--json"] + run + space.sets)
      #expect(evaluated.status == 0, "\(evaluated.errors)")
      var passedOn = [("eval --json", evaluated.output)]
      for format in ["html", "markdown", "text", "json"] {
        passedOn.append((format, try space.run(["report", "own", "--format", format]).output))
      }
      for format in ["jsonl", "json", "csv"] {
        passedOn.append(
          (format, try space.run(["export", "own", "--format", format, "--text", "all"]).output))
      }
      passedOn.append(("runs show", try space.run(["runs", "show", "own", "--json"]).output))
      passedOn.append(
        ("generate", try space.run(["generate", "--json", "-n", "4", "-m", model, "How?"]).output))
      let page = space.path("perturbed.html")
      let perturbed = try space.run(
        ["perturb", "-m", model, "--only", "space", "-n", "4", "--limit", "1", "--json", "--html", page]
          + space.sets)
      passedOn += [("perturb --json", perturbed.output), ("page", try Self.read(space, "perturbed.html"))]
      let logs = space.path("logs")
      _ = try space.run(["export", "own", "--format", "inspect", "-o", logs])
      for name in try FileManager.default.contentsOfDirectory(atPath: logs) {
        passedOn.append((name, try Self.read(space, "logs/" + name)))
      }
      #expect(passedOn.count >= 13)
      for (name, text) in passedOn {
        #expect(!text.isEmpty, "\(name)")
        #expect(
          !text.contains(space.folder.path) && !text.contains(space.folder.lastPathComponent), "\(name)")
      }
      #expect(passedOn.contains { $0.0 == "html" && $0.1.contains("my.gguf") }, "the file's name stays")
      // The store itself knows where the model is, so that the run goes on without being told.
      #expect(try space.run(["eval", "--resume", "own"]).status == 0)
    }
  }
}
