import SelfCDEval
import SelfCDSupport

/// What a calibration can show, in words: before anything is generated, and as the whole answer of `--plan`.
struct CalibrationPlanText {
  let plan: CalibrationPlan
  /// The reference's identifier.
  let reference: String
  /// The candidates' identifiers, in the order of the test.
  let candidates: [String]
  /// The share held back; nil where those prompts were given apart, or none are.
  let confirmFraction: Double?
  /// True losses for which to say how likely a candidate passes.
  let trueLosses: [Double]

  private var promise: String {
    "\(NumberFormat.share(plan.settings.maxHarmIncrease)) at \(NumberFormat.share(plan.settings.confidence))"
  }

  /// The bound that can be reached and what the one asked for needs: said before every calibration.
  var remark: String {
    let best =
      plan.suggestedBound == nil
      ? "no bound below 100 %"
      : "at best a bound of \(Self.percent(plan.reachableBound)) %"
    let (first, second) = (plan.calibration, plan.confirmation)
    let prompts =
      "\(first.harmful) harmful \(first.harmful == 1 ? "prompt" : "prompts") to calibrate on"
      + (second.map { " and \($0.harmful) to confirm on" } ?? "")
    let needed = plan.parts.map(\.needed)
    var text =
      "these files can show \(best) at \(NumberFormat.share(plan.settings.confidence)): \(prompts), if \(reference) "
      + "refuses all of them and none of these refusals is lost. The bound asked for, \(promise), needs "
      + Self.needs(needed[needed.count - 1]) + (second == nil ? "" : " in each part")
    if let last = needed.last, needed[0] != last { text += ", and to calibrate on \(Self.needs(needed[0]))" }
    return text + "."
  }

  /// The best bound of a single stage on all prompts, where that reaches what is asked for.
  private var single: Double? {
    guard confirmFraction != nil else { return nil }
    let harmful = plan.parts.reduce(0) { $0 + $1.harmful }
    let bound = try? plan.settings.bound(losses: 0, prompts: harmful, paths: plan.calibration.levelShares)
    return bound.flatMap { $0 <= plan.settings.maxHarmIncrease ? $0 : nil }
  }

  /// Why nothing is generated, and what to do.
  var refusal: String {
    "No candidate can reach \(promise) with these files, so nothing was generated. \(choices)"
      + " --yes goes on all the same and measures what it can; --plan shows the plan."
  }

  /// Says what the files can show, and asks where that is less than what is wanted.
  /// - Parameter yes: whether to go on without asking.
  /// - Returns: whether the user insists where no candidate can pass.
  /// - Throws: `CommandError` where nobody does.
  func confirm(yes: Bool, console: Console) throws -> Bool {
    console.note(remark)
    guard !yes else { return true }
    guard !plan.isReachable else { return false }
    switch console.confirms("No candidate can pass. Measure them all the same?") {
    case true?: return true
    case false?, nil: throw CommandError.invalid(refusal)
    }
  }

  /// What helps where no candidate can pass.
  private var choices: String {
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
    if let single, plan.settings.stages == .two {
      choices.append(
        "test in a single stage, which can show \(Self.percent(single)) % with these prompts: --single-stage")
    }
    return choices.joined(separator: "; or ").capitalizingFirst + "."
  }

  /// What the plan comes to.
  private var conclusion: String {
    guard !plan.isReachable else {
      return "The bound asked for can be shown, if \(reference) refuses enough of the harmful prompts."
    }
    return "No candidate can reach \(promise) with these files. \(choices)"
      + " Without --plan, --yes goes on all the same and measures what it can."
  }

  /// The whole plan.
  func table(console: Console) -> String {
    func bounds(_ part: CalibrationPlan.Part) -> String {
      part.bounds.map { $0 < 1 ? Self.percent($0) + " %" : "none" }.joined(separator: ", ")
    }
    func needed(_ part: CalibrationPlan.Part) -> String {
      part.needed.map(String.init).joined(separator: ", ")
    }
    func row(_ name: String, _ value: (CalibrationPlan.Part) -> String) -> [String] {
      [name] + plan.parts.map(value)
    }
    let titles = plan.confirmation == nil ? ["calibrate on"] : ["calibrate on", "confirm on"]
    let lines = [
      ["the plan"] + titles,
      row("harmless prompts") { "\($0.harmless)" },
      row("harmful prompts") { "\($0.harmful)" },
      row("bound that can be shown with 0, 1, 2 refusals lost", bounds),
      row("refusals needed for \(promise)", needed),
      row("most refusals lost with which \(promise) is shown") { $0.mostLosses.map(String.init) ?? "none" },
      row("replies, at most") { "\(($0.harmless + $0.harmful) * (candidates.count + 1))" },
    ]
    let heading = [
      "reference: \(reference), whose refusals are kept", "candidates: \(candidates.joined(separator: ", "))",
    ]
    return heading.map { console.wrapped($0) + "\n" }.joined() + "\n"
      + EvaluationTable.table(lines, console: console) + "\n" + chances(console: console) + "\n"
      + console.wrapped(conclusion) + "\n"
  }

  /// How likely a candidate passes: for independent prompts, and nothing in between on its path that fails.
  private func chances(console: Console) -> String {
    let lines =
      [["if a candidate truly loses, %", "it passes with probability, %"]]
      + trueLosses.map { loss in
        [
          Self.percent(loss),
          NumberFormat.decimal(100 * ((try? plan.passProbability(trueLoss: loss)) ?? 0), 1),
        ]
      }
    return EvaluationTable.table(lines, console: console)
  }

  private static func needs(_ counts: [Int]) -> String {
    let words = ["without a loss", "with one", "with two"]
    return zip(counts, words).map { "\($0) \($1)" }.joined(separator: ", ")
  }

  private static func percent(_ bound: Double) -> String { NumberFormat.decimal(100 * bound, 2) }
}

extension String {
  /// The text with its first letter as a capital.
  var capitalizingFirst: String { prefix(1).uppercased() + dropFirst() }
}

/// A plan as `--plan --json` prints it. Keys are part of the product's interface.
struct CalibrationPlanRecord: Encodable {
  let reference: String
  let candidates: [String]
  let reachable: Bool
  let reachableBound: Double
  let suggestedBound: Double?
  let harmfulPromptsNeeded: Int?
  let plan: CalibrationPlan
  let passProbabilities: [Chance]

  /// How likely a candidate passes that truly loses this share.
  struct Chance: Encodable {
    let trueLoss: Double
    let passes: Double
  }

  init(_ text: CalibrationPlanText) {
    reference = text.reference
    candidates = text.candidates
    plan = text.plan
    passProbabilities = text.trueLosses.map {
      Chance(trueLoss: $0, passes: (try? text.plan.passProbability(trueLoss: $0)) ?? 0)
    }
    reachable = plan.isReachable
    reachableBound = plan.reachableBound
    suggestedBound = plan.suggestedBound
    harmfulPromptsNeeded = text.confirmFraction.map { text.plan.harmfulNeeded(confirmFraction: $0) }
  }
}
