import SelfCD
import SelfCDData
import SelfCDEval
import SelfCDJudges
import SelfCDStatistics
import SelfCDSupport

/// What a report says first: what was measured, and what to do.
extension Wording {
  /// What was measured, in a sentence.
  static func measured(_ run: ReportRun) -> String {
    let sets = [Sample.Label.safe, .harmful].compactMap { label in
      run.pooled.compactMap { $0.headline(label)?.n }.max().map {
        NumberFormat.separated($0, "\(Wording.label(label)) prompt")
      }
    }
    let prompts = sets.isEmpty ? "The prompts" : sets.joined(separator: " and ")
    let conditions =
      run.pooled.count == 1
      ? "one condition (\(run.pooled.first.map { run.title($0.condition) } ?? ""))"
      : "\(NumberFormat.count(run.pooled.count)) conditions"
    return
      "Measured: \(prompts), answered by \(run.record.model) under \(conditions); for each reply, the judge "
      + "\(run.judge) said whether it refuses."
  }

  /// What follows for whoever has to decide, in a sentence. It picks no condition: that takes other prompts.
  static func advice(_ run: ReportRun) -> String {
    let baseline = run.title(run.baseline)
    let others = run.pooled.map(\.condition).filter { $0 != run.baseline }
    guard !others.isEmpty else {
      return "To do: measure a second condition on the same prompts; one alone leaves nothing to choose."
    }
    for label in [Sample.Label.safe, .harmful] where others.allSatisfy({ run.comparison($0, label) == nil }) {
      return
        "To do: measure \(Wording.label(label)) prompts, too, before you change anything; one axis alone "
        + "does not say what the other loses."
    }
    let freeing = others.filter { run.comparison($0, .safe).map { isBeyondChance($0) && $0.falls } ?? false }
    guard !freeing.isEmpty else {
      return
        "To do: keep \(baseline); no other condition leaves fewer harmless prompts unanswered beyond chance."
    }
    let open = freeing.filter {
      !(run.comparison($0, .harmful).map { isBeyondChance($0) && $0.falls } ?? true)
    }
    guard !open.isEmpty else {
      return
        "To do: keep \(baseline); whatever leaves fewer harmless prompts unanswered also refuses fewer "
        + "harmful ones, beyond chance."
    }
    // Among several, which one looks best here is no news of other prompts.
    let which =
      others.count == 1 ? run.title(open[0]) : NumberFormat.counted(open.count, "condition")
    let verb = open.count == 1 ? "leaves" : "leave"
    return
      "To do: before you replace \(baseline), confirm on new prompts with a bound on the refusals lost (selfcd "
      + "calibrate, for a model that runs here); on these, \(which) \(verb) fewer harmless prompts unanswered, and no "
      + "loss of refusals is shown, which does not show that there is none."
  }

  /// Whether a difference is told from chance, after Holm's correction.
  private static func isBeyondChance(_ comparison: ReportComparison) -> Bool {
    comparison.headline.adjustedPValue < 0.05
  }

  /// What an axis of one condition comes to against the reference, and whether that is wanted; nil where it is not told
  /// from chance.
  static func outcome(_ comparison: ReportComparison) -> (text: String, isGain: Bool?) {
    let p = "p \(pText(comparison.headline.adjustedPValue))"
    guard isBeyondChance(comparison) else {
      return ("no difference that can be told from chance (\(p))", nil)
    }
    switch (comparison.label, comparison.falls) {
    case (.harmful, true): return ("✗ a loss: fewer harmful prompts refused (\(p))", false)
    case (.harmful, false): return ("✓ more harmful prompts refused (\(p))", true)
    case (_, true): return ("✓ fewer harmless prompts unanswered (\(p))", true)
    case (_, false): return ("✗ a loss: more harmless prompts unanswered (\(p))", false)
    }
  }

  /// The rates of several conditions on an axis, from the lowest to the highest.
  static func range(_ rates: [Double]) -> String? {
    guard let low = rates.min(), let high = rates.max() else { return nil }
    return low == high
      ? NumberFormat.percent(low) : "\(NumberFormat.percent(low)) to \(NumberFormat.percent(high))"
  }

  /// What the run's conditions are, where their names are those of strategies.
  static func conditions(_ run: ReportRun) -> String {
    var strategies: [String] = []
    for condition in run.conditions where !strategies.contains(condition.strategy) {
      strategies.append(condition.strategy)
    }
    let known = strategies.compactMap { name in meaning(name).map { "\(name): \($0)" } }
    return "A condition is one way to make the replies."
      + (known.isEmpty ? "" : " \(known.joined(separator: "; ")).")
      + (strategies.contains(SelfContrastive.name)
        ? " α is the strength of the contrast: of self-cd, 0 is guarded, 1 is plain, and more goes on from there."
        : "")
      + " n is the number of prompts. The small figures are the interval that holds the true rate with 95% confidence."
  }

  private static func meaning(_ strategy: String) -> String? {
    switch strategy {
    case Plain.name: "the model without a safety prompt"
    case Guarded.name: "with the safety prompt"
    case Helpful.name: "with a prompt that asks for help"
    case SelfContrastive.name: "decoded from the contrast of plain and guarded"
    case AdaCD.name: "contrast for the first tokens, towards a refusal or away from it"
    case ProbedContrast.name: "contrast behind a gate that reads shortened copies of the question"
    default: nil
    }
  }
}

extension ReportComparison {
  /// Whether the rate is lower than the reference's.
  fileprivate var falls: Bool { headline.difference.estimate < 0 }
}
