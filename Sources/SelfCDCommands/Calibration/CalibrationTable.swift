import SelfCD
import SelfCDEval
import SelfCDJudges
import SelfCDSupport

/// A calibration for a terminal: every candidate on both axes, what was chosen, and what that promises.
struct CalibrationTable {
  private let calibration: MeasuredCalibration
  private let console: Console

  init(_ calibration: MeasuredCalibration, console: Console) {
    self.calibration = calibration
    self.console = console
  }

  var text: String {
    let result = calibration.result
    // A table in which every candidate "fails" would read as "unsafe" where there is nothing to lose.
    if result.isReferenceOnly { return conclusion(result) + earlier }
    return table(
      "calibrated on", result.calibration, result.findings, ids: calibration.run.candidates.map(\.id),
      shares: result.levelShares, result)
      + (result.confirmation.isEmpty
        ? ""
        : "\n"
          + table(
            "confirmed on", result.confirmation, result.confirmed, ids: result.passed, shares: 1, result))
      + boundNote(result) + "\n" + conclusion(result) + earlier
  }

  private func table(
    _ title: String, _ counts: [String: CalibrationCounts], _ findings: [LearnThenTest.Finding],
    ids: [String], shares: Int, _ result: CalibrationStages
  ) -> String {
    let base = counts[result.reference] ?? CalibrationCounts()
    var lines = [
      [
        "\(title) \(base.harmless) harmless, \(base.harmful) harmful", "harmless unanswered, %",
        "refusals lost", "bound, %", "",
      ]
    ]
    let byID = findings.reduce(into: [:]) { $0[$1.id] = $1 }
    for id in [result.reference] + ids {
      guard let count = counts[id] else { continue }
      let finding = byID[id]
      let verdict = finding.map { self.verdict($0, count, shares: shares, result.settings) } ?? "reference"
      lines.append([
        id + (id == result.chosen ? " ←" : ""), Self.rate(count),
        "\(count.lost)/\(count.unansweredByReference)",
        finding.map { $0.bestBound < 1 ? NumberFormat.decimal(100 * $0.bestBound, 2) : "none" } ?? "–",
        verdict,
      ])
    }
    return EvaluationTable.table(lines, console: console)
  }

  /// Why a bound may be higher than a candidate's own losses explain; empty where no such bound stands in the tables.
  private func boundNote(_ result: CalibrationStages) -> String {
    guard result.settings.procedure == .fixedSequence,
      (result.findings + result.confirmed).contains(where: { $0.bestBound < 1 })
    else { return "" }
    return console.wrapped(
      "Bound: the highest so far along each strategy's path of strengths, which are tested in order and pass only "
        + "together with those before; so it may be that of a candidate further up.") + "\n"
  }

  /// Whether the bound is shown, and if not, whether for losses or for want of data.
  private func verdict(
    _ finding: LearnThenTest.Finding, _ count: CalibrationCounts, shares: Int, _ settings: CalibrationSettings
  ) -> String {
    if finding.passes { return "passes" }
    let needed = (try? settings.promptsNeeded(losses: 0, paths: shares)) ?? .max
    return count.unansweredByReference < needed ? "too few refusals to tell" : "not shown"
  }

  private static func rate(_ counts: CalibrationCounts) -> String {
    guard let rate = try? RefusalRate(refused: counts.harmlessUnanswered, of: counts.harmless) else {
      return "–"
    }
    let broken = counts.harmlessBroken > 0 ? ", \(counts.harmlessBroken) of them no reply" : ""
    return "\(EvaluationTable.percent(rate.rate)) [\(EvaluationTable.percent(rate.low)), "
      + "\(EvaluationTable.percent(rate.high))]\(broken)"
  }

  private func conclusion(_ result: CalibrationStages) -> String {
    let settings = result.settings
    let promise =
      "\(NumberFormat.share(settings.maxHarmIncrease)) at \(NumberFormat.share(settings.confidence))"
    guard let fallback = result.fallback else {
      let stage = settings.stages == .two ? result.confirmation : result.calibration
      let counts = (stage[result.reference], stage[result.chosen])
      let gain =
        counts.0.flatMap { base in
          counts.1.map { Double(base.harmlessUnanswered - $0.harmlessUnanswered) / Double(base.harmless) }
        } ?? 0
      return console.styled("\(result.chosen)", .bold)
        + ": at most \(promise) of \(result.reference)'s refusals of harmful prompts are lost, \(assumption), on prompts like "
        + "these and by the verdicts of \(calibration.run.judge.name).\nHarmless prompts unanswered, "
        + (settings.stages == .two ? "confirmed: " : "on the prompts that the choice was made on: ")
        + "\(NumberFormat.decimal(100 * gain, 1)) points fewer than \(result.reference).\n"
    }
    return refusals(result)
      + "\(console.styled(result.reference, .bold)) is kept: \(reason(fallback, result, promise))\n"
  }

  /// What the bound takes for granted of the prompts.
  private var assumption: String {
    calibration.run.split?.group.map { "for one prompt of each \(TerminalText.singleLine($0))" }
      ?? "for independent prompts"
  }

  /// Whether there are any refusals, said plainly where there are none or hardly any.
  private func refusals(_ result: CalibrationStages) -> String {
    guard let counts = result.calibration[result.reference] else { return "" }
    let found = RefusalsAtHand(counts)
    let statement: String
    switch (found.toReduce, found.toProtect) {
    case (.none, .none):
      statement = "This model refuses nothing here: there is nothing to reduce and nothing to protect."
    case (.none, .hardlyAny), (.hardlyAny, .none), (.hardlyAny, .hardlyAny):
      statement =
        "There are too few refusals here to tell a change from chance, on harmless and on harmful prompts: give more prompts."
    case (.none, .some): statement = "This model refuses no harmless prompt here: there is nothing to reduce."
    case (.hardlyAny, .some):
      statement =
        "There are too few refusals of harmless prompts here to tell a change from chance: give more prompts."
    case (.some, .none):
      statement =
        "This model refuses no harmful prompt here: there is nothing to protect, and nothing to show a bound on."
    case (.some, .hardlyAny), (.some, .some): return ""
    }
    return
      "\(statement) Under \(result.reference) \(counts.harmlessUnanswered) of \(counts.harmless) harmless prompts are "
      + "left unanswered, and \(counts.unansweredByReference) of \(counts.harmful) harmful ones are refused.\n"
  }

  private func reason(_ fallback: CalibrationStages.Fallback, _ result: CalibrationStages, _ promise: String)
    -> String
  {
    switch fallback {
    case .noGain: return "no candidate that passes answers more harmless prompts."
    case .nothingToReduce: return "no candidate can answer more harmless prompts, so none was asked."
    case .noneConfirmed:
      return "no candidate that passed did so again on the prompts held back. "
        + best(result)
    case .noneValid:
      return "for no candidate do these prompts show that it loses at most \(promise). "
        + best(result)
    case .tooFewPrompts:
      let atCalibration = !result.findings.contains(where: \.passes)
      let shares = atCalibration ? result.levelShares : 1
      let counts = (atCalibration ? result.calibration : result.confirmation)[result.reference]
      let needed = (0...2).compactMap { try? result.settings.promptsNeeded(losses: $0, paths: shares) }
      let words = ["if none of them is lost", "if one is", "if two are"]
      return
        "it refused \(counts?.unansweredByReference ?? 0) of the \(counts?.harmful ?? 0) harmful prompts to "
        + "\(atCalibration ? "calibrate" : "confirm") on, and to show \(promise) takes "
        + zip(needed, words).map { "\($0) refusals \($1)" }.joined(separator: ", ") + ". "
        + best(result)
        + (calibration.goOn.map {
          "The candidates were not asked, since none could pass; to measure them all the same: \($0)"
        }
          ?? "")
    }
  }

  /// Earlier tries on the same prompts, with what keeps the confidence over all of them.
  private var earlier: String {
    let earlier = calibration.run.earlier
    guard !earlier.isEmpty else { return "" }
    let settings = calibration.result.settings
    let shared = 1 - (1 - settings.confidence) / Double(earlier.count + 1)
    return
      "\(earlier.count == 1 ? "An earlier calibration" : "\(earlier.count) earlier calibrations") of this model used some of "
      + "these harmful prompts: \(earlier.map { TerminalText.singleLine($0.run) }.joined(separator: ", ")). The confidence is "
      + "that of a single try; over all \(earlier.count + 1) of them, \(NumberFormat.share(settings.confidence)) takes "
      + "--confidence \(NumberFormat.parameter(Float(shared))) in each.\n"
  }

  /// The smallest bound that some candidate would meet.
  private func best(_ result: CalibrationStages) -> String {
    guard let best = result.bestFinding, best.bestBound < 1 else { return "" }
    return "The best bound that these data allow is \(NumberFormat.decimal(100 * best.bestBound, 2)) % at "
      + "\(NumberFormat.share(result.settings.confidence)), for \(best.id); to promise a bound chosen after seeing this, calibrate "
      + "with it on new prompts."
  }
}

/// A calibration as `--json` prints it. Keys are part of the product's interface.
struct CalibrationRecord: Encodable {
  let run: String
  let store: String
  let chosen: String
  /// Whether a bound was shown for what was chosen.
  let calibrated: Bool
  let fallback: CalibrationStages.Fallback?
  let levelShares: Int
  let promptsNeededWithoutLoss: Int?
  let incompletePrompts: Int
  let calibration: [Row]
  let confirmation: [Row]
  let profile: CalibrationProfile

  /// One condition at one stage.
  struct Row: Encodable {
    let condition: String
    let counts: CalibrationCounts
    let pValue: Double?
    let level: Double?
    let passes: Bool?
    let bestBound: Double?
  }

  init(_ calibration: MeasuredCalibration, profile: CalibrationProfile, run: String, store: String) {
    self.run = run
    self.store = store
    self.profile = profile
    calibrated = profile.isCalibrated
    let result = calibration.result
    chosen = result.chosen
    fallback = result.fallback
    levelShares = result.levelShares
    promptsNeededWithoutLoss = try? calibration.run.settings.promptsNeeded(losses: 0, paths: levelShares)
    incompletePrompts = calibration.incomplete
    func rows(_ counts: [String: CalibrationCounts], _ findings: [LearnThenTest.Finding]) -> [Row] {
      let byID = findings.reduce(into: [:]) { $0[$1.id] = $1 }
      return ([calibration.run.reference] + findings.map(\.id)).compactMap { id -> Row? in
        counts[id].map {
          Row(
            condition: id, counts: $0, pValue: byID[id]?.pValue, level: byID[id]?.level,
            passes: byID[id]?.passes, bestBound: byID[id]?.bestBound)
        }
      }
    }
    self.calibration = rows(result.calibration, result.findings)
    confirmation = rows(result.confirmation, result.confirmed)
  }
}
