/// A stored reply as summaries need it: what was asked, what came, what judges said.
public struct EvaluatedReply: Sendable, Hashable {
  /// Which reply of the run it is.
  public var key: EvaluationReply.Key
  /// The prompt with its label and category.
  public var sample: Sample
  /// The reply.
  public var text: String
  /// The verdicts.
  public var judgements: [EvaluationReply.Judgement]
  /// The lanes' Jensen–Shannon divergence at the first steps, in nats; empty where there was one lane.
  public var divergences: [Double]
  /// The log-probabilities, in nats, of the first tokens in the plain lane, where there was one.
  public var plainLogProbabilities: [Double]
  /// What it cost; nil where that was not kept.
  public var cost: ReplyCost?
  /// Whether the model thought and never came to an answer.
  public var isOnlyReasoning: Bool

  /// Makes a reply from its parts.
  public init(
    key: EvaluationReply.Key, sample: Sample, text: String, judgements: [EvaluationReply.Judgement],
    divergences: [Double] = [], plainLogProbabilities: [Double] = [],
    cost: ReplyCost? = nil, isOnlyReasoning: Bool = false
  ) {
    self.key = key
    self.sample = sample
    self.text = text
    self.judgements = judgements
    self.divergences = divergences
    self.plainLogProbabilities = plainLogProbabilities
    self.cost = cost
    self.isOnlyReasoning = isOnlyReasoning
  }

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
