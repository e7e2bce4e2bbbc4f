/// How much a tuning generates, and so how many candidates fit into a time.
///
/// The unit is the lane: one reply of a strategy with two lanes costs two. That is the most it can cost, since lanes are
/// decoded once as long as they agree, so that estimates err on the long side. All candidates that are measured are taken
/// to pass and to be measured again on the prompts to confirm on.
public struct TuningWork: Codable, Sendable, Hashable {
  /// Prompts to calibrate on.
  public var calibrationPrompts: Int
  /// Prompts to confirm on; 0 for a single stage.
  public var confirmationPrompts: Int
  /// Lanes of the reference.
  public var referenceLanes: Int
  /// Lanes of the condition that is measured beside the reference.
  public var comparisonLanes: Int
  /// Lanes of each candidate, in the order in which a limited time takes them (``CalibrationGrid/coarseToFine(_:)``).
  public var candidateLanes: [Int]

  /// Describes the work.
  /// - Parameters:
  ///   - calibrationPrompts: Prompts to calibrate on.
  ///   - confirmationPrompts: Prompts to confirm on; 0 for a single stage.
  ///   - referenceLanes: Lanes of the reference.
  ///   - comparisonLanes: Lanes of the condition that is measured beside the reference.
  ///   - candidateLanes: Lanes of each candidate, in the order in which a limited time takes them.
  public init(
    calibrationPrompts: Int, confirmationPrompts: Int, referenceLanes: Int, comparisonLanes: Int,
    candidateLanes: [Int]
  ) {
    self.calibrationPrompts = calibrationPrompts
    self.confirmationPrompts = confirmationPrompts
    self.referenceLanes = referenceLanes
    self.comparisonLanes = comparisonLanes
    self.candidateLanes = candidateLanes
  }

  /// Describes the work of a tuning.
  /// - Parameters:
  ///   - split: The prompts.
  ///   - reference: How the application decodes today.
  ///   - comparison: The condition that is measured beside it.
  ///   - candidates: In the order of the test.
  ///   - system: The system prompt of prompts that have none of their own.
  public init(
    split: CalibrationSplit, reference: EvaluationCondition, comparison: EvaluationCondition,
    candidates: [EvaluationCondition], system: String? = nil
  ) {
    func lanes(_ condition: EvaluationCondition) -> Int {
      EvaluationPlan(datasets: [], conditions: [condition], system: system).widestCondition
    }
    self.init(
      calibrationPrompts: split.calibration.reduce(0) { $0 + $1.samples.count },
      confirmationPrompts: split.confirmation.reduce(0) { $0 + $1.samples.count },
      referenceLanes: lanes(reference), comparisonLanes: lanes(comparison),
      candidateLanes: CalibrationGrid.coarseToFine(candidates).map(lanes))
  }

  /// Lanes that are decoded in all, at most.
  /// - Parameter count: How many candidates are measured; the first ones of ``candidateLanes``.
  public func lanes(candidates count: Int) -> Int {
    let tried = candidateLanes.prefix(count).reduce(0, +)
    return total(count, referenceLanes, beside: comparisonLanes, tried)
  }

  /// Replies in all, at most.
  /// - Parameter count: How many candidates are measured.
  public func replies(candidates count: Int) -> Int {
    total(count, 1, beside: 1, min(count, candidateLanes.count))
  }

  /// How long it takes, at most, in seconds.
  /// - Parameters:
  ///   - count: How many candidates are measured.
  ///   - secondsPerLane: How long one lane takes, prompt and reply.
  public func seconds(candidates count: Int, secondsPerLane: Double) -> Double {
    Double(lanes(candidates: count)) * secondsPerLane
  }

  /// The most candidates that fit into a time; 0 where not even one does.
  /// - Parameters:
  ///   - seconds: The time for everything, base rates included.
  ///   - secondsPerLane: How long one lane takes, prompt and reply.
  public func candidates(within seconds: Double, secondsPerLane: Double) -> Int {
    (0...candidateLanes.count).last {
      self.seconds(candidates: $0, secondsPerLane: secondsPerLane) <= seconds
    } ?? 0
  }

  private func total(_ count: Int, _ reference: Int, beside comparison: Int, _ tried: Int) -> Int {
    let measured = calibrationPrompts * (reference + comparison + tried)
    return count > 0 ? measured + confirmationPrompts * (reference + tried) : measured
  }
}
