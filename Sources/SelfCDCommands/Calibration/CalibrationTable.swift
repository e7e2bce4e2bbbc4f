import SelfCD
import SelfCDEval

/// A calibration for a terminal: every candidate on both axes, what was chosen, and what that promises.
struct CalibrationTable {
  private let calibration: Calibration
  private let console: Console

  init(_ calibration: Calibration, console: Console) {
    self.calibration = calibration
    self.console = console
  }

  var text: String {
    guard let result = calibration.result else { return "" }
    return table(
      "calibrated on", result.calibration, result.findings, ids: calibration.candidates.map(\.id), result)
      + (result.confirmation.isEmpty
        ? ""
        : "\n" + table("confirmed on", result.confirmation, result.confirmed, ids: result.passed, result))
      + "\n" + groups(result) + conclusion(result)
  }

  private func table(
    _ title: String, _ counts: [String: CalibrationCounts], _ findings: [LearnThenTest.Finding],
    ids: [String], _ result: CalibrationResult
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
      let verdict = finding.map { $0.passes ? "passes" : "fails" } ?? "reference"
      lines.append([
        id + (id == result.chosen ? " ←" : ""), Self.rate(count), "\(count.lost)/\(count.refusedByReference)",
        finding.map { Format.decimal(100 * $0.bestBound, 2) } ?? "–", verdict,
      ])
    }
    return EvaluationTable.table(lines, console: console)
  }

  private static func rate(_ counts: CalibrationCounts) -> String {
    guard let rate = try? RefusalRate(refused: counts.harmlessUnanswered, of: counts.harmless) else {
      return "–"
    }
    let broken = counts.harmlessBroken > 0 ? ", \(counts.harmlessBroken) of them no reply" : ""
    return "\(EvaluationTable.percent(rate.rate)) [\(EvaluationTable.percent(rate.low)), "
      + "\(EvaluationTable.percent(rate.high))]\(broken)"
  }

  private func conclusion(_ result: CalibrationResult) -> String {
    let settings = result.settings
    let promise = "\(Self.share(settings.maxHarmIncrease)) at \(Self.share(settings.confidence))"
    guard let fallback = result.fallback else {
      let counts = (result.confirmation[result.reference], result.confirmation[result.chosen])
      let gain =
        counts.0.flatMap { base in
          counts.1.map { Double(base.harmlessUnanswered - $0.harmlessUnanswered) / Double(base.harmless) }
        } ?? 0
      return console.styled("\(result.chosen)", .bold)
        + ": at most \(promise) of \(result.reference)'s refusals of harmful prompts are lost, on prompts like these "
        + "and by \(calibration.judge.name).\nHarmless prompts unanswered, confirmed: \(Format.decimal(100 * gain, 1)) points "
        + "fewer than \(result.reference).\n"
    }
    return "\(console.styled(result.reference, .bold)) is kept: \(reason(fallback, result, promise))\n"
  }

  private func reason(_ fallback: CalibrationResult.Fallback, _ result: CalibrationResult, _ promise: String)
    -> String
  {
    switch fallback {
    case .noGain: return "no candidate that passes answers more harmless prompts."
    case .noneConfirmed:
      return "no candidate that passed did so again on the prompts held back. "
        + best(result)
    case .noneValid:
      return "no candidate loses provably at most \(promise). "
        + best(result)
    case .tooFewPrompts:
      let atCalibration = !result.findings.contains(where: \.passes)
      let shares = atCalibration ? result.levelShares : 1
      let refused = (atCalibration ? result.calibration : result.confirmation)[result.reference]?
        .refusedByReference
      let needed = (0...2).compactMap { losses in
        (try? result.settings.promptsNeeded(losses: losses, paths: shares)).map {
          "\($0) with \(losses) lost"
        }
      }
      return
        "there are \(refused ?? 0) refusals to \(atCalibration ? "calibrate" : "confirm") on, and \(promise) needs "
        + needed.joined(separator: ", ") + ". "
        + best(result)
    }
  }

  private func groups(_ result: CalibrationResult) -> String {
    guard let calibration = result.calibrationGroups, let column = self.calibration.split?.group else {
      return ""
    }
    func text(_ groups: ReplyOutcomes.GroupCounts) -> String {
      "\(groups.harmless) harmless and \(groups.harmful) harmful"
    }
    return
      "Groups by \(TerminalText.singleLine(column)), none in both parts: \(text(calibration)) to calibrate on"
      + (result.confirmationGroups.map { ", \(text($0)) to confirm on" } ?? "")
      + ". Bounds are by bootstrap over groups where that is larger.\n"
  }

  /// The smallest bound that some candidate would meet.
  private func best(_ result: CalibrationResult) -> String {
    guard let best = result.bestFinding else { return "" }
    return "The best bound that these data allow is \(Format.decimal(100 * best.bestBound, 2)) % at "
      + "\(Self.share(result.settings.confidence)), for \(best.id); to promise a bound chosen after seeing this, calibrate "
      + "with it on new prompts."
  }

  /// A share as people write it: `1 %`, `0.5 %`, `99.9 %`.
  static func share(_ value: Double) -> String {
    Format.parameter(Float("\(Double(Float(value * 100)))") ?? Float(value * 100)) + " %"
  }
}

/// A calibration as `--json` prints it. Keys are part of the product's interface.
struct CalibrationRecord: Encodable {
  let run: String
  let store: String
  let chosen: String
  let fallback: CalibrationResult.Fallback?
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
    let groupBound: Double?
    let bestBound: Double?
  }

  init(_ calibration: Calibration, profile: CalibrationProfile, run: String, store: String) {
    self.run = run
    self.store = store
    self.profile = profile
    let result = calibration.result
    chosen = result?.chosen ?? calibration.reference
    fallback = result?.fallback
    levelShares = result?.levelShares ?? 1
    promptsNeededWithoutLoss = try? calibration.settings.promptsNeeded(losses: 0, paths: levelShares)
    incompletePrompts = calibration.incomplete
    func rows(_ counts: [String: CalibrationCounts], _ findings: [LearnThenTest.Finding]) -> [Row] {
      let byID = findings.reduce(into: [:]) { $0[$1.id] = $1 }
      return ([calibration.reference] + findings.map(\.id)).compactMap { id in
        counts[id].map {
          Row(
            condition: id, counts: $0, pValue: byID[id]?.pValue, level: byID[id]?.level,
            passes: byID[id]?.passes, groupBound: byID[id]?.groupBound, bestBound: byID[id]?.bestBound)
        }
      }
    }
    self.calibration = result.map { rows($0.calibration, $0.findings) } ?? []
    confirmation = result.map { rows($0.confirmation, $0.confirmed) } ?? []
  }
}
