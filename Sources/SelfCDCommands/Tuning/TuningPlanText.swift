import SelfCDEval

/// What a tuning would do, as the whole answer of `--dry-run`: what the prompts can show, and how long it takes.
struct TuningPlanText {
  let plan: CalibrationPlanText
  /// The condition that is measured beside the reference.
  let comparison: String
  let work: TuningWork
  /// What would be decided at the speed of a few replies.
  let decision: TuningDecision

  /// The whole plan.
  func text(console: Console) -> String {
    let order = CalibrationGrid.coarseToFine(plan.candidates).joined(separator: ", ")
    let lines = [
      "First the base rates: \(plan.reference) and \(comparison) on the prompts to calibrate on.",
      TuningTable.schedule(decision).capitalizingFirst,
      "With less time, candidates are taken in this order, whatever their outcomes: \(order).",
    ]
    return plan.table(console: console) + "\n" + lines.map { console.wrapped($0) + "\n" }.joined()
  }
}

/// A tuning's plan as `--dry-run --json` prints it. Keys are part of the product's interface.
struct TuningPlanRecord: Encodable {
  let comparison: String
  /// The candidates in the order in which a limited time takes them.
  let order: [String]
  let decision: TuningDecision
  let replies: Int
  let plan: CalibrationPlanRecord

  init(_ text: TuningPlanText) {
    comparison = text.comparison
    order = CalibrationGrid.coarseToFine(text.plan.candidates)
    decision = text.decision
    replies = text.work.replies(candidates: text.decision.candidates.count)
    plan = CalibrationPlanRecord(text.plan)
  }
}
