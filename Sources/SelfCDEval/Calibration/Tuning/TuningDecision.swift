/// Which candidates a tuning measures, decided before any of them is asked and for reasons of time alone.
///
/// The test of a candidate is exact whatever candidates stand beside it on its path, as long as nothing that the test
/// counts had a say in which they are. So the time is measured on harmless prompts, under conditions that are no
/// candidates, while the bound is about harmful prompts; and which candidates a number of them means is fixed
/// (``CalibrationGrid/coarseToFine(_:)``).
public struct TuningDecision: Codable, Sendable, Hashable {
  /// The time that was given, in seconds.
  public var budgetSeconds: Double
  /// How long one lane took, prompt and reply, in seconds.
  public var secondsPerLane: Double
  /// The candidates that are measured, in the order of the test.
  public var candidates: [String]
  /// The candidates for which there is no time, in the order of the test.
  public var leftOut: [String]
  /// How long it takes with ``candidates``, base rates included, in seconds: an estimate that errs on the long side.
  public var estimatedSeconds: Double
  /// How long it would take with all candidates, in seconds.
  public var secondsForAll: Double

  /// Decides.
  /// - Parameters:
  ///   - grid: The identifiers of all candidates, in the order of the test.
  ///   - work: How much is generated.
  ///   - budgetSeconds: The time that is given, in seconds.
  ///   - secondsPerLane: How long one lane takes, prompt and reply, in seconds.
  public init(grid: [String], work: TuningWork, budgetSeconds: Double, secondsPerLane: Double) {
    let count = work.candidates(within: budgetSeconds, secondsPerLane: secondsPerLane)
    let taken = Set(CalibrationGrid.coarseToFine(grid).prefix(count))
    self.budgetSeconds = budgetSeconds
    self.secondsPerLane = secondsPerLane
    candidates = grid.filter { taken.contains($0) }
    leftOut = grid.filter { !taken.contains($0) }
    estimatedSeconds = work.seconds(candidates: count, secondsPerLane: secondsPerLane)
    secondsForAll = work.seconds(candidates: grid.count, secondsPerLane: secondsPerLane)
  }

  /// Whole minutes that are enough for an estimate, with a tenth to spare.
  /// - Parameter seconds: The estimate.
  public static func minutes(_ seconds: Double) -> Int {
    let minutes = (seconds * 1.1 / 60).rounded(.up)
    return minutes.isFinite && minutes < 1e9 ? max(1, Int(minutes)) : 1_000_000_000
  }
}
