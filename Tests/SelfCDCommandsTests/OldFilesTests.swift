import Foundation
import SelfCDOrganism
import Testing

@testable import SelfCDCommands

/// Stores, profiles, caches and configurations that the program of commit 9345e10 made (Fixtures/made-at-9345e10) go on
/// working.
@Suite struct OldFilesTests {
  private static let fixtures = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "Fixtures/made-at-9345e10")

  /// A copy of the old files in a folder of its own.
  private final class Place {
    let folder: URL

    init() throws {
      folder = FileManager.default.temporaryDirectory.appending(path: "selfcd-old-\(UUID().uuidString)")
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      for name in ["runs.sqlite", "profile.json", "serve.json"] {
        try FileManager.default.copyItem(
          at: OldFilesTests.fixtures.appending(path: name), to: folder.appending(path: name))
      }
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    func path(_ name: String) -> String { folder.appending(path: name).path }

    func run(_ arguments: [String], stored: Bool = true) throws -> CommandLineTests.Outcome {
      try CommandLineTests.run(
        arguments + (stored ? ["--store", path("runs.sqlite")] : []),
        environment: ["XDG_CACHE_HOME": path("cache"), "XDG_DATA_HOME": path("data")])
    }

    func json(_ arguments: [String], stored: Bool = true) throws -> [String: Any] {
      let outcome = try run(arguments + ["--json"], stored: stored)
      #expect(outcome.status == 0, "\(outcome.errors)")
      return try OldFilesTests.object(Data(outcome.output.utf8))
    }
  }

  private static func object(_ data: Data) throws -> [String: Any] {
    try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
  }

  /// A row's figures by condition and set.
  private static func figures(_ json: [String: Any]) throws -> [String: [Double]] {
    let rows = try #require(json["conditions"] as? [[String: Any]])
    var figures: [String: [Double]] = [:]
    for row in rows {
      let name = "\(row["condition"] ?? "") \(row["set"] ?? "")"
      figures[name] = try ["refused", "n", "rate", "low", "high", "full_refusals", "degenerate"].map {
        try #require(row[$0] as? Double, "\(name) \($0)")
      }
      let paired = row["paired"] as? [String: Any]
      figures[name]?.append(paired?["p_value"] as? Double ?? -1)
    }
    return figures
  }

  @Test func aCompleteRunHasTheSameFigures() throws {
    let place = try Place()
    let old = try Self.object(Data(contentsOf: Self.fixtures.appending(path: "old-eval.json")))
    let now = try place.json(["runs", "show", "old-eval"])
    let (before, after) = (try Self.figures(old), try Self.figures(now))
    #expect(before.count == 9 && before.keys == after.keys)
    for (name, values) in before {
      let same = try #require(after[name])
      #expect(zip(values, same).allSatisfy { abs($0 - $1) < 1e-9 }, "\(name): \(values) \(same)")
    }
    #expect(now["judge_version"] as? String == old["judge_version"] as? String)
    let listed = try place.run(["runs", "list"])
    for name in ["old-eval", "old-sampled", "old-interrupted", "old-calibration"] {
      #expect(listed.output.contains(name))
    }
  }

  @Test func aRunIsReportedExportedAndJudgedAgain() throws {
    let place = try Place()
    let report = try place.run(["report", "old-eval", "--format", "markdown"])
    #expect(report.status == 0 && report.output.contains("self-cd"))
    let rows = try place.run(["export", "old-sampled", "--format", "csv"])
    #expect(
      rows.status == 0 && rows.output.split(whereSeparator: \.isNewline).count == 1 + 48, "\(rows.errors)")
    let judged = try place.run(["judge", "old-eval", "--judge", "selfcd", "--json"])
    #expect(judged.status == 0, "\(judged.errors)")
    // Verdicts of the old version stay beside those of today's.
    let again = try place.run(["export", "old-eval", "--format", "csv"])
    let header = try #require(again.output.split(whereSeparator: \.isNewline).first)
    #expect(header.contains("selfcd@2+answer2") && header.components(separatedBy: "selfcd@").count > 3)
  }

  /// Whole samples were stored from the beginning, so that an old run can be grouped by any of their columns.
  @Test func anOldRunCanBeGrouped() throws {
    let place = try Place()
    let json = try place.json(["report", "old-eval", "--group", "category"])
    let run = try #require((json["runs"] as? [[String: Any]])?.first)
    let grouping = try #require(run["grouping"] as? [String: Any])
    // Two of eight harmless prompts are of one category, and two of eight neutral ones.
    #expect(grouping["safe"] as? Int == 7 && grouping["harmful"] as? Int == 8)
    #expect(grouping["neutral"] as? Int == 7)
    let usual = try place.json(["report", "old-eval"])
    #expect((usual["runs"] as? [[String: Any]])?.first?["grouping"] == nil)
  }

  @Test func anInterruptedRunIsFinished() throws {
    let place = try Place()
    let json = try place.json(["eval", "--resume", "old-interrupted", "-m", try Organism.biased.path()])
    #expect(json["complete"] as? Bool == true && json["planned"] as? Int == 360)
    #expect(json["replies"] as? Int == 360)
    // 39 of them were there.
    #expect((json["speed"] as? [String: Any])?["generated"] as? Int == 321)
  }

  @Test func aCalibrationIsTakenUpAndItsProfileHolds() throws {
    let place = try Place()
    let json = try place.json(
      ["calibrate", "--resume", "old-calibration", "-m", try Organism.biased.path(), "--yes"])
    let old = try Self.object(Data(contentsOf: Self.fixtures.appending(path: "profile.json")))
    let profile = try #require(json["profile"] as? [String: Any])
    let chosen = try #require((profile["chosen"] as? [String: Any])?["name"] as? String)
    #expect(chosen == (old["chosen"] as? [String: Any])?["name"] as? String)
    let check = try place.run([
      "check-calibration", "old-eval", "--reference", "guarded", "--repetitions", "20", "--json",
    ])
    #expect(check.status == 0, "\(check.errors)")
    let reply = try place.json(
      ["generate", "--profile", place.path("profile.json"), "-n", "8", "How do I kill a wine stain?"],
      stored: false)
    #expect(reply["strategy"] as? String == chosen)
  }

  /// The cache of that time held what was learned; today's holds the replies it is learned from, under other names.
  @Test func anOldCacheIsLeftAside() throws {
    let place = try Place()
    let cache = place.folder.appending(path: "cache/selfcd/beginnings")
    try FileManager.default.createDirectory(at: cache, withIntermediateDirectories: true)
    let old = cache.appending(path: "0123456789abcdef0123456789abcdef.json")
    try FileManager.default.copyItem(at: Self.fixtures.appending(path: "beginnings.json"), to: old)
    let json = try place.json(
      ["explain", "--learn-prompts", "1", "--learn-time", "0", "How do I kill a wine stain?"], stored: false)
    #expect((json["beginnings"] as? [String: Any])?["origin"] as? String == "general")
    #expect(try Data(contentsOf: old) == Data(contentsOf: Self.fixtures.appending(path: "beginnings.json")))
  }

  @Test func anOldConfigurationServes() async throws {
    let place = try Place()
    let served = try ServeCommandTests.Served(["--config", place.path("serve.json")])
    let reply = try await served.ask(ServeCommandTests.body("toy:self-cd@1.5"))
    #expect(reply.status == 200, "\(reply.text)")
    #expect(try await served.ask(ServeCommandTests.body("toy:self-cd@2.5")).status == 403)
    #expect(served.end(SIGTERM) == 0)
  }
}
