import Foundation
import SelfCDEval
import Testing

@testable import SelfCDCommands

/// `selfcd tune`, as a user runs it, on the embedded model.
@Suite struct TuneCommandTests {
  typealias Workspace = EvaluationCommandTests.Workspace

  /// 12 harmful prompts in each part show 22.1 % at 95 % without a loss (SciPy: `beta.isf(0.05, 1, 12)`).
  static let quick = files + ["--limit", "24", "-n", "24", "--judge", "xstest-strmatch"]
  static let files = [
    "--safe", CalibrateCommandTests.heldout.appending(path: "safe.jsonl").path,
    "--harmful", CalibrateCommandTests.heldout.appending(path: "harmful.jsonl").path,
  ]
  static let bound = ["--reference", "guarded", "--max-harm-increase", "0.3"]
  /// Replies that do not depend on which others share their batch.
  static let exact = ["--cache-type-k", "f32", "--cache-type-v", "f32", "--step-mode", "separate"]

  private static func object(_ value: Any?) throws -> [String: Any] { try #require(value as? [String: Any]) }

  private static func json(_ value: [[String: Any]]) throws -> String {
    let data = try JSONSerialization.data(withJSONObject: value, options: [.sortedKeys])
    return String(decoding: data, as: UTF8.self)
  }

  /// Without the line breaks of the layout.
  private static func prose(_ text: String) -> String {
    text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
  }

  @Test func aTuningIsTheCalibrationOfItsCandidates() throws {
    let space = try Workspace()
    let file = space.path("tuned.profile.json")
    let arguments = ["tune"] + Self.quick + Self.bound + Self.exact + ["-o", file]
    let first = try space.json(arguments + ["--json", "--budget", "1h"])
    let decision = try Self.object(first["decision"])
    let candidates = try #require(decision["candidates"] as? [String])
    #expect(candidates.count == 11 && (decision["left_out"] as? [String])?.isEmpty == true)
    let toReduce = try #require(first["to_reduce"] as? String)
    #expect(toReduce == "hardly_any" || toReduce == "some")
    #expect(first["to_protect"] as? String == "some" && first["profile_file"] as? String == file)
    #expect(first["serve"] as? String == "selfcd serve -m organism --profile \(file)")

    // The same test on the same prompts, under calibrate's own name.
    let other = try Workspace()
    let again = other.path("calibrated.json")
    let alphas = candidates.map { String($0.dropFirst("self-cd@".count)) }.joined(separator: ",")
    let calibrated = try other.json(
      ["calibrate"] + Self.quick + Self.bound + Self.exact + ["--alpha", alphas, "-o", again, "--json"])
    let tuned = try CalibrationProfile.read(path: file)
    var expected = try CalibrationProfile.read(path: again)
    expected.createdAt = tuned.createdAt
    #expect(tuned == expected)
    #expect(tuned.isCalibrated && tuned.candidates == candidates)
    let inner = try Self.object(first["calibration"])
    for part in ["calibration", "confirmation"] {
      let rows = try #require(inner[part] as? [[String: Any]])
      let own = try #require(calibrated[part] as? [[String: Any]])
      #expect(try Self.json(rows) == Self.json(own), "\(part)")
      #expect(!rows.contains { $0["condition"] as? String == "plain" }, "the base rate is no candidate")
    }

    // Base rates are those of the reference and of what is measured beside it.
    let rates = try #require(first["base_rates"] as? [[String: Any]])
    #expect(rates.map { $0["condition"] as? String } == ["guarded", "plain"])
    let counts = try Self.object(rates[0]["counts"])
    #expect(counts["harmless"] as? Int == 12 && counts["harmful"] as? Int == 12)
    #expect(counts["harmless_refused"] as? Int == tuned.calibration.reference.harmlessRefused)
    let page = try String(contentsOfFile: space.path("tuned.html"), encoding: .utf8)
    #expect(page.contains("Made by selfcd tune") && page.contains("tuned.profile.json"))

    // Started again, nothing is generated, and the text says the same.
    let before = try space.run(["runs"]).output
    let text = try space.run(arguments)
    #expect(text.status == 0 && text.errors.contains("is of the same tuning; it goes on"), "\(text.errors)")
    #expect(try space.run(["runs"]).output == before)
    let counted = try #require(before.firstMatch(of: /(\d+)\/(\d+)/))
    #expect(counted.1 == counted.2, "\(before)")
    let chosen = try #require(inner["chosen"] as? String)
    #expect(text.output.contains("to reduce: guarded leaves"), "\(text.output)")
    #expect(text.output.contains("guarded (today)") && text.output.contains("\(chosen) ←"))
    #expect(text.output.hasSuffix("To serve it:\n  selfcd serve -m organism --profile \(file)\n"))
    // What was decided for one time is not decided again for another.
    let shorter = try space.run(arguments + ["--budget", "10m"])
    #expect(shorter.status == 1 && shorter.errors.contains("chose its candidates for"), "\(shorter.errors)")
    let run = try #require(inner["run"] as? String)
    let taken = try space.run(arguments + ["--run", run, "--seed", "5"])
    #expect(taken.status == 1 && taken.errors.contains("other prompts or other settings"), "\(taken.errors)")
    let resumed = try space.run(["calibrate", "--resume", run])
    #expect(resumed.status == 1 && resumed.errors.contains("begun by 'selfcd tune'"), "\(resumed.errors)")
  }

  @Test func nothingToReduceEndsAfterTheBaseRates() throws {
    let space = try Workspace()
    let questions = [
      "How do I bake bread?", "How do I grow tomatoes?", "How do I clean a window?", "How do I dry a coat?",
    ]
    try space.write("a.csv", "prompt\n" + questions.map { "\($0)\n" }.joined())
    try space.write(
      "b.csv", "prompt\n" + questions.map { "\($0.replacing("How do I", with: "How can I"))\n" }.joined())
    let file = space.path("p.json")
    let arguments = [
      "tune", "--safe", space.path("a.csv"), "--harmful", space.path("b.csv"), "-n", "24",
      "--max-harm-increase", "0.9", "--confidence", "0.6", "-o", file, "--html", space.path("q.html"),
    ]
    let outcome = try space.run(arguments)
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(
      outcome.output.contains(
        "This model refuses nothing here: there is nothing to reduce and nothing to protect."))
    #expect(outcome.output.contains("plain is kept") && !outcome.output.contains("self-cd@"))
    // Two prompts of each class to calibrate on, under plain and guarded.
    let runs = try space.run(["runs"]).output
    #expect(runs.contains(" 8/8"), "\(runs)")
    let profile = try CalibrationProfile.read(path: file)
    #expect(profile.fallback == .nothingToReduce && profile.candidates.isEmpty && !profile.isCalibrated)
    #expect(FileManager.default.fileExists(atPath: space.path("q.html")))
    let record = try space.json(arguments + ["--json"])
    #expect(record["to_reduce"] as? String == "none" && record["to_protect"] as? String == "none")
    #expect(record["decision"] == nil)
  }

  /// A time in which not even one candidate fits ends after the first replies, and more time goes on with them.
  @Test func aBudgetThatIsTooSmallSaysWhatIsNeeded() throws {
    let space = try Workspace()
    let file = space.path("p.json")
    let arguments =
      ["tune"] + Self.files + ["--limit", "8", "-n", "8", "--judge", "xstest-strmatch"]
      + ["--reference", "guarded", "--max-harm-increase", "0.6", "--run", "small", "-o", file]
    let outcome = try space.run(arguments + ["--budget", "0.001s"])
    #expect(outcome.status == 1 && outcome.output.isEmpty, "\(outcome.output)")
    #expect(outcome.errors.contains("are too short") && outcome.errors.contains("--budget 1m or more"))
    #expect(!FileManager.default.fileExists(atPath: file))
    let more = try space.run(arguments + ["--budget", "1h"])
    #expect(more.status == 0 && more.errors.contains("'small' is of the same tuning"), "\(more.errors)")
    #expect(FileManager.default.fileExists(atPath: file))
  }

  /// Killed at any moment, a tuning goes on when the same command is given, and chooses what an undisturbed one does.
  @Test func aKilledTuningGoesOn() throws {
    let space = try Workspace()
    let arguments =
      ["tune"] + Self.files + ["--limit", "16", "-n", "24", "--judge", "xstest-strmatch"] + Self.exact
      + ["--reference", "guarded", "--max-harm-increase", "0.4", "--group", "pair", "--seed", "3"]
      + ["--run", "cut"]
    let undisturbed = try Workspace()
    let whole = try Self.object(
      undisturbed.json(arguments + ["-o", undisturbed.path("p.json"), "--json"])["calibration"])
    let process = Process()
    let binary: URL = try #require(CommandLineTests.binary)
    process.executableURL = binary
    process.arguments = arguments + ["-o", space.path("p.json")]
    process.environment = ProcessInfo.processInfo.environment.merging(
      ["XDG_DATA_HOME": space.folder.path]) { $1 }
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.run()
    // Until something is stored.
    while process.isRunning, try !space.run(["runs"]).output.contains(/cut[^\n]* [1-9]\d*\//) {}
    if process.isRunning { kill(process.processIdentifier, SIGKILL) }
    process.waitUntilExit()
    let resumed = try Self.object(
      space.json(arguments + ["-o", space.path("p.json"), "--json"])["calibration"])
    #expect(resumed["chosen"] as? String == whole["chosen"] as? String)
    let profile = try CalibrationProfile.read(path: space.path("p.json"))
    #expect(profile.split == .init(seed: 3, confirmFraction: 0.5, group: "pair"))
  }

  @Test func aDryRunStoresNothing() throws {
    let space = try Workspace()
    let arguments = ["tune"] + Self.quick + Self.bound + ["--dry-run"]
    let outcome = try space.run(arguments)
    #expect(outcome.status == 0, "\(outcome.errors)")
    let text = Self.prose(outcome.output)
    for words in [
      "reference: guarded", "22.09 %", "The bound asked for can be shown",
      "First the base rates: guarded and plain", "All 11 candidates fit into 20 min",
      "in this order, whatever their outcomes: self-cd@1.5, self-cd@0.75, self-cd@2.25, self-cd@0.25,",
    ] { #expect(text.contains(words), "\(words) is missing: \(text)") }
    #expect(!FileManager.default.fileExists(atPath: space.path("selfcd/runs.sqlite")))
    let record = try space.json(arguments + ["--json", "--budget", "0.001s", "--group", "pair"])
    let decision = try Self.object(record["decision"])
    #expect((decision["candidates"] as? [String])?.isEmpty == true)
    #expect((decision["left_out"] as? [String])?.count == 11)
    #expect((decision["seconds_for_all"] as? Double).map { $0 > 0 } == true)
    let plan = try Self.object(record["plan"])
    #expect(plan["reachable"] as? Bool == true)
    // Where the bound cannot be shown, the plan says so, and nothing begins without --yes.
    let strict = try space.run(["tune"] + Self.quick + ["--reference", "guarded"])
    #expect(strict.status == 1 && strict.output.isEmpty && strict.errors.contains("--max-harm-increase"))
  }

  @Test func wrongUseSaysWhatToDo() throws {
    let space = try Workspace()
    let cases: [([String], Int32, String)] = [
      (["--budget", "20"], 64, "--budget"), (["--budget", "0s"], 64, "--budget"),
      (["--reference", "self-cd"], 64, "must be plain or guarded"),
      (["--dry-run", "--yes"], 64, "not both"), (["--max-harm-increase", "1"], 64, "between 0 and 1"),
      (["-o", "/nonexistent/p.json"], 64, "cannot be written"),
      (["--html", "/nonexistent/p.html"], 64, "cannot be written"),
      (["--group", "pair"], 1, "no column 'pair'"),
    ]
    for (arguments, status, mentions) in cases {
      let outcome = try space.run(["tune"] + space.sets + arguments)
      #expect(
        outcome.status == status && outcome.errors.contains(mentions), "\(arguments): \(outcome.errors)")
      #expect(outcome.output.isEmpty, "\(arguments)")
    }
  }

  @Test(
    arguments: [
      ("90s", 90), ("20m", 1200), ("1h30m", 5400), ("1.5H", 5400), ("2d", 172_800), ("20", nil), ("m", nil),
      ("", nil), ("0s", nil), ("-5m", nil), ("20min", nil), ("1e3s", nil), ("9999999h", nil),
    ] as [(String, Double?)])
  func budgetsHaveUnits(text: String, seconds: Double?) {
    #expect(TimeBudget(argument: text)?.seconds == seconds)
  }

  @Test(
    arguments: [
      ("a/p.json", "a/p.html"), ("t.profile.json", "t.html"), ("p", "p.html"), (".json", ".json.html"),
    ])
  func thePageStandsBesideTheProfile(profile: String, page: String) {
    #expect(TuneCommand.pagePath(beside: profile) == page)
  }
}
