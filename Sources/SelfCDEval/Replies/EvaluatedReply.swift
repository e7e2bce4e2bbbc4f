import SelfCD
import SelfCDData
import SelfCDJudges

/// A reply of an evaluation: what was asked, what came, what it cost, what judges said.
///
/// Runners make it, stores keep it, and summaries, calibrations and reports count it.
public struct EvaluatedReply: Sendable, Hashable {
  /// What is kept of one decoding step.
  public struct Step: Sendable, Hashable {
    /// The token that was chosen.
    public var token: TokenID
    /// The Jensen–Shannon divergence of the lanes' distributions, in nats; nil where there was one lane.
    public var divergence: Double?
    /// The chosen token's log-probability in the guarded lane, in nats; nil without that lane, or for probability 0.
    public var guarded: Double?
    /// The chosen token's log-probability in the plain lane, in nats; nil without that lane, or for probability 0.
    public var plain: Double?

    /// Makes a step.
    public init(token: TokenID, divergence: Double? = nil, guarded: Double? = nil, plain: Double? = nil) {
      self.token = token
      self.divergence = divergence
      self.guarded = guarded
      self.plain = plain
    }

    /// Whether more is known of it than its token.
    public var isMeasured: Bool { divergence != nil || guarded != nil || plain != nil }
  }

  /// Which reply of the run it is.
  public var key: ReplyKey
  /// The prompt with its label and category.
  public var sample: Sample
  /// The text.
  public var text: String
  /// Why it ended, as ``StopReason`` has it.
  public var stopReason: String
  /// The seed it was sampled with; nil for greedy decoding.
  public var seed: UInt64?
  /// Its steps in order. A reply that was just generated has all of them; a store keeps those that were measured.
  public var steps: [Step]
  /// One verdict of each judge, in the judges' order.
  public var judgements: [Judgement]
  /// What it cost; nil where that was not kept.
  public var cost: ReplyCost?
  /// Whether the model thought and never came to an answer, so that ``text`` is empty.
  public var isOnlyReasoning: Bool

  /// Makes a reply from its parts.
  public init(
    key: ReplyKey, sample: Sample, text: String, stopReason: String = StopReason.stop.rawValue,
    seed: UInt64? = nil, steps: [Step] = [], judgements: [Judgement] = [], cost: ReplyCost? = nil,
    isOnlyReasoning: Bool = false
  ) {
    self.key = key
    self.sample = sample
    self.text = text
    self.stopReason = stopReason
    self.seed = seed
    self.steps = steps
    self.judgements = judgements
    self.cost = cost
    self.isOnlyReasoning = isOnlyReasoning
  }

  /// Keeps what an evaluation needs of a reply that was generated.
  /// - Parameters:
  ///   - reply: What the model wrote.
  ///   - key: Which reply of the run it is.
  ///   - sample: What was asked.
  ///   - seed: The seed it was sampled with; nil for greedy decoding.
  public init(_ reply: Reply, key: ReplyKey, sample: Sample, seed: UInt64?) {
    self.init(
      key: key, sample: sample, text: reply.text, stopReason: reply.stopReason.rawValue, seed: seed,
      steps: reply.tokens.map { token in
        // An excluded token has the logarithm of zero, for which there is no JSON.
        func finite(_ lane: LaneRole) -> Double? {
          token.lanes?.logProbabilities[lane].flatMap { $0.isFinite ? $0 : nil }
        }
        return Step(
          token: token.id, divergence: token.lanes?.divergence, guarded: finite(.guarded),
          plain: finite(.plain))
      },
      cost: ReplyCost(
        promptTokens: reply.summary.promptTokens.values.reduce(0, +),
        generatedTokens: reply.summary.generatedTokens, decodedTokens: reply.summary.decodedTokens),
      isOnlyReasoning: reply.text.isEmpty && !reply.reasoning.isEmpty)
  }

  /// The lanes' Jensen–Shannon divergence at the first steps, in nats; empty where there was one lane.
  public var divergences: [Double] { steps.compactMap(\.divergence) }

  /// The log-probabilities, in nats, of the first tokens in the plain lane, where there was one.
  public var plainLogProbabilities: [Double] { steps.compactMap(\.plain) }

  /// The class that `judge` gave it in `version`. Verdicts of two versions never mix.
  public func replyClass(by judge: String, version: String) -> ReplyClass? {
    judgements.last { $0.judge == judge && $0.version == version }?.verdict.replyClass
  }
}

extension [EvaluatedReply] {
  /// The version of `judge` to count these replies by; nil where it has judged none of them.
  public func version(of judge: String) -> String? {
    var counts: [String: Int] = [:]
    for reply in self {
      for judgement in reply.judgements where judgement.judge == judge {
        counts[judgement.version, default: 0] += 1
      }
    }
    return JudgeVersions.counted(counts)
  }
}
