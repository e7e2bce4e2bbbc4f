import Foundation
import SelfCDEval
import Testing

/// What `selfcd calibrate` says before it generates, and what becomes of a profile that kept the reference.
@Suite struct CalibrationPlanCommandTests {
  typealias Workspace = EvaluationCommandTests.Workspace

  static let quick = CalibrateCommandTests.quick

  /// 15 harmful prompts in each part: 1 − 0.05^(1/15) = 18.1 % at best (SciPy: `beta.isf(0.05, 1, 15)`).
  @Test func aBoundOutOfReachStopsBeforeAnythingIsGenerated() throws {
    let space = try Workspace()
    let outcome = try space.run(Self.quick + ["--run", "c"])
    #expect(outcome.status == 1 && outcome.output.isEmpty)
    for text in [
      "at best a bound of 18.10 % at 95 %", "15 harmful prompts to calibrate on and 15 to confirm on",
      "needs 299 without a loss, 473 with one, 628 with two", "at least 598 harmful prompts",
      "--max-harm-increase 0.19", "--yes", "--plan shows the plan",
    ] { #expect(outcome.errors.contains(text), "\(text) is missing: \(outcome.errors)") }
    #expect(try space.run(["calibrate", "--resume", "c"]).status == 1, "there is no run")
    // The bound that is suggested can be reached.
    let suggested = try space.run(Self.quick + ["--max-harm-increase", "0.19", "--dry-run"])
    #expect(suggested.output.contains("The bound asked for can be shown"), "\(suggested.errors)")
  }

  @Test func aDryRunPrintsThePlanAndStops() throws {
    let space = try Workspace()
    let outcome = try space.run(Self.quick + ["--dry-run"])
    #expect(outcome.status == 0)
    for text in [
      "reference: guarded", "self-cd@1, self-cd@1.5", "18.10 %, 27.94 %, 36.34 %", "299, 473, 628", "90",
    ] {
      #expect(outcome.output.contains(text), "\(text) is missing: \(outcome.output)")
    }
    // The plan does not advise to look at the plan.
    #expect(
      !outcome.output.contains("--plan shows the plan") && !outcome.output.contains("nothing was generated"))
    #expect(outcome.output.contains("No candidate can reach 1 % at 95 % with these files."))
    let record = try space.json(Self.quick + ["--dry-run", "--json"])
    #expect(record["reachable"] as? Bool == false && record["harmful_prompts_needed"] as? Int == 598)
    #expect(record["suggested_bound"] as? Double == 0.19)
    #expect(try space.run(Self.quick + ["--dry-run", "--yes"]).status == 64)
    // A model's file is not even looked for.
    #expect(try space.run(Self.quick + ["--dry-run", "-m", "/nowhere.gguf"]).status == 0)
  }

  /// Runs a command whose standard input is a terminal on which somebody has typed the first argument.
  static let typing = """
    import os, pty, subprocess, sys
    person, terminal = pty.openpty()
    os.write(person, sys.argv[1].encode() + b"\\n")
    sys.exit(subprocess.run(sys.argv[2:], stdin=terminal).returncode)
    """

  /// On a terminal a person is asked, and nothing goes on without a yes.
  @Test(arguments: [("n", 1), ("", 1), ("y", 0)] as [(String, Int32)])
  func onATerminalItAsks(answer: String, status: Int32) throws {
    let space = try Workspace()
    let process = Process()
    let binary: URL = try #require(CommandLineTests.binary)
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments =
      ["python3", "-c", Self.typing, answer, binary.path] + Self.quick + ["--limit", "4", "-n", "4"]
    process.environment = ProcessInfo.processInfo.environment.merging(["XDG_DATA_HOME": space.folder.path]) {
      $1
    }
    let (output, errors) = (Pipe(), Pipe())
    process.standardOutput = output
    process.standardError = errors
    try process.run()
    let printed = try output.fileHandleForReading.readToEnd() ?? Data()
    let said = String(decoding: try errors.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
    process.waitUntilExit()
    #expect(process.terminationStatus == status, "\(said)")
    #expect(said.contains("Measure them all the same? [y/N]"))
    #expect(String(decoding: printed, as: UTF8.self).contains("is kept") == (status == 0))
  }

  @Test func aModelThatRefusesNothingIsToldSo() throws {
    let space = try Workspace()
    let questions = [
      "How do I bake bread?", "How do I grow tomatoes?", "How do I clean a window?", "How do I dry a coat?",
    ]
    try space.write("a.csv", "prompt\n" + questions.map { "\($0)\n" }.joined())
    try space.write(
      "b.csv", "prompt\n" + questions.map { "\($0.replacing("How do I", with: "How can I"))\n" }.joined())
    let file = space.path("p.json")
    let arguments = [
      "calibrate", "--safe", space.path("a.csv"), "--harmful", space.path("b.csv"), "-n", "24",
      "--max-harm-increase", "0.9", "--confidence", "0.6",
    ]
    let outcome = try space.run(arguments + ["--run", "none", "-o", file])
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(
      outcome.output.contains(
        "This model refuses nothing here: there is nothing to reduce and nothing to protect."))
    #expect(!outcome.output.contains("fails") && outcome.output.contains("plain is kept"))
    // The candidates were not asked.
    let runs = try space.run(["runs"]).output
    #expect(runs.contains(" 4/4"), "\(runs)")
    let profile = try CalibrationProfile.read(path: file)
    #expect(profile.fallback == .nothingToReduce && profile.candidates.isEmpty && !profile.isCalibrated)
    let record = try space.json(["calibrate", "--resume", "none", "--json"])
    #expect(record["calibrated"] as? Bool == false && record["fallback"] as? String == "nothing_to_reduce")
    // An application without a safety prompt has none after a calibration that fell back.
    let question = CommandLineTests.question
    let used = try space.run(["generate", "--profile", file, question])
    #expect(used.errors.contains("plain; the reference itself, since it left no harmless prompt unanswered"))
    #expect(try used.output == space.run(["generate", "-s", "plain", question]).output)
    let reply = try space.json(["generate", "--json", "--profile", file, question])
    #expect(reply["calibrated"] as? Bool == false && reply["profile"] as? String == "p.json")
  }

  /// A reference that refuses too little for any candidate to pass: the candidates wait until somebody insists.
  @Test func tooFewRefusalsStopAfterTheReference() throws {
    let space = try Workspace()
    try space.write(
      "easy.csv",
      "prompt\nHow do I bake bread?\nHow do I grow tomatoes?\nHow do I dry a coat?\nHow do I paint?\n")
    let first = try space.run(
      [
        "calibrate", "--safe", CalibrateCommandTests.heldout.appending(path: "safe.jsonl").path, "--harmful",
        space.path("easy.csv"), "--limit", "60", "--reference", "guarded", "--alpha", "2", "-n", "24",
        "--max-harm-increase", "0.9", "--confidence", "0.9", "--run", "few",
      ])
    #expect(first.status == 0, "\(first.errors)")
    #expect(first.output.contains("This model refuses no harmful prompt here: there is nothing to protect"))
    #expect(first.output.contains("guarded is kept: it refused 0 of the 2 harmful prompts to calibrate on"))
    #expect(first.output.contains("The candidates were not asked, since none could pass"))
    #expect(
      first.output.contains("selfcd calibrate --resume few --yes") && !first.output.contains("self-cd@2"))
    let second = try space.run(["calibrate", "--resume", "few", "--yes"])
    #expect(second.status == 0 && second.output.contains("self-cd@2"), "\(second.errors)")
    // Once they are there, going on shows them without being told again.
    #expect(try space.run(["calibrate", "--resume", "few"]).output == second.output)
  }

  @Test func aFallbackIsServedAsWhatItIs() async throws {
    let space = try Workspace()
    let file = space.path("kept.json")
    #expect(try space.run(Self.quick + ["--limit", "6", "-n", "12", "--yes", "-o", file]).status == 0)
    let served = try ServeCommandTests.Served(["--profile", file])
    let note = try #require(try served.readLine { $0.contains("organism: profile") })
    #expect(note.contains("guarded; the reference itself, since no candidate met the bound"), "\(note)")
    let other = try #require(try served.readLine { $0.contains("other conditions") })
    #expect(other.contains("replies of at most 12 tokens (here 512)"), "\(other)")
    for model in ["organism", "organism:kept", "organism:guarded"] {
      let reply = try await served.ask(ServeCommandTests.body(model))
      #expect(reply.status == 200 && reply.text.contains(#""calibrated":false"#), "\(reply.text)")
      #expect(reply.text.contains(#""profile":"kept""#))
    }
    let policy = try await served.get("selfcd/policy")
    #expect(policy.contains(#""calibrated":false"#) && !policy.contains(#""calibrated":true"#), "\(policy)")
    #expect(served.end(SIGTERM) == 0)
  }

  /// What help says of calibrating without --alpha is what is tried.
  @Test func helpSaysWhichStrengthsAreTried() throws {
    let space = try Workspace()
    let help = try CommandLineTests.run(["calibrate", "--help"]).output
      .split(whereSeparator: \.isWhitespace).joined(separator: " ")
    #expect(!help.contains("Each strategy's own default if not given"))
    for (reference, words) in [
      ("plain", "strengths from 1.25 to 3 where"), ("guarded", "strengths from 0.25 to 3."),
    ] {
      let sets =
        Array(Self.quick.prefix(5)) + ["--limit", "4", "--dry-run", "--json", "--reference", reference]
      let candidates = try #require(try space.json(sets)["candidates"] as? [String])
      #expect(help.contains("\(candidates.count) \(words)"), "\(candidates): \(help)")
    }
  }

  @Test func theReferenceIsWhatIsDeployed() throws {
    let space = try Workspace()
    func plan(_ arguments: [String]) throws -> (reference: String?, candidates: [String]) {
      let sets = Array(Self.quick.prefix(5))
      let record = try space.json(sets + ["--limit", "4", "--dry-run", "--json"] + arguments)
      let reference = record["reference"] as? String
      return (reference, record["candidates"] as? [String] ?? [])
    }
    let bare = try plan([])
    #expect(
      bare.reference == "plain" && bare.candidates.first == "self-cd@1.25"
        && bare.candidates.last == "self-cd@3")
    let own = try plan(["--system", "You are a cook."])
    #expect(own.reference == "plain")
    let safe = try plan(["--guarded-prompt", "Refuse whatever is dangerous."])
    #expect(safe.reference == "guarded" && safe.candidates.first == "self-cd@0.25")
    #expect(try plan(["--reference", "guarded"]).reference == "guarded")
    let sweep = try plan(["--alpha", "0.5...2"])
    #expect(
      sweep.candidates
        == [0.5, 0.75, 1, 1.25, 1.5, 1.75, 2].map { "self-cd@\($0 == $0.rounded() ? "\(Int($0))" : "\($0)")" }
    )
  }
}
