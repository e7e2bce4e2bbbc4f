import SelfCDData
import SelfCDEval

/// The prompts of a calibration: read, parted, and what was left out of them said.
struct CalibrationPrompts {
  let files: DatasetOptions
  /// Files to confirm on, instead of a part of the others; both are given or neither.
  var confirmSafe: [String] = []
  var confirmHarmful: [String] = []
  /// The share to confirm on, where no files are given for that.
  let confirmFraction: Double
  let group: String?
  let singleStage: Bool
  let seed: UInt64

  /// The prompts of both parts; the second part is empty for a single stage.
  func read(console: Console) throws -> CalibrationSplit {
    let datasets = try files.read(console: console, countsEach: false)
    let split: CalibrationSplit
    if singleStage {
      try datasets.checkGroups(by: group)
      split = CalibrationSplit(calibration: datasets, confirmation: [], group: group, seed: seed)
    } else if confirmSafe.isEmpty {
      try datasets.checkGroups(by: group)
      split = try CalibrationSplit(datasets, confirmFraction: confirmFraction, seed: seed, group: group)
    } else {
      var others = files
      others.safe = confirmSafe
      others.harmful = confirmHarmful
      others.neutral = []
      others.data = []
      let confirming = try others.read(console: console, countsEach: false)
      try (datasets + confirming).checkGroups(by: group)
      split = CalibrationSplit(
        calibration: datasets, confirmation: confirming, group: group, seed: seed)
    }
    let remarks = [
      (split.repeated, "prompts occur more than once and count once"),
      (
        split.shared,
        "prompts to confirm on, or others of their group, are also among those to calibrate on and are left out there"
      ),
      (split.conflicting, "prompts are labelled both harmless and harmful and are left out"),
      (
        split.notDrawn,
        "harmful prompts are left out, since another one of their group was drawn: prompts of a group are no independent evidence"
      ),
    ]
    for (count, text) in remarks where count > 0 { console.note("\(count) \(text).") }
    let parts = [("calibrate", split.calibration)] + (singleStage ? [] : [("confirm", split.confirmation)])
    for (part, sets) in parts {
      for (label, name) in [(Sample.Label.safe, "harmless"), (.harmful, "harmful")]
      where !sets.contains(where: { ($0.labelCounts[label] ?? 0) > 0 }) {
        throw CommandError.invalid(
          "There are no \(name) prompts to \(part) on. Harmless and harmful ones are needed there: --safe and --harmful."
        )
      }
    }
    return split
  }
}
