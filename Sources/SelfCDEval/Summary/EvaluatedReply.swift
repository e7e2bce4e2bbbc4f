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

  /// Makes a reply from its parts.
  public init(
    key: EvaluationReply.Key, sample: Sample, text: String, judgements: [EvaluationReply.Judgement],
    divergences: [Double] = [], plainLogProbabilities: [Double] = []
  ) {
    self.key = key
    self.sample = sample
    self.text = text
    self.judgements = judgements
    self.divergences = divergences
    self.plainLogProbabilities = plainLogProbabilities
  }

  /// The class that `judge` gave it.
  public func replyClass(by judge: String) -> ReplyClass? {
    judgements.last { $0.judge == judge }?.verdict.replyClass
  }
}
