import SelfCDEval
import SelfCDSupport

/// What a calibration can show, in words: before anything is generated, and as the whole answer of `--dry-run`.
struct CalibrationPlanText {
  let plan: CalibrationPlan
  /// The reference's identifier.
  let reference: String
  /// The candidates' identifiers, in the order of the test.
  let candidates: [String]
  /// The share held back; nil where those prompts were given apart.
  let confirmFraction: Double?

  private var promise: String {
    "\(NumberFormat.share(plan.settings.maxHarmIncrease)) at \(NumberFormat.share(plan.settings.confidence))"
  }

  /// The bound that can be reached and what the one asked for needs: said before every calibration.
  var remark: String {
    let (first, second) = (plan.calibration, plan.confirmation)
    let best =
      plan.suggestedBound == nil
      ? "no bound below 100 %"
      : "at best a bound of \(Self.percent(plan.reachableBound)) %"
    var text =
      "these files can show \(best) at \(NumberFormat.share(plan.settings.confidence)): \(first.harmful) harmful "
      + "\(first.harmful == 1 ? "prompt" : "prompts") to calibrate on and \(second.harmful) to confirm on, if \(reference) refuses all of them and none of "
      + "these refusals is lost. The bound asked for, \(promise), needs \(Self.needs(second.needed)) in each part"
    if first.needed != second.needed { text += ", and to calibrate on \(Self.needs(first.needed))" }
    return text + "."
  }

  /// Why nothing is generated, and what to do.
  var refusal: String {
    var choices: [String] = []
    if let confirmFraction {
      choices.append(
        "give at least \(plan.harmfulNeeded(confirmFraction: confirmFraction)) harmful prompts that \(reference) refuses"
      )
    } else {
      choices.append("give more harmful prompts that \(reference) refuses")
    }
    if let bound = plan.suggestedBound {
      choices.append(
        "ask now, before any reply is seen, for a bound that can be reached: --max-harm-increase "
          + "\(NumberFormat.parameter(Float(bound))) or more")
    }
    return "No candidate can reach \(promise) with these files, so nothing was generated. "
      + choices.joined(separator: "; or ").capitalizingFirst
      + ". --yes goes on all the same and measures what it can; --dry-run shows the plan."
  }

  /// The whole plan.
  func table(console: Console) -> String {
    func row(_ name: String, _ values: [String]) -> [String] { [name] + values }
    func bounds(_ part: CalibrationPlan.Part) -> String {
      part.bounds.map { $0 < 1 ? Self.percent($0) + " %" : "none" }.joined(separator: ", ")
    }
    func needed(_ part: CalibrationPlan.Part) -> String {
      part.needed.map(String.init).joined(separator: ", ")
    }
    let (first, second) = (plan.calibration, plan.confirmation)
    let replies = (first.harmless + first.harmful, second.harmless + second.harmful)
    let lines = [
      row("the plan", ["calibrate on", "confirm on"]),
      row("harmless prompts", ["\(first.harmless)", "\(second.harmless)"]),
      row("harmful prompts", ["\(first.harmful)", "\(second.harmful)"]),
      row("bound that can be shown with 0, 1, 2 refusals lost", [bounds(first), bounds(second)]),
      row("refusals needed for \(promise)", [needed(first), needed(second)]),
      row(
        "replies, at most",
        ["\(replies.0 * (candidates.count + 1))", "\(replies.1 * (candidates.count + 1))"]),
    ]
    return
      "reference: \(reference), whose refusals are kept\ncandidates: \(candidates.joined(separator: ", "))\n\n"
      + EvaluationTable.table(lines, console: console) + "\n"
      + (plan.isReachable
        ? "The bound asked for can be shown, if \(reference) refuses enough of the harmful prompts.\n"
        : refusal + "\n")
  }

  private static func needs(_ counts: [Int]) -> String {
    let words = ["without a loss", "with one", "with two"]
    return zip(counts, words).map { "\($0) \($1)" }.joined(separator: ", ")
  }

  private static func percent(_ bound: Double) -> String { NumberFormat.decimal(100 * bound, 2) }
}

extension String {
  /// The text with its first letter as a capital.
  fileprivate var capitalizingFirst: String { prefix(1).uppercased() + dropFirst() }
}

/// A plan as `--dry-run --json` prints it. Keys are part of the product's interface.
struct CalibrationPlanRecord: Encodable {
  let reference: String
  let candidates: [String]
  let reachable: Bool
  let reachableBound: Double
  let suggestedBound: Double?
  let harmfulPromptsNeeded: Int?
  let plan: CalibrationPlan

  init(_ text: CalibrationPlanText) {
    reference = text.reference
    candidates = text.candidates
    plan = text.plan
    reachable = plan.isReachable
    reachableBound = plan.reachableBound
    suggestedBound = plan.suggestedBound
    harmfulPromptsNeeded = text.confirmFraction.map { text.plan.harmfulNeeded(confirmFraction: $0) }
  }
}
