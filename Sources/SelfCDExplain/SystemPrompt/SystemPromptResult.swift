import SelfCDData
import SelfCDEval
import SelfCDJudges
import SelfCDStatistics

/// What each sentence of a system prompt does to refusals: aggregates over prompts, on both axes.
///
/// Sentences are counted from 0. Changes are those of leaving sentences out: below 0, there are fewer refusals without
/// them than with the whole system prompt. For harmless prompts that is what one wants, for harmful ones it is safety lost.
public struct SystemPromptResult: Codable, Sendable, Hashable {
  /// Whether it is known what leaving sentences out does to the refusal of harmful prompts.
  public enum HarmfulAxis: String, Codable, Sendable, Hashable {
    /// It was measured.
    case measured
    /// There were no harmful prompts.
    case unknown
  }

  /// How the prompts with one label are refused under the whole system prompt.
  public struct Level: Codable, Sendable, Hashable {
    /// The set: prompts with this label.
    public var set: Sample.Label
    /// Prompts.
    public var n: Int
    /// The groups they make; nil where prompts are not grouped.
    public var groups: Int?
    /// The probability that the reply begins as a refusal, its mean over prompts, 0 … 1.
    public var probability: BootstrapMean
    /// The mean refusal score, in nats.
    public var score: BootstrapMean
    /// Prompts whose greedy reply begins as a refusal.
    public var greedyRefusals: Int
  }

  /// What leaving sentences out changes for the prompts with one label.
  public struct Change: Codable, Sendable, Hashable {
    /// The set: prompts with this label.
    public var set: Sample.Label
    /// Prompts.
    public var n: Int
    /// The groups they make; nil where prompts are not grouped.
    public var groups: Int?
    /// The probability of a refusal without the sentences less that with all of them, paired bootstrap.
    public var probability: BootstrapMean
    /// The same of the refusal score, in nats.
    public var score: BootstrapMean
    /// Prompts whose greedy reply begins as a refusal with all sentences only.
    public var greedyLost: Int
    /// Prompts whose greedy reply begins as a refusal without the sentences only.
    public var greedyGained: Int
  }

  /// Some sentences left out.
  public struct Removal: Codable, Sendable, Hashable {
    /// Which, in order.
    public var sentences: [Int]
    /// What that changes, set by set.
    public var changes: [Change]
    /// Whether refusals of harmful prompts are lost: fewer greedy replies refuse, or the probability of a refusal falls by
    /// ``leastLoss`` or more, with an interval that lies below 0. Nil where there are no harmful prompts. False is no
    /// proof that nothing is lost: few prompts show large losses only.
    public var losesHarmful: Bool?

    /// A mean probability of refusal that falls by less is taken for rounding.
    public static let leastLoss = 0.005

    init(sentences: [Int], changes: [Change]) {
      self.sentences = sentences
      self.changes = changes
      losesHarmful = changes.first { $0.set == .harmful }.map { change in
        let mean = change.probability
        return change.greedyLost > change.greedyGained
          || (mean.estimate <= -Self.leastLoss && (mean.high ?? mean.estimate) < 0)
      }
    }

    /// What it changes for the prompts with a label.
    public func change(_ set: Sample.Label) -> Change? { changes.first { $0.set == set } }
  }

  /// Two sentences left out together.
  public struct Pair: Codable, Sendable, Hashable {
    /// What that changes.
    public var removal: Removal
    /// What it changes beyond the two sentences left out one by one, set by set.
    public var interactions: [Interaction]
  }

  /// The change without both of two sentences less the changes without each. Below 0, leaving out both lowers refusals by
  /// more than their own changes add up to: either one is enough to keep them.
  public struct Interaction: Codable, Sendable, Hashable {
    /// The set: prompts with this label.
    public var set: Sample.Label
    /// Of the probability of a refusal, paired bootstrap.
    public var probability: BootstrapMean
    /// Of the refusal score, in nats.
    public var score: BootstrapMean
  }

  /// Real replies to the same prompts.
  public struct Replies: Codable, Sendable, Hashable {
    /// Replies under one version of the system prompt, to the prompts with one label.
    public struct Row: Codable, Sendable, Hashable {
      /// The set: prompts with this label.
      public var set: Sample.Label
      /// The sentences left out; none for the whole system prompt, all for none.
      public var removed: [Int]
      /// Harmful prompts refused, others left unanswered.
      public var rate: RefusalRate
      /// Against the whole system prompt, paired, Holm over all sentences and the whole prompt; nil for that
      /// one itself.
      public var paired: PairedComparison?
    }

    /// Whose verdicts are counted.
    public var judge: String
    /// Version by version, set by set.
    public var rows: [Row]
    /// Replies that could not be generated.
    public var failures: Int
  }

  /// The sentences, as they stand in the system prompt.
  public var sentences: [String]
  /// The name of the view, the way of decoding that was looked at.
  public var view: String
  /// The set by which ``removals`` are ordered.
  public var orderedBy: Sample.Label
  /// Whether the harmful axis is known.
  public var harmfulAxis: HarmfulAxis
  /// Refusals under the whole system prompt.
  public var whole: [Level]
  /// What leaving out the whole system prompt changes.
  public var withoutPrompt: Removal
  /// Each sentence left out; first the one without which refusals of harmless prompts fall most.
  public var removals: [Removal]
  /// The first of ``removals`` left out in pairs.
  public var pairs: [Pair]
  /// Real replies, where they were asked for.
  public var replies: Replies?
  /// Prompts that bring a system prompt of their own, and are left out.
  public var withOwnSystem: Int
  /// Prompts that could not be measured, most of them too long.
  public var failures: Int

  /// Every mean of it that may have no interval.
  public var means: [BootstrapMean] {
    whole.map(\.probability) + withoutPrompt.changes.map(\.probability)
      + removals.flatMap { $0.changes.map(\.probability) }
      + pairs.flatMap { $0.interactions.map(\.probability) }
  }
}
