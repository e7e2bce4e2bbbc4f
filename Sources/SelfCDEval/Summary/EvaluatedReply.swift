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

  /// Makes a reply from its parts.
  public init(
    key: EvaluationReply.Key, sample: Sample, text: String, judgements: [EvaluationReply.Judgement],
    divergences: [Double] = [], plainLogProbabilities: [Double] = [],
    cost: ReplyCost? = nil
  ) {
    self.key = key
    self.sample = sample
    self.text = text
    self.judgements = judgements
    self.divergences = divergences
    self.plainLogProbabilities = plainLogProbabilities
    self.cost = cost
  }

  /// The class that `judge` gave it.
  public func replyClass(by judge: String) -> ReplyClass? {
    judgements.last { $0.judge == judge }?.verdict.replyClass
  }
}
