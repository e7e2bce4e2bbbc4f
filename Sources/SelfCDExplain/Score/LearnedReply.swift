import SelfCDEval

/// A judged reply as it is kept to learn from: which one of a plan it is, its first tokens, and what the judge said.
public struct LearnedReply: Codable, Sendable, Hashable {
  /// Which reply of the learner's plan.
  public var key: ReplyKey
  /// Its first tokens, and whether it refuses.
  public var reply: RefusalBeginnings.JudgedReply

  /// Keeps what is learned from a reply of an evaluation; nil where no judge has said anything.
  init?(_ reply: EvaluatedReply, depth: Int) {
    guard let judgement = reply.judgements.first else { return nil }
    key = reply.key
    self.reply = .init(
      tokens: reply.steps.prefix(depth).map(\.token), isRefusal: judgement.verdict.isRefusal,
      prompt: "\(reply.key.dataset) \(reply.key.sample)")
  }
}
