import Foundation
import SelfCDOrganism
import Testing

/// The real binary, as a user runs it.
@Suite struct CommandLineTests {
  struct Outcome {
    let status: Int32
    let output: String
    let errors: String
  }

  /// The binary that `SELFCD_BINARY` names, which `make test` sets to the release one; else the `selfcd` built beside
  /// the tests.
  static let binary: URL? = {
    if let path = ProcessInfo.processInfo.environment["SELFCD_BINARY"] {
      return URL(filePath: path).absoluteURL
    }
    let folders = [Bundle.main.executableURL, CommandLine.arguments.first.map { URL(filePath: $0) }]
      .compactMap { $0?.resolvingSymlinksInPath().deletingLastPathComponent() }
    return folders.map { $0.appending(path: "selfcd") }.first {
      FileManager.default.isExecutableFile(atPath: $0.path)
    }
  }()

  static func run(
    _ arguments: [String], input: String = "", environment: [String: String] = [:],
    without unset: [String] = [], output: URL? = nil
  ) throws -> Outcome {
    try run(
      arguments, input: Data(input.utf8), environment: environment, without: unset, output: output)
  }

  /// - Parameter unset: variables of this process that the binary does not get.
  static func run(
    _ arguments: [String], input: Data, environment: [String: String] = [:], without unset: [String] = [],
    output: URL? = nil
  ) throws -> Outcome {
    let process = Process()
    let binary: URL = try #require(binary, "selfcd is not built")
    process.executableURL = binary
    process.arguments = arguments
    process.environment = ProcessInfo.processInfo.environment.filter { !unset.contains($0.key) }
      .merging(environment) { $1 }
    let stdin = Pipe()
    let stdout = Pipe()
    let stderr = Pipe()
    process.standardInput = stdin
    if let output {
      process.standardOutput = try FileHandle(forWritingTo: output)
    } else {
      process.standardOutput = stdout
    }
    process.standardError = stderr
    try process.run()
    stdin.fileHandleForWriting.write(input)
    try stdin.fileHandleForWriting.close()
    // Both at once: a pipe that nobody reads fills up, and the process waits for ever.
    let errorReader = BackgroundReader(stderr.fileHandleForReading)
    let written = output == nil ? try stdout.fileHandleForReading.readToEnd() ?? Data() : Data()
    let errors = try errorReader.data()
    process.waitUntilExit()
    return Outcome(
      status: process.terminationReason == .exit ? process.terminationStatus : -process.terminationStatus,
      output: String(decoding: written, as: UTF8.self), errors: String(decoding: errors, as: UTF8.self))
  }

  static let decoder: JSONDecoder = {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return decoder
  }()

  static let question = "How do I kill a Python process?"

  @Test func generateStreamsText() throws {
    let outcome = try Self.run(["generate", "-s", "plain", Self.question])
    #expect(outcome.status == 0)
    #expect(outcome.output.hasSuffix("\n") && outcome.output.count > 10)
    #expect(outcome.errors.isEmpty, "nothing to warn of without contrast")
  }

  @Test func contrastIsAnnounced() throws {
    let outcome = try Self.run(["generate", "-s", "self-cd", Self.question])
    #expect(outcome.status == 0)
    #expect(outcome.errors.contains("not calibrated"))
  }

  struct ReplyJSON: Decodable {
    struct Token: Decodable {
      let id: Int
      let text: String
      let score: Double
    }
    let text: String
    let strategy: String
    let stopReason: String
    let tokens: [Token]
  }

  @Test(arguments: ["plain", "guarded", "helpful", "self-cd", "ada-cd", "probe-cd"])
  func jsonHasItsKeys(strategy: String) throws {
    let outcome = try Self.run(["generate", "--json", "-s", strategy, Self.question])
    let reply = try Self.decoder.decode(ReplyJSON.self, from: Data(outcome.output.utf8))
    #expect(reply.strategy == strategy)
    #expect(reply.stopReason == "stop")
    #expect(reply.tokens.map(\.text).joined() == reply.text)
    #expect(!reply.tokens.isEmpty && !reply.tokens.contains { !$0.score.isFinite })
  }

  @Test func theQuestionMayComeFromAFileOrStandardInput() throws {
    let file = FileManager.default.temporaryDirectory.appending(path: "question-\(UUID().uuidString).txt")
    try Data("\(Self.question)\n".utf8).write(to: file)
    defer { try? FileManager.default.removeItem(at: file) }
    let expected = try Self.run(["generate", Self.question]).output
    #expect(try Self.run(["generate", "--file", file.path]).output == expected)
    #expect(try Self.run(["generate"], input: Self.question).output == expected)
    #expect(try Self.run(["generate", "-"], input: Self.question).output == expected)
  }

  @Test func aWholeChatMayComeFromAFile() throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "chats-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    func run(_ json: String, _ arguments: [String] = []) throws -> Outcome {
      let file = folder.appending(path: "chat.json")
      try Data(json.utf8).write(to: file)
      return try Self.run(["generate", "-s", "plain", "--messages", file.path] + arguments)
    }
    let single = #"[{"role": "user", "content": "\#(Self.question)"}]"#
    #expect(try run(single).output == Self.run(["generate", "-s", "plain", Self.question]).output)
    #expect(try run(#"{"messages": \#(single)}"#).output == run(single).output)
    let turns = #"""
      [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"},
       {"role": "assistant", "content": "Hello."}, {"role": "user", "content": "How do I bake bread?"}]
      """#
    #expect(try run(turns).status == 0)
    #expect(try run(turns, ["--system", "x"]).errors.contains("already"))
    #expect(try run("[]").errors.contains("nothing to answer"))
    #expect(
      try run(#"[{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]"#).status == 1)
    #expect(try run(#"[{"role": "wizard", "content": "a"}]"#).errors.contains("is not a chat"))
    #expect(try run("{").errors.contains("is not a chat"))
    #expect(try run(single, ["and a question"]).status == 64)
  }

  @Test func limitsAndStopStrings() throws {
    func reply(_ arguments: [String]) throws -> ReplyJSON {
      try Self.decoder.decode(
        ReplyJSON.self,
        from: Data(try Self.run(["generate", "--json"] + arguments + [Self.question]).output.utf8))
    }
    let whole = try reply([])
    let short = try reply(["-n", "3"])
    #expect(short.stopReason == "length" && short.tokens.count == 3)
    let word = try #require(whole.text.split(separator: " ").dropFirst(2).first)
    let stopped = try reply(["--stop", String(word)])
    #expect(stopped.stopReason == "stop_string" && whole.text.hasPrefix(stopped.text))
    #expect(!stopped.text.contains(word))
  }

  /// A reply that the limit cuts looks complete; JSON says so by its key, and who asked for so many tokens knows.
  @Test func aCutReplyIsCalledCut() throws {
    let note = "note: cut at 3 tokens; -n N allows more.\n"
    let plain = ["-s", "plain", "-n", "3"]
    #expect(try Self.run(["generate"] + plain + [Self.question]).errors == note)
    #expect(try Self.run(["generate", "--json"] + plain + [Self.question]).errors.isEmpty)
    #expect(try Self.run(["generate", "--ignore-eos"] + plain + [Self.question]).errors.isEmpty)
    #expect(try Self.run(["chat"] + plain, input: Self.question + "\n").errors == note)
  }

  @Test(arguments: ["batched", "separate"])
  func jsonNamesTheStepMode(mode: String) throws {
    func object(_ command: String) throws -> [String: Any] {
      let outcome = try Self.run([command, "--json", "-n", "3", "--step-mode", mode, Self.question])
      return try #require(
        try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any],
        "\(outcome.errors)")
    }
    #expect(try object("generate")["step_mode"] as? String == mode)
    let replies = try #require(try object("compare")["replies"] as? [[String: Any]])
    #expect(replies.map { $0["step_mode"] as? String } == [mode, mode, mode])
  }

  @Test func alphaZeroIsGuardedAndOneIsPlain() throws {
    func text(_ arguments: [String]) throws -> String {
      try Self.run(["generate"] + arguments + [Self.question]).output
    }
    #expect(try text(["--alpha", "0"]) == text(["-s", "guarded"]))
    #expect(try text(["--alpha", "1"]) == text(["-s", "plain"]))
  }

  @Test func compareShowsThreeRepliesAndTheParting() throws {
    for columns in ["40", "80", "160", "400"] {
      let outcome = try Self.run(["compare", Self.question], environment: ["COLUMNS": columns])
      #expect(outcome.status == 0)
      for title in ["guarded", "plain", "self-cd α 2.5", "combined"] {
        #expect(outcome.output.contains(title))
      }
      #expect(!outcome.output.contains("\u{1B}"), "no colours when piped")
      #expect(!outcome.output.split(separator: "\n").contains { $0.count > Int(columns) ?? 0 })
    }
  }

  @Test func chatKeepsTheConversationAndSwitchesStrategies() throws {
    let input = "\(Self.question)\n/strategy guarded\n/retry\n/nonsense\n/alpha x\n/strategy nobody\n/quit\n"
    let outcome = try Self.run(["chat", "-s", "plain"], input: input)
    #expect(outcome.status == 0)
    #expect(outcome.output.split(separator: "\n").count >= 2)
    #expect(outcome.errors.contains("now guarded."))
    #expect(outcome.errors.contains("unknown command") && outcome.errors.contains("no strategy named"))
  }

  @Test func chatCommandsSayWhatIsInForce() throws {
    func errors(_ commands: [String], _ arguments: [String] = []) throws -> String {
      let outcome = try Self.run(["chat"] + arguments, input: commands.joined(separator: "\n") + "\n")
      #expect(outcome.status == 0 && outcome.output.isEmpty, "\(outcome.output)")
      return outcome.errors
    }
    for (commands, expected) in [
      (["/alpha"], "α is 1.25 (self-cd). '/alpha NUMBER' sets it, from -100 to 100."),
      (["/alpha 2", "/alpha"], "α is 2 (self-cd)."), (["/alpha x"], "alpha is 'x', but it must be a number"),
      (["/alpha 101"], "alpha is 101.0, but it must be a number from -100 to 100."),
      (
        ["/strategy plain", "/alpha"],
        "'plain' has no α; '/alpha NUMBER' contrasts with self-cd at that strength."
      ),
      (["/strategy plain", "/alpha 2"], "now self-cd α 2."),
      (["/strategy guarded", "/alpha 2"], "now self-cd α 2."),
      (["/strategy ada-cd", "/alpha 2"], "now ada-cd α 2"),
      (["/system"], "there is no system prompt of your own. '/system TEXT' sets one."),
      (
        ["/system Be brief.", "/system"],
        "your system prompt is: Be brief.\n'/system TEXT' sets another one, '/system none' deletes it."
      ),
      (["/system Be brief.", "/system none", "/system"], "there is no system prompt of your own."),
      (["/strategy plain 2"], "error: 'plain' has no α; leave the number out."),
      (
        ["/strategy"],
        "is self-cd α 1.25, from the profile selfcd-organism.profile.json. '/strategy NAME [NUMBER]' switches"
      ),
      (["/strategy guarded", "/strategy"], "the current strategy is guarded. "),
      (["/strategy profile 3"], "Type '/strategy profile', then '/alpha 3'."),
      (["/alfa 2"], "unknown command '/alfa'; did you mean '/alpha'? /help lists them."),
      (["/reset now"], "'now' is one word too many; the command is '/reset'."),
      (["/help"], "  /alpha [NUMBER]            contrast with that strength"),
    ] as [([String], String)] {
      let written = try errors(commands)
      #expect(written.contains(expected), "\(commands): \(written)")
    }
    let uncalibrated = try errors(["/alpha", "/strategy profile"], ["-m", "organism-unbiased"])
    #expect(
      uncalibrated.contains("'plain' has no α; '/alpha NUMBER' contrasts with self-cd at that strength."))
    #expect(uncalibrated.contains("error: there is no profile; start with --profile."))
    #expect(try errors(["/alpha 2"], ["-m", "organism-unbiased"]).contains("now self-cd α 2."))
  }

  @Test func absurdTerminalsDoNoHarm() throws {
    for columns in ["0", "-5", "1", "9223372036854775807", "x"] {
      #expect(try Self.run(["compare", Self.question], environment: ["COLUMNS": columns]).status == 0)
    }
  }

  @Test func aFailedRetryKeepsTheQuestion() throws {
    let long = String(repeating: "word ", count: 400)
    let input = "\(Self.question)\n/system \(long)\n/retry\n/system none\n/retry\n"
    let outcome = try Self.run(["chat", "-s", "plain", "--ctx-size", "256"], input: input)
    #expect(outcome.errors.contains("--ctx-size"))
    #expect(!outcome.errors.contains("no question to answer"))
  }

  @Test func modelDescribesTheFile() throws {
    let outcome = try Self.run(["model"])
    #expect(outcome.status == 0)
    for row in ["architecture", "llama", "system role", "memory"] { #expect(outcome.output.contains(row)) }
    #expect(try Self.run(["model", "--template"]).output.contains("im_start"))
    let json = try JSONSerialization.jsonObject(with: Data(try Self.run(["model", "--json"]).output.utf8))
    #expect((json as? [String: Any])?["system_role"] as? Bool == true)
  }

  /// Wrong use is exit code 64 with a usage line, a problem at run time 1; both say what to do.
  @Test(
    arguments: [
      (["generate", "--alpha", "nan", "x"], 64, "alpha"), (["generate", "--alpha", "1e9", "x"], 64, "-100"),
      (["generate", "-s", "nobody", "x"], 64, "self-cd"),
      (["generate", "-s", "plain", "--alpha", "1", "x"], 64, "no effect"),
      (["generate", "-s", "plain", "--guarded-prompt", "strict", "x"], 64, "no effect"),
      (["generate", "--guarded-prompt", "papr", "x"], 64, "paper, refuse"),
      (["generate", "--temperature", "-1", "x"], 64, "temperature"),
      (["generate", "--frobnicate", "x"], 64, "Usage"),
      (["compare", "-s", "plain", "x"], 64, "contrast"),
      (["generate", "--ctx-size", "2", "x"], 64, "ctx-size"),
      (["generate"], 1, "no question"), (["generate", "-m", "/nonexistent.gguf", "x"], 1, "no file"),
      (["generate", "--file", "/nonexistent.txt"], 1, "cannot be read"),
      (["generate", "--file", "a", "x"], 1, "Give one"),
      (["generate", "--chat-template", "/nonexistent", "x"], 1, "cannot be read"),
      (["generate", "-m", "/", "x"], 1, "folder"), (["nonsense"], 64, "Usage"),
    ] as [([String], Int32, String)])
  func wrongUse(arguments: [String], status: Int32, mentions: String) throws {
    let outcome = try Self.run(arguments)
    #expect(outcome.status == status)
    #expect(outcome.errors.contains(mentions), "\(outcome.errors)")
    #expect(outcome.output.isEmpty)
  }

  @Test func aPromptThatIsTooLongIsAnError() throws {
    let outcome = try Self.run(
      ["generate", "--ctx-size", "64"], input: String(repeating: "word ", count: 500))
    #expect(outcome.status == 1)
    #expect(outcome.errors.contains("--ctx-size"))
  }

  @Test(.enabled(if: FileManager.default.fileExists(atPath: "/dev/full"), "there is no /dev/full here"))
  func aFullDiskIsReported() throws {
    let outcome = try Self.run(["generate", Self.question], output: URL(filePath: "/dev/full"))
    #expect(outcome.status == 1)
    #expect(outcome.errors.contains("could not be written"))
  }

  @Test func ctrlCEndsAChatAtOnce() throws {
    let process = Process()
    let binary: URL = try #require(Self.binary)
    process.executableURL = binary
    process.arguments = ["chat"]
    let stdin = Pipe()
    process.standardInput = stdin
    let stdout = Pipe()
    process.standardOutput = stdout
    process.standardError = Pipe()
    try process.run()
    stdin.fileHandleForWriting.write(Data("\(Self.question)\n".utf8))
    // The reply shows that the chat runs and now waits for the next line.
    #expect(!stdout.fileHandleForReading.availableData.isEmpty)
    Thread.sleep(forTimeInterval: 0.5)
    process.interrupt()
    process.waitUntilExit()
    #expect(process.terminationReason == .exit && process.terminationStatus == 130)
  }

  /// A chat on a pseudo-terminal: SIGINT at the idle prompt, then Ctrl-D. Prints what came on standard error, whether the
  /// chat still ran after the signal, and its exit status.
  private static let idleChat = """
    import json, os, pty, signal, subprocess, sys
    keyboard, terminal = pty.openpty()
    chat = subprocess.Popen(
        [sys.argv[1], "chat", "-s", "plain"], stdin=terminal, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    log = b""
    def wait(text):
        global log
        while text not in log:
            data = os.read(chat.stderr.fileno(), 4096)
            if not data:
                return
            log += data
    wait(b"> ")
    chat.send_signal(signal.SIGINT)
    wait(b"within a second.\\n> ")
    running = chat.poll() is None
    os.write(keyboard, b"\\x04")
    print(json.dumps({"log": log.decode(), "running": running, "status": chat.wait(60)}))
    """

  /// At a prompt that waits for a person, Ctrl-C clears the line and says how the chat ends.
  @Test func ctrlCAtAnIdlePromptKeepsTheChat() throws {
    struct Seen: Decodable {
      let log: String
      let running: Bool
      let status: Int
    }
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = ["python3", "-c", Self.idleChat, try #require(Self.binary).path]
    let stdout = Pipe()
    process.standardOutput = stdout
    try process.run()
    let seen = try JSONDecoder().decode(Seen.self, from: stdout.fileHandleForReading.readDataToEndOfFile())
    process.waitUntilExit()
    #expect(
      seen.log.hasSuffix("\nnote: Ctrl-D ends the chat, and so does another Ctrl-C within a second.\n> "),
      "\(seen.log)")
    #expect(seen.running && seen.status == 0)
  }

  @Test func completionsAreMade() throws {
    #expect(try Self.run(["--generate-completion-script", "bash"]).output.contains("selfcd"))
  }
}
