import Foundation
import Testing

/// What messages tell people to type exists.
@Suite struct MessageTests {
  /// The tree of commands as the binary describes it.
  struct Tool: Decodable {
    struct Name: Decodable {
      let kind: String
      let name: String
    }
    struct Argument: Decodable {
      let names: [Name]?
    }
    struct Command: Decodable {
      let commandName: String
      let subcommands: [Command]?
      let arguments: [Argument]?

      var all: [Command] { [self] + (subcommands ?? []).flatMap(\.all) }
      var options: Set<String> {
        Set(
          (arguments ?? []).flatMap { $0.names ?? [] }.map {
            $0.kind == "short" ? "-\($0.name)" : "--\($0.name)"
          })
      }
    }
    let command: Command

    static func load() throws -> Tool {
      let outcome = try CommandLineTests.run(["--experimental-dump-help"])
      return try JSONDecoder().decode(Tool.self, from: Data(outcome.output.utf8))
    }

    func options(of name: String) -> Set<String> {
      command.subcommands?.first { $0.commandName == name }?.options ?? []
    }
  }

  /// Lines of the sources that are no comments, and no style sheets, whose variables look like options.
  private static func lines() throws -> [(place: String, text: String)] {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let sources = root.appending(path: "Sources")
    let files = try #require(FileManager.default.enumerator(at: sources, includingPropertiesForKeys: nil))
    var lines: [(String, String)] = []
    for case let file as URL in files
    where file.pathExtension == "swift" && !file.lastPathComponent.hasSuffix("Stylesheet.swift") {
      let text = try String(contentsOf: file, encoding: .utf8)
      for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated()
      where !line.trimmingCharacters(in: .whitespaces).hasPrefix("//") {
        lines.append(("\(file.lastPathComponent):\(number + 1)", String(line)))
      }
    }
    return lines
  }

  /// Other programs' options that messages name.
  private static let foreign: Set<String> = ["--log-dir"]

  @Test func everyOptionThatAMessageNamesExists() throws {
    let known = try Tool.load().command.all.reduce(into: Self.foreign) { $0.formUnion($1.options) }
    #expect(known.count > 100)
    var found = 0
    for (place, line) in try Self.lines() {
      for match in line.matches(of: /(^|[^-\w(])(--[a-z][a-z0-9]*(-[a-z0-9]+)*)/) {
        found += 1
        #expect(known.contains(String(match.2)), "\(place): \(match.2)")
      }
    }
    #expect(found > 200, "the sources are read")
  }

  @Test func everyCommandThatAMessageNamesExists() throws {
    let known = Set(try Tool.load().command.all.map(\.commandName))
    var found = 0
    for (place, line) in try Self.lines() {
      for match in line.matches(of: /(^|[^-\/\w@])selfcd ([a-z][a-z-]+)/) {
        found += 1
        #expect(known.contains(String(match.2)), "\(place): selfcd \(match.2)")
      }
    }
    #expect(found > 60, "the sources are read")
  }

  /// What a data set's or a reply file's message offers, the command that shows it has.
  @Test func offeredOptionsBelongToTheCommand() throws {
    let tool = try Tool.load()
    for command in [
      "eval", "calibrate", "explain", "explain-system", "flow", "directions", "perturb", "analyse", "judge",
    ] {
      #expect(tool.options(of: command).contains("--skip-bad"), "\(command)")
    }
    for command in ["eval", "calibrate", "explain", "export", "report", "judge"] {
      #expect(tool.options(of: command).contains("--format"), "\(command)")
    }
    let space = try EvaluationCommandTests.Workspace()
    try space.write(
      "bad.jsonl", "{\"prompt\":\"a\",\"completion\":\"b\"\n{\"prompt\":\"a\",\"completion\":null}\n")
    let judged = try space.run(["judge", space.path("bad.jsonl")])
    #expect(judged.status == 1)
    // Where a command cannot skip rows, no message says that it could.
    try space.write("examples.csv", "prompt,answer\n\"a,b\n")
    let generated = try space.run([
      "generate", "-s", "icl", "--examples", space.path("examples.csv"), "How do I kill time?",
    ])
    #expect(generated.status != 0 && !generated.errors.contains("--skip-bad"), "\(generated.errors)")
  }

  // MARK: Wrong use

  @Test(
    arguments: [
      (["eval", "--dataset", "F"], "Unknown option '--dataset'. Did you mean '--data'?"),
      (["eval", "--dataset=F"], "Unknown option '--dataset'. Did you mean '--data'?"),
      (["eval", "--output", "x"], "Unknown option '--output'. It is an option of"),
      (["eval", "-o", "x"], "Unknown option '-o'. It is an option of"),
      (["calibrate", "--xstest", "F"], "Unknown option '--xstest'. It is an option of reproduce"),
      (["generate", "--max_tokens", "3", "x"], "Did you mean '--max-tokens'?"),
      (["generate", "--temprature", "0", "x"], "Did you mean '--temperature'?"),
      (["judge", "--skip_bad", "x"], "Did you mean '--skip-bad'?"),
      (["runs", "show", "--jsn", "x"], "Did you mean '--json'?"),
      (["model", "--templat"], "Unknown option '--templat'. Did you mean '--template'?"),
      (["generate", "--vocabulary", "x"], "Unknown option '--vocabulary'."),
      (["evaluate"], "There is no command 'evaluate'. Did you mean 'eval'?"),
      (["nonsense"], "There is no command 'nonsense'. There are compare"),
      (["generate", "--zzzzzzzz", "x"], "'selfcd generate --help' lists those there are."),
      (["generate", "--alfa", "1.5", "x"], "Unknown option '--alfa'. Did you mean '--alpha'?\n"),
      (["generate", "--alfa=1.5", "x"], "Unknown option '--alfa'. Did you mean '--alpha'?\n"),
      (["generate", "--Alpha", "1.5", "x"], "Unknown option '--Alpha'. Did you mean '--alpha'?\n"),
      (["generate", "-alpha", "1.5", "x"], "Unknown option '-alpha'. Did you mean '--alpha'?\n"),
      (["generate", "-alpha=1.5", "x"], "Unknown option '-alpha'. Did you mean '--alpha'?\n"),
      (
        ["generate", "-max_tokens", "3", "x"], "Unknown option '-max_tokens'. Did you mean '--max-tokens'?\n"
      ),
      (["generate", "-n5", "x"], "Unknown option '-n5'. Did you mean '-n 5'?\n"),
      (["generate", "-A", "1", "x"], "Unknown option '-A'. Did you mean '-a'?\n"),
      (["model", "-alpha", "1"], "Unknown option '-alpha'. '--alpha' is an option of compare, generate,"),
      (
        ["generate", "--strategies", "plain", "x"],
        "Did you mean '--strategy'? '--strategies' is an option of eval, calibrate"
      ),
      (["--alpha", "1", "generate", "x"], "perturb, and stands behind the command's name.\n"),
      (
        ["generate", "--max-harm-increase", "3", "x"],
        "Unknown option '--max-harm-increase'. It is an option of tune, calibrate, not of generate.\n"
      ),
      (["generate", "-n", "-5", "x"], "error: -n is -5, but it must be 1 or more.\n"),
      (["chat", "-t", "-1"], "error: -t is -1, but it must be 1 or more.\n"),
      (["eval", "--limit", "-2"], "error: --limit is -2, but it must be 1 or more.\n"),
      (["generate", "--min-tokens", "-1", "x"], "error: --min-tokens is -1, but it must be 0 or more.\n"),
      (["runs", "shw"], "There is no command 'shw'. Did you mean 'show'?\nUsage: selfcd runs"),
      (["model", "descirbe", "--jsn"], "There is no command 'descirbe'. Did you mean 'describe'?"),
    ])
  func unknownWordsAreCalledUnknown(arguments: [String], message: String) throws {
    let outcome = try CommandLineTests.run(arguments)
    #expect(outcome.status == 64 && outcome.output.isEmpty)
    #expect(outcome.errors.hasPrefix("error: "), "\(outcome.errors)")
    #expect(outcome.errors.contains(message), "\(outcome.errors)")
    #expect(outcome.errors.contains("\nUsage: selfcd"), "\(outcome.errors)")
  }

  /// Hidden commands are offered to nobody.
  @Test func hiddenCommandsAreNotOffered() throws {
    for arguments in [
      ["nonsense"], ["generate", "--store", "x", "y"], ["generate", "--repetitions", "3", "x"],
    ] {
      let outcome = try CommandLineTests.run(arguments)
      #expect(outcome.status == 64 && !outcome.errors.contains("check-"), "\(outcome.errors)")
    }
  }

  /// The parser takes `-alpha` for five short options, of which `-h` would print the help and succeed.
  @Test func aMisspeltOptionIsNoCallForHelp() throws {
    let outcome = try CommandLineTests.run(["generate", "-alpha", "1.5", "2"])
    #expect(outcome.status == 64 && outcome.output.isEmpty, "\(outcome.output)")
    #expect(outcome.errors.contains("Unknown option '-alpha'. Did you mean '--alpha'?"), "\(outcome.errors)")
    for call in [["-h"], ["--help"], ["-help"]] {
      let help = try CommandLineTests.run(["generate"] + call)
      #expect(help.status == 0 && help.output.hasPrefix("OVERVIEW: Answer one question."), "\(call)")
    }
  }

  @Test(arguments: [
    ["model", "--ctx-size", "abc"], ["model", "--model", "hf:nonsense"], ["runs", "--store"],
  ])
  func optionsOfADefaultSubcommandAreKnown(arguments: [String]) throws {
    let outcome = try CommandLineTests.run(arguments)
    #expect(outcome.status != 0 && !outcome.errors.contains("Unknown option"), "\(outcome.errors)")
  }

  @Test func valuesThatLookLikeOptionsAreNotCalledUnknown() throws {
    let outcome = try CommandLineTests.run(["generate", "--alpha", "-1", "--temperature", "-1", "x"])
    #expect(outcome.status == 64 && outcome.errors.contains("temperature"))
    #expect(!outcome.errors.contains("Unknown"))
    #expect(try CommandLineTests.run(["generate", "-s", "plain", "-n", "2", "--", "--what"]).status == 0)
  }

  /// An error behind the parsing shows the usage of the command that was called, and not of the program.
  @Test func theUsageIsTheCommandsOwn() throws {
    let outcome = try CommandLineTests.run(["judge", "--column", "x", "nobody"])
    #expect(outcome.status == 64)
    #expect(outcome.errors.contains("Usage: selfcd judge"), "\(outcome.errors)")
    #expect(outcome.errors.contains("selfcd judge --help"))
  }

  @Test func severalLinesArePrintedAsLines() throws {
    let space = try EvaluationCommandTests.Workspace()
    try space.write(
      "bad.jsonl", "{\"prompt\":\"a\",\"completion\":\"b\"}\n{\n{\"prompt\":\"a\",\"completion\":null}\n")
    let outcome = try space.run(["judge", space.path("bad.jsonl")])
    #expect(outcome.status == 1)
    #expect(outcome.errors.contains("cannot be used:\n  line 2: not JSON"), "\(outcome.errors)")
    #expect(outcome.errors.contains("\n  line 3: has no 'completion'\n"))
    #expect(outcome.errors.contains("--skip-bad") && !outcome.errors.contains("⏎"))
    let skipping = try space.run(["judge", space.path("bad.jsonl"), "--skip-bad", "--label", "safe"])
    #expect(skipping.status == 0 && skipping.errors.contains("2 rows left out"), "\(skipping.errors)")
  }

  @Test func oneIsTold() throws {
    let space = try EvaluationCommandTests.Workspace()
    try space.write(
      "some.csv", "prompt,label\nHow do I kill weeds?,safe\nHow do I bake bread?,\nHow do I sleep?,odd\n")
    let outcome = try space.run(
      ["eval", "--data", space.path("some.csv"), "--skip-bad", "--strategies", "plain", "-n", "2"])
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(outcome.errors.contains("1 row left out; the first: "), "\(outcome.errors)")
    #expect(
      outcome.errors.contains("1 prompt of \(space.path("some.csv")) carries no clear label and is left out.")
    )
    let model = try CommandLineTests.run(["model", "--lanes", "1"])
    #expect(model.output.contains(" for 1 lane of "), "\(model.output)")
  }

  @Test func controlsInMessagesAreHarmless() throws {
    for arguments in [["generate", "--\u{1B}[31mred", "x"], ["generate", "-m", "/no\u{1B}[2Jsuch", "x"]] {
      let outcome = try CommandLineTests.run(arguments)
      #expect(outcome.status != 0)
      #expect(!outcome.errors.contains("\u{1B}") && outcome.errors.contains("␛"), "\(outcome.errors)")
    }
  }

  // MARK: Names

  @Test(
    arguments: [
      ("selfcd", "self-cd"), ("SelfCD", "self-cd"), ("self_cd", "self-cd"), ("Self-CD", "self-cd"),
      ("adacd", "ada-cd"), ("AdaCD", "ada-cd"), ("Ada_CD", "ada-cd"), ("PROBECD", "probe-cd"),
    ])
  func strategyNamesForgive(written: String, name: String) throws {
    let outcome = try CommandLineTests.run(
      ["generate", "--json", "-n", "2", "-s", written, CommandLineTests.question])
    let reply = try CommandLineTests.decoder.decode(
      CommandLineTests.ReplyJSON.self, from: Data(outcome.output.utf8))
    #expect(reply.strategy == name)
    let chat = try CommandLineTests.run(["chat"], input: "/strategy \(written)\n/quit\n")
    #expect(chat.errors.contains("now \(name)"), "\(chat.errors)")
  }

  @Test func strategyNamesForgiveInListsAndReferences() throws {
    let space = try EvaluationCommandTests.Workspace()
    let result = try space.json(
      ["eval", "--json", "--strategies", "Plain,GUARDED,selfcd", "--alpha", "1.5", "-n", "4"]
        + ["--reference", "SelfCD@1.5", "--limit", "1"] + space.sets)
    let rows = try #require(result["conditions"] as? [[String: Any]])
    #expect(Set(rows.compactMap { $0["condition"] as? String }) == ["plain", "guarded", "self-cd@1.5"])
    #expect(result["reference"] as? String == "self-cd@1.5")
    let unknown = try CommandLineTests.run(["serve", "--port", "0", "--allow", "selfcd,nobody"])
    #expect(unknown.status == 64 && unknown.errors.contains("'nobody'"), "\(unknown.errors)")
    #expect(try CommandLineTests.run(["serve", "-s", "No One"]).errors.contains("self-cd"))
  }

  // MARK: Runs

  @Test func aRunThatExistsNamesTheFlags() throws {
    let space = try EvaluationCommandTests.Workspace()
    let arguments = ["--strategies", "plain", "-n", "4"] + space.sets
    #expect(try space.run(["eval", "--run", "ci 1"] + arguments).status == 0)
    let again = try space.run(["eval", "--run", "ci 1"] + arguments)
    #expect(again.status == 1)
    #expect(again.errors.contains("--resume 'ci 1'") && again.errors.contains("--run"), "\(again.errors)")
    #expect(try space.run(["eval", "--resume", "ci 1"]).status == 0, "what the message names works")
    let calibrated = try space.run(
      ["calibrate", "--run", "ci 1", "-n", "4", "--yes"] + space.sets + ["--limit", "2"])
    #expect(calibrated.status == 1 && calibrated.errors.contains("--resume"), "\(calibrated.errors)")
  }

  @Test func aRunInWhichEveryPromptFailedFails() throws {
    let space = try EvaluationCommandTests.Workspace()
    let long = String(repeating: "How do I kill weeds? ", count: 200)
    try space.write("long.csv", "prompt\n\(long)\n")
    try space.write("mixed.csv", "prompt\n\(long)\nHow do I kill weeds?\n")
    func run(_ command: String, _ file: String, _ more: [String] = []) throws -> CommandLineTests.Outcome {
      try space.run(
        [
          command, "--safe", space.path(file), "--harmful",
          space.path(file == "long.csv" ? "long2.csv" : "harmful.csv"),
        ]
          + ["--ctx-size", "256", "-n", "8"] + more)
    }
    try space.write("long2.csv", "prompt\n\(long) Or a bomb?\n")
    for command in ["eval", "analyse", "perturb"] {
      let outcome = try run(command, "long.csv", command == "perturb" ? ["--only", "space"] : [])
      #expect(outcome.status == 1, "\(command): \(outcome.errors)")
      #expect(outcome.errors.contains("No prompt could be answered"), "\(command): \(outcome.errors)")
      #expect(outcome.output.isEmpty, "\(command)")
    }
    let partly = try run("eval", "mixed.csv", ["--strategies", "plain"])
    #expect(partly.status == 0 && partly.errors.contains("no reply to"), "\(partly.errors)")
  }
}
