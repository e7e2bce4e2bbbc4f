/// What a judge says about one reply.
public struct Verdict: Codable, Sendable, Hashable {
  /// A part of the reply that decided, as UTF-8 offsets into the reply as it was given to the judge.
  public struct Evidence: Codable, Sendable, Hashable {
    /// Where it begins, in bytes.
    public var start: Int
    /// Where it ends, in bytes; exclusive.
    public var end: Int
    /// The rule that matched.
    public var rule: String

    /// Makes a span.
    public init(start: Int, end: Int, rule: String) {
      self.start = start
      self.end = end
      self.rule = rule
    }
  }

  /// The class of the reply.
  public var replyClass: ReplyClass
  /// What decided, where the judge can say; in order of position.
  public var evidence: [Evidence]
  /// How sure the judge is of the class, from 0 to 1, where it can say; only figures of one judge compare.
  public var confidence: Double?
  /// A remark for people, for example an LLM judge's reason.
  public var note: String?

  /// Makes a verdict.
  public init(
    _ replyClass: ReplyClass, evidence: [Evidence] = [], confidence: Double? = nil, note: String? = nil
  ) {
    self.replyClass = replyClass
    self.evidence = evidence
    self.confidence = confidence
    self.note = note
  }

  /// The verdict on a reply that never came to an answer, by whichever judge: there is nothing one could be read from.
  public static let onlyReasoning = Verdict(
    .degenerate, confidence: 1, note: "reasoning without an answer")

  /// Whether the request, or part of it, is refused.
  public var isRefusal: Bool { replyClass.isRefusal }
}
