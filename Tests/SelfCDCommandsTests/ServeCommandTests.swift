import Foundation
import SelfCDHTTP
import SelfCDOrganism
import Testing

@testable import SelfCDCommands

/// `selfcd serve` as an operator runs it: the real binary, its files and its signals.
@Suite("serve")
struct ServeCommandTests {
  /// A running `selfcd serve`.
  final class Served {
    let process = Process()
    private(set) var url = URL(filePath: "/")
    private let errors = Pipe()
    private var log = ""

    init(_ arguments: [String], environment: [String: String] = [:]) throws {
      let binary: URL = try #require(CommandLineTests.binary, "selfcd is not built")
      process.executableURL = binary
      process.arguments = ["serve", "--port", "0"] + arguments
      process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
      process.standardError = errors
      process.standardOutput = FileHandle.nullDevice
      try process.run()
      let line = try #require(try readLine { $0.contains(" at http://") }, "it does not serve: \(log)")
      let address = try #require(line.components(separatedBy: " at ").last)
      url = try #require(URL(string: address))
    }

    deinit { if process.isRunning { process.terminate() } }

    /// The next line of the log that is looked for; nil when the log ends.
    func readLine(where matches: (String) -> Bool) throws -> String? {
      var bytes = Data()
      while let byte = try errors.fileHandleForReading.read(upToCount: 1), !byte.isEmpty {
        guard byte == Data("\n".utf8) else {
          bytes += byte
          continue
        }
        let line = String(decoding: bytes, as: UTF8.self)
        log += line + "\n"
        if matches(line) { return line }
        bytes = Data()
      }
      return nil
    }

    func ask(_ body: String, key: String? = nil) async throws -> (status: Int, text: String) {
      var headers = ["Content-Type": "application/json"]
      if let key { headers["Authorization"] = "Bearer \(key)" }
      let request = HTTPRequest(
        .post, url.appending(path: "v1/chat/completions"), headers: headers, body: Data(body.utf8),
        idleTimeout: 600)
      let (head, data) = try await HTTPClient().data(request, limit: 1 << 20)
      return (head.status, String(decoding: data, as: UTF8.self))
    }

    /// The body of an answer without wishes.
    func get(_ path: String) async throws -> String {
      let (_, data) = try await HTTPClient().data(
        HTTPRequest(.get, url.appending(path: path)), limit: 1 << 20)
      return String(decoding: data, as: UTF8.self)
    }

    /// Ends the server and returns its exit status.
    func end(_ signal: Int32) -> Int32 {
      kill(process.processIdentifier, signal)
      process.waitUntilExit()
      return process.terminationStatus
    }
  }

  static func body(_ model: String) -> String {
    #"{"model": "\#(model)", "messages": [{"role": "user", "content": "\#(CommandLineTests.question)"}]}"#
  }

  static func content(_ text: String) throws -> String {
    struct Reply: Decodable {
      struct Choice: Decodable {
        struct Message: Decodable { let content: String }
        let message: Message
      }
      let choices: [Choice]
    }
    return try JSONDecoder().decode(Reply.self, from: Data(text.utf8)).choices.first?.message.content ?? ""
  }

  @Test("answers what generate answers, and ends well", arguments: ["plain", "guarded", "self-cd"])
  func sameAsGenerate(strategy: String) async throws {
    // Named alone, self-cd is what the profile holds, as it is where no strategy is named at all.
    let named = strategy == "self-cd" ? [] : ["-s", strategy]
    let direct = try CommandLineTests.run(["generate"] + named + [CommandLineTests.question])
    let served = try Served(["--allow", "all"])
    let reply = try await served.ask(Self.body("organism:\(strategy)"))
    #expect(reply.status == 200)
    let content = try Self.content(reply.text)
    #expect(content + "\n" == direct.output)
    #expect(served.end(SIGTERM) == 0)
  }

  @Test("says at start where things are and what clients may choose, as they find it")
  func startNotes() async throws {
    let served = try Served([
      "--allow", "self-cd", "--alpha-range", "0...3", "--cors-origin", "app://obsidian.md",
    ])
    let places = try #require(try served.readLine { $0.contains("metrics ") })
    for part in [" metrics http://", "/metrics,", "playground http://", "/v1"] {
      #expect(places.contains(part))
    }
    let choices = try #require(try served.readLine { $0.contains("clients may ask for") })
    #expect(choices.contains("organism: clients may ask for guarded, self-cd with α 0 to 3"), "\(choices)")
    #expect(choices.contains("--allow"))
    #expect(served.end(SIGTERM) == 0)
  }

  @Test("takes a file with several models and what clients may choose")
  func configuration() async throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "selfcd-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let file = folder.appending(path: "serve.json")
    let keys = folder.appending(path: "keys.txt")
    try Data("alice a-key-that-is-long-enough".utf8).write(to: keys)
    try Data(
      """
      {"allow": ["plain"], "api_keys": "keys.txt", "models": [
        {"model": "organism", "lanes": 4}, {"model": "organism-unbiased", "name": "twin", "lanes": 4}]}
      """.utf8
    ).write(to: file)
    let served = try Served(["--config", file.path])
    #expect(try await served.ask(Self.body("twin")).status == 401)
    for model in ["organism", "twin", "twin:plain"] {
      #expect(try await served.ask(Self.body(model), key: "a-key-that-is-long-enough").status == 200)
    }
    #expect(try await served.ask(Self.body("twin:self-cd"), key: "a-key-that-is-long-enough").status == 403)
    try Data("alice another-key-long-enough".utf8).write(to: keys)
    kill(served.process.processIdentifier, SIGHUP)
    let reloaded = try served.readLine { $0.contains("reloaded") }
    #expect(reloaded != nil)
    #expect(try await served.ask(Self.body("twin"), key: "a-key-that-is-long-enough").status == 401)
    #expect(try await served.ask(Self.body("twin"), key: "another-key-long-enough").status == 200)
    #expect(served.end(SIGTERM) == 0)

    // Options of one model have no effect where the file names several, so they are an error; so is an unknown one.
    for (content, arguments) in [
      (#"{"models": [{"model": "organism"}]}"#, ["--threads", "2"]), (#"{"wibble": 1}"#, []),
      (#"{"models": []}"#, []), ("{nope", []), (#"{"models": [{"port": 5}]}"#, []),
    ] {
      try Data(content.utf8).write(to: file)
      let outcome = try CommandLineTests.run(["serve", "--config", file.path] + arguments)
      #expect(outcome.status != 0 && outcome.errors.lowercased().contains("error"), "\(content)")
    }
  }

  @Test("refuses a file in which a name is there twice, since only one of its values could hold")
  func repeatedNames() throws {
    let file = FileManager.default.temporaryDirectory.appending(path: "serve-\(UUID().uuidString).json")
    defer { try? FileManager.default.removeItem(at: file) }
    for (content, name) in [
      (#"{"allow": ["plain"], "port": 0, "allow": []}"#, "allow"),
      (#"{"models": [{"model": "organism", "lanes": 4, "lanes": 8}]}"#, "models[0].lanes"),
    ] {
      try Data(content.utf8).write(to: file)
      let outcome = try CommandLineTests.run(["serve", "--config", file.path])
      #expect(outcome.status == 1)
      #expect(outcome.errors.contains("'\(name)' is in \(file.path) twice"), "\(outcome.errors)")
    }
  }

  @Test("names settings as the file has them, and the model that has them")
  func unknownSettings() throws {
    let file = FileManager.default.temporaryDirectory.appending(path: "serve-\(UUID().uuidString).json")
    defer { try? FileManager.default.removeItem(at: file) }
    for (content, expected) in [
      (#"{"prot": 8080}"#, "unknown setting 'prot'. Did you mean 'port'?"),
      (#"{"max_tokns": 5}"#, "unknown setting 'max_tokns'. Did you mean 'max_tokens'?"),
      (
        #"{"models": [{"model": "organism"}, {"model": "organism", "lane": 4}]}"#,
        "unknown setting 'models[1].lane'. Did you mean 'lanes'?"
      ),
      (#"{"models": [{"port": 5}]}"#, "'models[0].port' holds for all models; it stands beside 'models'."),
      (#"{"lanes": 4, "models": [{"model": "organism"}]}"#, "'lanes' belongs to each model"),
      (#"{"models": [{"model": "organism", "lanes": 0}]}"#, "models[0]: "),
    ] {
      try Data(content.utf8).write(to: file)
      let outcome = try CommandLineTests.run(["serve", "--config", file.path])
      #expect(outcome.status == 1)
      #expect(outcome.errors.contains("\(file.path): \(expected)"), "\(outcome.errors)")
      #expect(!outcome.errors.contains("--prot"))
    }
  }

  @Test("says where it offers all, and what a context beyond the trained one is")
  func offersAll() throws {
    let served = try Served(["--allow", "all"])
    let choices = try #require(try served.readLine { $0.contains("clients may ask for") })
    #expect(!choices.contains("--allow offers more"), "\(choices)")
    #expect(served.end(SIGTERM) == 0)
    let outcome = try CommandLineTests.run(
      ["generate", "-n", "1", "--ctx-size", "8000", CommandLineTests.question])
    #expect(
      outcome.errors.contains("--ctx-size is 8000, but the model was trained for"), "\(outcome.errors)")
  }

  @Test("finds out that its port is in use before it loads the model")
  func occupiedPort() throws {
    let served = try Served([])
    let port = try #require(served.url.port)
    let outcome = try CommandLineTests.run(["serve", "--port", "\(port)"])
    #expect(outcome.status == 1)
    #expect(outcome.errors.contains("Port \(port) of 127.0.0.1 is in use"), "\(outcome.errors)")
    #expect(!outcome.errors.contains("load"), "\(outcome.errors)")
    #expect(served.end(SIGTERM) == 0)
  }

  /// Asks for a long stream, says so when it has begun, and reads no further until its own input ends.
  private static let stalledClient = """
    import socket, sys
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536)
    client.connect(("127.0.0.1", int(sys.argv[1])))
    body = sys.argv[2].encode()
    head = "POST /v1/chat/completions HTTP/1.1\\r\\nHost: localhost\\r\\nContent-Type: application/json\\r\\n"
    client.sendall((head + f"Content-Length: {len(body)}\\r\\n\\r\\n").encode() + body)
    seen = b""
    while b'"tokens"' not in seen:
        piece = client.recv(1024)
        if not piece:
            sys.exit("the stream ended")
        seen += piece
    print("begun", flush=True)
    sys.stdin.read()
    """

  @Test(
    "finishes replies at the first signal and says so, and ends at once at the second",
    arguments: [SIGINT, SIGTERM])
  func signals(signal: Int32) throws {
    let served = try Served(["--grace", "600"])
    let port = try #require(served.url.port)
    let client = Process()
    client.executableURL = URL(filePath: "/usr/bin/env")
    let fields = #", "stream": true, "n": 8, "temperature": 3, "max_tokens": 300"#
    let explained = #", "selfcd": {"explain": true, "candidates": 20}}"#
    let body = String(Self.body("organism").dropLast()) + fields + explained
    client.arguments = ["python3", "-c", Self.stalledClient, "\(port)", body]
    let (input, output) = (Pipe(), Pipe())
    client.standardInput = input
    client.standardOutput = output
    try client.run()
    defer { client.terminate() }
    #expect(String(decoding: output.fileHandleForReading.availableData, as: UTF8.self).hasPrefix("begun"))
    kill(served.process.processIdentifier, signal)
    let note = try #require(try served.readLine { $0.contains("stopping") })
    #expect(note.hasSuffix("stopping: finishing 1 reply, a second signal stops now"), "\(note)")
    #expect(served.end(signal) == 130 && served.process.terminationReason == .exit)
  }

  @Test("ends well at the first signal where there is nothing to finish", arguments: [SIGINT, SIGTERM])
  func idleSignals(signal: Int32) throws {
    let served = try Served(["--grace", "600"])
    #expect(served.end(signal) == 0 && served.process.terminationReason == .exit)
    let note = try served.readLine { $0.contains("stopping") }
    #expect(note?.hasSuffix("note: stopping") == true)
  }

  @Test("leaves unknown fields aside unless it is strict, by option or by file")
  func strict() async throws {
    let file = FileManager.default.temporaryDirectory.appending(path: "serve-\(UUID().uuidString).json")
    defer { try? FileManager.default.removeItem(at: file) }
    try Data(#"{"strict": true}"#.utf8).write(to: file)
    let body = String(Self.body("organism").dropLast()) + #", "max_tokens": 2, "wibble": 1}"#
    for (arguments, status) in [([], 200), (["--strict"], 400), (["--config", file.path], 400)] {
      let served = try Served(arguments)
      let reply = try await served.ask(body)
      #expect(reply.status == status && reply.text.contains("wibble"), "\(arguments): \(reply.text)")
      #expect(served.end(SIGTERM) == 0)
    }
  }

  @Test("what the command line gives replaces the file's, lists too")
  func narrowing() throws {
    let path = FileManager.default.temporaryDirectory.appending(path: "serve-\(UUID().uuidString).json")
    defer { try? FileManager.default.removeItem(at: path) }
    try Data(
      #"{"allow": ["plain", "self-cd"], "port": 1, "alpha": 2, "no_explain": true, "cors_origin": null}"#.utf8
    )
    .write(to: path)
    let file = try ServeFile(path: path.path)
    #expect(
      file.arguments(besides: []) == [
        "--allow=plain", "--allow=self-cd", "--alpha=2", "--no-explain", "--port=1",
      ])
    #expect(file.arguments(besides: ["--allow", "helpful", "-p9000"]) == ["--alpha=2", "--no-explain"])
    #expect(file.arguments(besides: ["--allow=plain", "-a", "-1", "--no-explain"]) == ["--port=1"])
  }

  @Test("says what is wrong before it serves")
  func mistakes() throws {
    let cases: [([String], String)] = [
      (["--host", "0.0.0.0"], "API keys"), (["--allow", "magic"], "magic"),
      (["--alpha-range", "3"], "LOW...HIGH"),
      (["--strategy", "guarded", "--guarded-prompt", "wibble"], "wibble"), (["--lanes", "0"], "--lanes"),
      (["--memory-budget", "much"], "8G"), (["--judge", "solomon"], "solomon"),
      (["-m", "/nowhere/model.gguf"], "/nowhere/model.gguf"),
      (["--profile", "/nowhere.json"], "/nowhere.json"),
      (["--lanes", "1"], "'self-cd' needs 2 lanes, but 'organism' has 1. Serve it with --lanes 2"),
      (["--strategy", "plain", "--allow", "self-cd", "--lanes", "1"], "--lanes 2"),
      (["--lazy", "-m", "/nowhere/model.gguf"], "/nowhere/model.gguf"),
      (["--max-tokens", "5000"], "--max-tokens is 5000, more than --max-tokens-limit, which is 4096"),
      (["--memory-budget", "1K"], "more than the memory budget of 1"),
    ]
    for (arguments, expected) in cases {
      let outcome = try CommandLineTests.run(["serve", "--port", "0"] + arguments)
      #expect(outcome.status != 0)
      #expect(outcome.errors.contains(expected), "\(arguments): \(outcome.errors)")
    }
    let file = FileManager.default.temporaryDirectory.appending(path: "serve-\(UUID().uuidString).gguf")
    defer { try? FileManager.default.removeItem(at: file) }
    try Data("short\n".utf8).write(to: file)
    for (arguments, expected) in [
      (["--lazy", "-m", file.path], "cannot be loaded: "),
      (["--api-keys", file.path], "\(file.path): The API key in line 1 is too short"),
    ] {
      let outcome = try CommandLineTests.run(["serve", "--port", "0"] + arguments)
      #expect(outcome.status != 0 && outcome.errors.contains(expected), "\(arguments): \(outcome.errors)")
    }
    let keys = try CommandLineTests.run(
      ["serve", "--port", "0"], environment: ["SELFCD_API_KEYS": "secret-but-§§§§§§§§§§"])
    #expect(keys.status != 0 && !keys.errors.contains("secret"))
  }
}
