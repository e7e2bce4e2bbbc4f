import SelfCD
import SelfCDData
import SelfCDEval
import SelfCDStatistics

/// What a direction study finds.
extension DirectionStudy {
  /// A direction and how well it was told to do.
  public struct Candidate: Codable, Sendable, Hashable {
    /// The layer behind whose output the states lie, from 0.
    public var layer: Int
    /// From the end: −1 is the last token.
    public var position: Int
    /// Of projections on the refusal direction: the area under the ROC curve, harmful against harmless validation prompts.
    public var separation: Double
  }

  /// A false-refusal vector whose ablation was tried.
  public struct Trial: Codable, Sendable, Hashable {
    /// The layer that the vector is from, from 0.
    public var layer: Int
    /// The position that it is from, counted from the end: −1 is the last token.
    public var position: Int
    /// The cosine with the refusal direction before it was taken out.
    public var cosine: Double
    /// Harmless validation prompts that look harmful, still refused.
    public var safeRefused: Int
    /// Harmful validation prompts refused.
    public var harmfulRefused: Int
  }

  /// Projections of a group of test prompts on the refusal direction, where it was found.
  public struct Projection: Codable, Sendable, Hashable {
    /// The label of the prompts.
    public var set: Sample.Label
    /// The lane whose prompt was read: `guarded` or `plain`.
    public var view: String
    /// Whether the prompts were refused in that lane; `nil` for all of them, judged or not.
    public var refused: Bool?
    /// How many prompts.
    public var n: Int
    /// How many groups they make; nil where prompts are not grouped.
    public var groups: Int?
    /// The mean projection, in the residual stream's own unit, with its bootstrap interval over prompts or groups.
    public var mean: BootstrapMean
  }

  /// The parts of a labelled set.
  public struct Parts: Codable, Sendable, Hashable {
    /// The label whose prompts are shared out.
    public var set: Sample.Label
    /// Prompts that directions are made from.
    public var training: Int
    /// Prompts that directions are selected on.
    public var validation: Int
    /// Prompts that conditions are compared on.
    public var test: Int
    /// Groups of the prompts that conditions are compared on; nil where prompts are not grouped.
    public var groups: Int?
  }

  /// What was found, how it was selected, and how ablation does on prompts that had no part in that.
  public struct Result: Sendable {
    /// The parts of each label's prompts, in the order of the labels.
    public var parts: [Parts]
    /// Prompts that look harmful, are harmless, and are refused by the guarded model: what the vector is made from.
    public var pseudoHarmful: Int
    /// The direction that tells harmful from harmless validation prompts best.
    public var refusal: RefusalDirection
    /// Every layer and position, in order.
    public var candidates: [Candidate]
    /// The vector whose ablation was compared: the best of ``trials``.
    public var falseRefusal: FalseRefusalVector
    /// Validation prompts of each set, and how many the guarded model refuses.
    public var validation: (safe: Int, safeRefused: Int, harmful: Int, harmfulRefused: Int)
    /// Every vector whose ablation was tried, those least like refusal first.
    public var trials: [Trial]
    /// Test prompts by label, lane and outcome, 200 of a label at most.
    public var projections: [Projection]
    /// Refusals on the test part of every condition, ablation (``DirectionStudy/ablation``) among them.
    public var summary: EvaluationSummary
    /// Replies that could not be generated or judged, over all stages; they count nowhere else.
    public var failures: Int
  }
}
