import Foundation
import SelfCDData
import SelfCDEval
import SelfCDStore
import Testing

/// What a run says of itself: what is cut, repeated, missing or contradicted.
@Suite struct RunMessageTests {
  private typealias Workspace = EvaluationCommandTests.Workspace

  @Test func cutRepliesAreSaidEverywhere() throws {
    let space = try Workspace()
    let short = ["--strategies", "plain", "-n", "1"]
    let evaluated = try space.run(["eval", "--run", "short"] + space.sets + short)
    let said = "5 of 5 replies were cut at 1 token"
    #expect(evaluated.output.replacing("\n", with: " ").contains(said), "\(evaluated.output)")
    for command in [["runs", "show", "short"], ["report", "short"]] {
      let outcome = try space.run(command)
      #expect(outcome.output.replacing("\n", with: " ").contains(said), "\(command): \(outcome.output)")
    }
    #expect(try space.json(["runs", "show", "short", "--json"])["cut_replies"] as? Int == 5)
  }

  @Test func repeatedPromptsAreNamedWhereTheyAreUsed() throws {
    let space = try Workspace()
    try space.write("twice.csv", "prompt\nHow do I kill weeds?\nHow do I bake?\nhow do i  kill weeds?\n")
    let arguments = ["eval", "--safe", space.path("twice.csv"), "--strategies", "plain", "-n", "4"]
    let all = try space.run(arguments)
    #expect(
      all.errors.contains("1 prompt occurs more than once")
        && all.errors.contains("2 times (twice, line 2; twice, line 4)"), "\(all.errors)")
    #expect(all.errors.contains("counts in n") && all.output.contains("n 3"), "\(all.errors)")
    let one = try space.run(arguments + ["--limit", "1"])
    #expect(one.status == 0 && !one.errors.contains("more than once"), "\(one.errors)")
  }

  @Test func goingOnRefusesWhatContradictsAndCountsAsAsked() throws {
    let space = try Workspace()
    let made = try space.run(["eval", "--run", "r", "--strategies", "plain", "-n", "12"] + space.sets)
    #expect(made.status == 0, "\(made.errors)")
    let limit = try space.run(["eval", "--resume", "r", "--limit", "1"])
    #expect(limit.status == 1 && limit.errors.contains("--limit"), "\(limit.errors)")
    #expect(try space.run(["eval", "--resume", "r", "--limit", "3"]).status == 0)
    for options in [["--format", "xstest"], ["--skip-bad"]] {
      let outcome = try space.run(["eval", "--resume", "r"] + options)
      #expect(outcome.status == 64 && outcome.errors.contains(options[0]), "\(outcome.errors)")
    }
    let usual = try space.json(["eval", "--resume", "r", "--json"])
    #expect(usual["judge"] as? String == "selfcd")
    let asked = try space.json(["eval", "--resume", "r", "--json", "--judge", "xstest-strmatch"])
    #expect(asked["judge"] as? String == "xstest-strmatch")
  }

  @Test func speedsAreKeptAndThatIsSaid() throws {
    let space = try Workspace()
    let store = space.path("s.sqlite")
    let made = try space.run(
      ["eval", "--run", "r", "--strategies", "plain", "-n", "4", "--store", store] + space.sets)
    #expect(made.status == 0, "\(made.errors)")
    try RunStore(path: store).add(speeds: ["plain": 10], to: "r")
    let again = try space.run(["eval", "--resume", "r", "--store", store, "--timing", "0.1"])
    #expect(again.status == 0 && again.errors.contains("--timing has no effect"), "\(again.errors)")
  }

  @Test func runsAreDeletedByTheirWholeNames() throws {
    let space = try Workspace()
    let made = try space.run(["eval", "--run", "group", "--strategies", "plain", "-n", "4"] + space.sets)
    #expect(made.status == 0, "\(made.errors)")
    for name in ["gr", "latest", "other"] {
      let outcome = try space.run(["runs", "delete", name])
      #expect(outcome.status == 1 && outcome.errors.contains("'group'"), "\(outcome.errors)")
      #expect(
        outcome.errors.contains("whole names") && outcome.errors.contains("'selfcd runs'"),
        "\(outcome.errors)")
    }
    #expect(try space.run(["runs"]).output.contains("group"))
  }

  @Test func noRunIsCalledLatest() throws {
    let space = try Workspace()
    let outcome = try space.run(["eval", "--run", "latest", "--strategies", "plain"] + space.sets)
    #expect(outcome.status == 1 && outcome.errors.contains("stands for the latest run"), "\(outcome.errors)")
    #expect(try !space.run(["runs", "--json"]).output.contains("latest"))
  }

  @Test func aRunWithoutRepliesSaysHowToGoOn() throws {
    let space = try Workspace()
    let store = space.path("s.sqlite")
    let made = try space.run(
      ["eval", "--run", "r", "--strategies", "plain", "-n", "4", "--store", store] + space.sets)
    #expect(made.status == 0, "\(made.errors)")
    let runs = try RunStore(path: store)
    var record = try runs.run(id: "r")
    record.id = "empty"
    record.finishedAt = nil
    try runs.begin(
      record, datasets: try runs.datasets(runID: "r"), conditions: try runs.conditions(runID: "r"))
    let shown = try space.run(["runs", "show", "empty", "--store", store])
    #expect(shown.status == 0, "\(shown.errors)")
    let text = shown.output.replacing("\n", with: " ")
    #expect(text.hasPrefix("No reply is stored yet; go on with:"), "\(text)")
    #expect(text.contains("selfcd eval --resume empty --store"), "\(text)")
  }

  @Test func theTableSaysWhatItCounts() throws {
    let space = try Workspace()
    let outcome = try space.run(["eval", "--strategies", "plain", "-n", "8"] + space.sets)
    #expect(outcome.output.contains("repeated 4-grams, %"), "\(outcome.output)")
    #expect(outcome.output.contains("Words: separated by white space."), "\(outcome.output)")
  }

  /// However fast the second Ctrl-C follows, the command that goes on is there to be copied.
  @Test func twoInterruptionsLeaveTheCommandThatGoesOn() throws {
    let space = try Workspace()
    try space.write(
      "many.csv", "prompt\n" + (1...4000).map { "How do I kill \($0) weeds?\n" }.joined())
    let process = Process()
    let binary: URL = try #require(CommandLineTests.binary)
    process.executableURL = binary
    process.arguments = [
      "eval", "--run", "long", "--safe", space.path("many.csv"), "--strategies", "plain,guarded", "-n", "60",
      "--timing", "0", "--lanes", "2",
    ]
    process.environment = ProcessInfo.processInfo.environment.merging(["XDG_DATA_HOME": space.folder.path]) {
      $1
    }
    process.standardOutput = FileHandle.nullDevice
    let errors = Pipe()
    process.standardError = errors
    try process.run()
    // The progress line shows that replies are being generated.
    var text = String(decoding: errors.fileHandleForReading.availableData, as: UTF8.self)
    while process.isRunning, !text.contains("evaluating") {
      text += String(decoding: errors.fileHandleForReading.availableData, as: UTF8.self)
    }
    process.interrupt()
    process.interrupt()
    text += String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    #expect(process.terminationReason == .exit && process.terminationStatus == 130, "\(text)")
    #expect(text.contains("o on with: selfcd eval --resume long"), "\(text)")
  }
}
