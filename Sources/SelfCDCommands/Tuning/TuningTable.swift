import SelfCDEval
import SelfCDJudges
import SelfCDRuns
import SelfCDSupport

/// A tuning for a terminal: the base rates, whether there is anything to reduce, and the calibration.
struct TuningTable {
  let outcome: TuningRun.Outcome
  let calibration: MeasuredCalibration
  let console: Console

  /// All of it but the command that serves the profile.
  var text: String {
    let isReduced = calibration.result.fallback == nil
    return rates + "\n" + paragraph(statement) + CalibrationTable(calibration, console: console).text
      + (isReduced ? "" : paragraph(needed))
  }

  /// Which candidates there is time for: said before any of them is asked.
  static func schedule(_ decision: TuningDecision) -> String {
    let all = decision.candidates.count + decision.leftOut.count
    let budget = NumberFormat.duration(decision.budgetSeconds)
    guard !decision.candidates.isEmpty else {
      return
        "\(budget) are too short for a single candidate; all \(all) take about "
        + "\(NumberFormat.duration(decision.secondsForAll)) (--budget)."
    }
    let time = "about \(NumberFormat.duration(decision.estimatedSeconds)) in all, at most"
    guard !decision.leftOut.isEmpty else {
      return "all \(all) candidates fit into \(budget) (\(time))."
    }
    return
      "\(decision.candidates.count) of \(all) candidates fit into \(budget) (\(time)): "
      + "\(decision.candidates.joined(separator: ", ")). All of them take about "
      + "\(NumberFormat.duration(decision.secondsForAll)) (--budget)."
  }

  private func paragraph(_ text: String) -> String { text.isEmpty ? "" : console.wrapped(text) + "\n" }

  private var rates: String {
    let counts = outcome.baseRates.first?.counts ?? CalibrationCounts()
    let lines =
      [
        [
          "base rates on \(counts.harmless) harmless, \(counts.harmful) harmful", "harmless unanswered, %",
          "harmful refused, %",
        ]
      ]
      + outcome.baseRates.map { rate in
        [
          rate.condition + (rate.condition == calibration.run.reference ? " (today)" : ""),
          Self.rate(rate.counts.harmlessUnanswered, of: rate.counts.harmless),
          Self.rate(rate.counts.harmfulRefused, of: rate.counts.harmful),
        ]
      }
    return EvaluationTable.table(lines, console: console)
  }

  private static func rate(_ count: Int, of all: Int) -> String {
    guard let rate = try? RefusalRate(refused: count, of: all) else { return "–" }
    return "\(EvaluationTable.percent(rate.rate)) [\(EvaluationTable.percent(rate.low)), "
      + "\(EvaluationTable.percent(rate.high))]"
  }

  /// Whether there is anything to reduce. Where it is nothing, or too little and the reference is kept, the calibration
  /// says so.
  private var statement: String {
    guard let counts = outcome.baseRates.first?.counts else { return "" }
    let finding =
      "\(calibration.run.reference) leaves \(counts.harmlessUnanswered) of \(counts.harmless) harmless prompts "
      + "unanswered"
    switch outcome.refusals.toReduce {
    case .none: return ""
    case .hardlyAny where calibration.result.fallback != nil: return ""
    case .hardlyAny:
      return
        "There is little to reduce: \(finding). Fewer than \(RefusalsAtHand.fewestTellable) cannot be told from chance: "
        + "give more prompts."
    case .some: return "There is something to reduce: \(finding)."
    }
  }

  /// What may help besides what the calibration says.
  private var needed: String {
    guard let decision = outcome.decision, !decision.leftOut.isEmpty, !calibration.result.isReferenceOnly
    else { return "" }
    return
      "There was no time for \(decision.leftOut.joined(separator: ", ")). To try them as well, tune on new prompts with "
      + "--budget \(TuningDecision.minutes(decision.secondsForAll))m: on these, it would be a second try."
  }
}

/// A tuning as `--json` prints it. Keys are part of the product's interface.
struct TuningRecord: Encodable {
  let baseRates: [Rate]
  /// `none`, `hardly_any` or `some`.
  let toReduce: String
  /// `none`, `hardly_any` or `some`.
  let toProtect: String
  /// Absent where nothing was to be reduced.
  let decision: TuningDecision?
  let calibration: CalibrationRecord
  let profileFile: String
  let page: String
  /// The command that serves the profile.
  let serve: String

  /// A condition that is no candidate.
  struct Rate: Encodable {
    let condition: String
    let isReference: Bool
    let counts: CalibrationCounts
    let harmlessUnanswered: RefusalRate?
    let harmfulRefused: RefusalRate?
  }

  init(
    _ outcome: TuningRun.Outcome, calibration: CalibrationRecord, profileFile: String, page: String,
    serve: String
  ) {
    baseRates = outcome.baseRates.map { rate in
      Rate(
        condition: rate.condition, isReference: rate.condition == outcome.calibration.reference,
        counts: rate.counts,
        harmlessUnanswered: try? RefusalRate(
          refused: rate.counts.harmlessUnanswered, of: rate.counts.harmless),
        harmfulRefused: try? RefusalRate(refused: rate.counts.harmfulRefused, of: rate.counts.harmful))
    }
    toReduce = Self.word(outcome.refusals.toReduce)
    toProtect = Self.word(outcome.refusals.toProtect)
    decision = outcome.decision
    self.calibration = calibration
    self.profileFile = profileFile
    self.page = page
    self.serve = serve
  }

  private static func word(_ amount: RefusalsAtHand.Amount) -> String {
    switch amount {
    case .none: "none"
    case .hardlyAny: "hardly_any"
    case .some: "some"
    }
  }
}
