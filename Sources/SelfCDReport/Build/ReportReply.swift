import SelfCDEval

/// One stored reply, as far as a report needs it.
public struct ReportReply: Sendable, Hashable {
  /// One judge's word.
  public struct Judgement: Sendable, Hashable {
    /// The judge's name.
    public var judge: String
    /// The judge's version.
    public var version: String
    /// What it said.
    public var replyClass: ReplyClass

    /// Makes a judgement.
    public init(judge: String, version: String, replyClass: ReplyClass) {
      self.judge = judge
      self.version = version
      self.replyClass = replyClass
    }

    /// `name@version`: verdicts of two versions never mix.
    var key: String { judge + "@" + version }
  }

  /// The set's name.
  public var set: String
  /// The sample's identifier in it.
  public var sample: String
  /// The condition's identifier.
  public var condition: String
  /// Counts repetitions from 0.
  public var repetition: Int
  /// The text.
  public var text: String
  /// What judges said.
  public var judgements: [Judgement]
  /// The lanes' divergence at each step, in nats; nil where there was one lane.
  public var divergence: [Double?]
  /// What it cost; nil where that was not kept.
  public var cost: ReplyCost?

  /// Makes a reply.
  public init(
    set: String, sample: String, condition: String, repetition: Int = 0, text: String,
    judgements: [Judgement], divergence: [Double?] = [], cost: ReplyCost? = nil
  ) {
    self.set = set
    self.sample = sample
    self.condition = condition
    self.repetition = repetition
    self.text = text
    self.judgements = judgements
    self.divergence = divergence
    self.cost = cost
  }
}
