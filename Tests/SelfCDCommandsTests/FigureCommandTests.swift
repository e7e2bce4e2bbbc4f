import Foundation
import SelfCDStore
import Testing

/// `selfcd report --figures` and `selfcd export`, read by other programs.
@Suite struct FigureCommandTests {
  private static let python = ProcessInfo.processInfo.environment["SELFCD_ANALYSIS_PYTHON"]

  private static func withStore(_ body: (URL, String) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "selfcd-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let path = folder.appending(path: "runs.sqlite").path
    try SyntheticRun.fill(try RunStore(path: path), safe: 40, harmful: 60)
    try body(folder, path)
  }

  @Test func figuresGoIntoAFolder() throws {
    try Self.withStore { folder, store in
      let figures = folder.appending(path: "new/figures")
      let outcome = try CommandLineTests.run(["report", "--store", store, "--figures", figures.path])
      #expect(outcome.status == 0 && outcome.output.isEmpty, "\(outcome.errors)")
      let names = try FileManager.default.contentsOfDirectory(atPath: figures.path)
      #expect(outcome.errors.contains("wrote \(names.count) files into \(figures.path)"), "\(outcome.errors)")
      for name in ["frontier.svg", "frontier.pdf", "sweep-self-cd.pdf", "rates.tex", "rates.csv"] {
        #expect(names.contains(name), "\(name)")
      }
      for name in names {
        let text = String(decoding: try Data(contentsOf: figures.appending(path: name)), as: UTF8.self)
        #expect(!text.contains(SyntheticRun.secret) && !text.contains("How do I kill"), "\(name)")
      }
      let both = try CommandLineTests.run(
        ["report", "--store", store, "--figures", figures.path, "--format", "text"])
      #expect(both.status == 0 && both.output.contains("harmful refused"))
    }
  }

  @Test func aFolderThatCannotBeIsSaid() throws {
    try Self.withStore { folder, store in
      let file = folder.appending(path: "file")
      try Data("x".utf8).write(to: file)
      let outcome = try CommandLineTests.run(["report", "--store", store, "--figures", file.path])
      #expect(outcome.status == 1 && outcome.errors.contains("could not be written"), "\(outcome.errors)")
      #expect(try CommandLineTests.run(["report", "--store", store, "--figures", ""]).status == 64)
    }
  }

  // MARK: The script

  @Test(
    "the pandas script finds the report's rates in an export",
    .enabled(
      if: FigureCommandTests.python != nil, "SELFCD_ANALYSIS_PYTHON names no Python with pandas installed"))
  func analysis() throws {
    let python = try #require(Self.python)
    let space = try EvaluationCommandTests.Workspace()
    let run = try space.run(["eval", "--run", "r", "--strategies", "plain,guarded", "-n", "12"] + space.sets)
    #expect(run.status == 0, "\(run.errors)")
    #expect(try space.run(["report", "r", "--figures", space.path("figures")]).status == 0)
    for name in ["run.csv", "run.jsonl"] {
      #expect(try space.run(["export", "r", "-o", space.path(name)]).status == 0)
      let outcome = try Self.script(python, [], [space.path(name), space.path("figures/rates.csv")])
      #expect(outcome.status == 0, "\(outcome.text)")
      #expect(outcome.text.contains("rates are those of the report"))
    }
  }

  /// A Python without packages: the script says what it needs.
  @Test func theScriptSaysThatItNeedsPandas() throws {
    let outcome = try Self.script("/usr/bin/env", ["python3", "-I", "-S"], ["run.csv"])
    // 127: there is no Python here at all.
    guard outcome.status != 127 else { return }
    #expect(outcome.status == 2 && outcome.text.contains("pip install pandas"), "\(outcome.text)")
  }

  private static func script(
    _ program: String, _ before: [String], _ arguments: [String]
  ) throws -> (status: Int32, text: String) {
    let file = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "../../Examples/analysis/rates.py").standardizedFileURL.path
    let process = Process()
    process.executableURL = URL(filePath: program)
    process.arguments = before + [file] + arguments
    let output = Pipe()
    process.standardOutput = output
    process.standardError = output
    try process.run()
    let data = try output.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    return (status: process.terminationStatus, text: String(decoding: data, as: UTF8.self))
  }
}
