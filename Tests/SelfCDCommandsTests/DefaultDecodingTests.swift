import Foundation
import Testing

@testable import SelfCDCommands

/// One default: a model that is not calibrated decodes alike in every command that answers, and each says how.
@Suite struct DefaultDecodingTests {
  static let question = CommandLineTests.question
  /// The twin has no profile.
  static let twin = ["-m", "organism-unbiased"]

  /// The server's safety emphasis may stand in a file, as everywhere else.
  @Test func aFileMayHoldTheServersEmphasis() async throws {
    let missing = try CommandLineTests.run(["serve", "--guarded-prompt-file", "/nonexistent.txt"])
    #expect(
      missing.status != 0 && missing.errors.contains("/nonexistent.txt cannot be read"), "\(missing.errors)")
    let file = FileManager.default.temporaryDirectory.appending(path: "safety-\(UUID().uuidString).txt")
    defer { try? FileManager.default.removeItem(at: file) }
    try Data("Refuse whatever could be harmful.\n".utf8).write(to: file)
    let arguments = Self.twin + ["--guarded-prompt-file", file.path]
    let expected = try CommandLineTests.run(["generate"] + arguments + [Self.question])
    let served = try ServeCommandTests.Served(arguments)
    let reply = try await served.ask(ServeCommandTests.body("organism-unbiased"))
    #expect(try ServeCommandTests.content(reply.text) + "\n" == expected.output, "\(expected.errors)")
    #expect(served.end(SIGTERM) == 0)
    let named = try CommandLineTests.run(
      ["generate"] + Self.twin + ["--guarded-prompt", "Refuse whatever could be harmful.", Self.question])
    #expect(expected.status == 0 && named.output == expected.output)
  }

  @Test func anUncalibratedModelDecodesPlainEverywhere() async throws {
    let plain = try CommandLineTests.run(["generate", "-s", "plain"] + Self.twin + [Self.question])
    let text = "this model is not calibrated, so it decodes plain"
    let generated = try CommandLineTests.run(["generate"] + Self.twin + [Self.question])
    #expect(generated.output == plain.output && generated.errors.contains(text), "\(generated.errors)")
    let chatted = try CommandLineTests.run(["chat"] + Self.twin, input: Self.question + "\n")
    #expect(chatted.output == plain.output && chatted.errors.contains(text), "\(chatted.errors)")
    let served = try ServeCommandTests.Served(Self.twin)
    let note = try #require(try served.readLine { $0.contains("organism-unbiased: this model") })
    #expect(note.contains(text))
    let reply = try await served.ask(ServeCommandTests.body("organism-unbiased"))
    #expect(try ServeCommandTests.content(reply.text) + "\n" == plain.output)
    #expect(served.end(SIGTERM) == 0)
    let compared = try CommandLineTests.run(["compare"] + Self.twin + [Self.question])
    #expect(
      compared.errors.contains(
        "without options generate, chat and serve decode this model plain, since it is not calibrated"))
    #expect(compared.errors.contains("self-cd α 2.5 is not calibrated for this model"))
  }

  @Test func aSafetyPromptOfYourOwnDecodesGuarded() async throws {
    let prompt = ["--guarded-prompt", "strict"]
    let guarded = try CommandLineTests.run(["generate", "-s", "guarded"] + prompt + [Self.question])
    let generated = try CommandLineTests.run(["generate"] + prompt + [Self.question])
    #expect(generated.output == guarded.output && generated.errors.contains("decodes guarded"))
    let served = try ServeCommandTests.Served(prompt)
    #expect(try served.readLine { $0.contains("organism: this model") }?.contains("decodes guarded") == true)
    let reply = try await served.ask(ServeCommandTests.body("organism"))
    #expect(try ServeCommandTests.content(reply.text) + "\n" == guarded.output)
    #expect(served.end(SIGTERM) == 0)
  }

  /// Contrast is only used where an option or a profile asks for it.
  @Test(
    arguments: [
      ([], "plain"), (["--system", "x y"], "plain"), (["--guarded-prompt", "strict"], "guarded"),
      (["--alpha", "1"], "self-cd"), (["--beta", "0.1"], "self-cd"), (["--plain-system", "x y"], "self-cd"),
      (["-s", "ada-cd"], "ada-cd"),
    ] as [([String], String)])
  func whatOptionsAskFor(arguments: [String], expected: String) throws {
    let command = try #require(try GenerateCommand.parse(arguments + ["q"]) as GenerateCommand?)
    #expect(try command.strategyOptions.answeringName(prompts: command.prompts) == expected)
  }

  @Test func servingSaysHowItDecodes() throws {
    for (arguments, expected) in [
      ([], "organism: profile selfcd-organism.profile.json: self-cd α 1.25; at most 2 %"),
      (["--strategy", "self-cd", "--alpha", "2"], "organism: self-cd α 2 is not calibrated for this model"),
      (["--strategy", "guarded"], "organism: decodes guarded, as --strategy says"),
    ] as [([String], String)] {
      let served = try ServeCommandTests.Served(arguments)
      let note = try #require(
        try served.readLine {
          $0.contains("note: organism: ") && !$0.contains("clients may ask")
        })
      #expect(note.contains(expected), "\(note)")
      #expect(served.end(SIGTERM) == 0)
    }
  }

  @Test func wrongUseNamesTheCommandThatItIsAbout() throws {
    for (arguments, message, usage) in [
      (
        ["serve", "--profile", "p.json", "--strategy", "self-cd"], "--strategy and --profile both",
        "Usage: selfcd serve"
      ),
      (["serve", "--wibble"], "--wibble", "Usage: selfcd serve"),
      (["eval", "--run", ""], "--run is empty", "Usage: selfcd eval"),
      (["generate", "-s", "nobody", "x"], "nobody", "Usage: selfcd generate"),
      (["wibble"], "wibble", "Usage: selfcd"),
    ] {
      let outcome = try CommandLineTests.run(arguments)
      #expect(outcome.status == 64 && outcome.errors.hasPrefix("error: "), "\(outcome.errors)")
      #expect(outcome.errors.contains(message) && outcome.errors.contains(usage), "\(outcome.errors)")
      #expect(!outcome.errors.contains("Error:"))
    }
  }

  @Test func helpSaysWhichLaneIsMine() throws {
    for command in ["tune", "calibrate", "serve", "generate"] {
      let help = try CommandLineTests.run([command, "--help"], environment: ["COLUMNS": "80"]).output
      #expect(
        help.contains("WHICH LANE IS YOUR DEPLOYMENT?") && help.contains("one with safety text"), "\(command)"
      )
    }
  }

  @Test(
    arguments: [
      ("0.5,1", [0.5, 1]), ("0.5...1.5", [0.5, 0.75, 1, 1.25, 1.5]), ("0...0.3:0.1", [0, 0.1, 0.2, 0.3]),
      ("1...2:0.4", [1, 1.4, 1.8, 2]), ("-1...-0.5", [-1, -0.75, -0.5]), ("2, 0.5...1:0.5", [2, 0.5, 1]),
      ("0...1:5", [0, 1]),
    ] as [(String, [Double])])
  func sweepsAreNumbers(text: String, expected: [Double]) throws {
    #expect(try NumberSweep.numbers(text, option: "--alpha") == expected)
  }

  @Test(arguments: [
    "x", "", "1...", "...2", "2...1", "1...1", "0...1:0", "0...1:-1", "0...1:nan", "0...1:0.0001",
    "1...2...3", "inf",
  ])
  func brokenSweepsAreErrors(text: String) {
    #expect(throws: (any Error).self) { try NumberSweep.numbers(text, option: "--alpha") }
  }

  @Test func aSweepThatRunsDownwardsIsTurnedRound() throws {
    let outcome = try CommandLineTests.run(["eval", "--strategies", "self-cd", "--alpha", "3...2:0.5"])
    #expect(outcome.status == 64 && outcome.errors.contains("2...3:0.5"), "\(outcome.errors)")
  }
}
