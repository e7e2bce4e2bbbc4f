import Foundation
import Testing

/// `Scripts/commit`, which says what `selfcd --version` names.
@Suite struct CommitScriptTests {
  /// A folder with the script and the attributes that `git archive` reads.
  private final class Sources {
    let root: URL
    var sources: URL { root.appending(path: "sources") }

    init() throws {
      root = FileManager.default.temporaryDirectory.resolvingSymlinksInPath()
        .appending(path: "selfcd-commit-\(UUID().uuidString)")
      try FileManager.default.createDirectory(
        at: sources.appending(path: "Scripts"), withIntermediateDirectories: true)
      for file in [".gitattributes", "Scripts/commit"] {
        try FileManager.default.copyItem(
          at: Manifest.root.appending(path: file), to: sources.appending(path: file))
      }
      // In an archive of this repository the script names its commit already: what stands in a checkout is wanted.
      let script = sources.appending(path: "Scripts/commit")
      let text = try String(contentsOf: script, encoding: .utf8)
        .replacing(#/archived='.*'/#, with: "archived='$Format:%h$'")
      try text.write(to: script, atomically: false, encoding: .utf8)
    }

    deinit { try? FileManager.default.removeItem(at: root) }

    /// What a command in `folder` prints, without the line's end.
    func run(_ command: String, in folder: URL, commit: String? = nil) throws -> String {
      let process = Process()
      process.executableURL = URL(filePath: "/usr/bin/env")
      process.arguments = ["bash", "-eu", "-o", "pipefail", "-c", command]
      process.currentDirectoryURL = folder
      // Without the variables of a git that runs these tests, as in a hook.
      process.environment = ProcessInfo.processInfo.environment
        .filter { !$0.key.hasPrefix("GIT_") && $0.key != "SELFCD_COMMIT" }
        .merging(commit.map { ["SELFCD_COMMIT": $0] } ?? [:]) { $1 }
      let output = Pipe()
      process.standardOutput = output
      try process.run()
      let data = try output.fileHandleForReading.readToEnd() ?? Data()
      process.waitUntilExit()
      #expect(process.terminationStatus == 0, "\(command)")
      return String(decoding: data, as: UTF8.self).trimmingCharacters(in: .newlines)
    }

    /// Makes a checkout of `folder`, with one commit of all that is in it.
    func commitAll(in folder: URL) throws -> String {
      let who = "-c user.name=T -c user.email=t@example.org -c commit.gpgsign=false"
      return try run(
        "git init -q && git add -A && git \(who) commit -q -m one && git rev-parse HEAD", in: folder)
    }
  }

  @Test func aCheckoutHasItsCommitAndSaysWhatChanged() throws {
    let space = try Sources()
    let commit = try space.commitAll(in: space.sources)
    // What the environment says may be of an earlier commit.
    let clean = try space.run("Scripts/commit", in: space.sources, commit: "earlier")
    #expect(clean.count == 12 && commit.hasPrefix(clean))
    let dirty = try space.run("echo '#' >> Scripts/commit; Scripts/commit", in: space.sources)
    #expect(dirty == clean + "-dirty")
  }

  @Test func anArchiveHasTheCommitThatItWasMadeOf() throws {
    let space = try Sources()
    let commit = try space.commitAll(in: space.sources)
    // Unpacked in the checkout of something else, whose commit it must not take.
    let other = space.root.appending(path: "other")
    try FileManager.default.createDirectory(at: other, withIntermediateDirectories: true)
    try Data("x".utf8).write(to: other.appending(path: "file"))
    let foreign = try space.commitAll(in: other)
    let shown = try space.run(
      "git -C ../sources archive --prefix inside/ HEAD | tar -x && inside/Scripts/commit", in: other)
    #expect(shown.count >= 7 && commit.hasPrefix(shown) && !foreign.hasPrefix(shown))
    #expect(try space.run("inside/Scripts/commit", in: other, commit: "told-by-hand") == "told-by-hand")
  }

  @Test func sourcesWithoutGitSayNothing() throws {
    let space = try Sources()
    #expect(try space.run("Scripts/commit", in: space.sources) == "")
    #expect(try space.run("Scripts/commit", in: space.sources, commit: "1a2b3c") == "1a2b3c")
  }
}
