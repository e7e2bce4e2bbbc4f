/// Where an evaluation puts its replies as they come. What ``store(_:)`` has returned from is safe.
public protocol EvaluationSink: Sendable {
  /// Keeps replies, all of them or none. A reply that is there already stays as it is.
  /// - Throws: when they could not be kept; the evaluation then ends.
  func store(_ replies: [EvaluatedReply]) throws
}

/// A sample that could not be put to the model under a condition, for example because it is too long.
public struct EvaluationFailure: Sendable, Hashable {
  /// Which reply is missing.
  public var key: ReplyKey
  /// Why.
  public var reason: String
}

/// How far an evaluation is.
public struct EvaluationProgress: Sendable, Hashable {
  /// Replies stored, those of earlier sessions included.
  public var done: Int
  /// Replies of the complete run.
  public var planned: Int
  /// Replies generated in this session.
  public var generated: Int
  /// Tokens generated in this session.
  public var tokens: Int
  /// Since this session began.
  public var elapsed: Duration

  /// Replies a second in this session; nil before the first.
  public var rate: Double? {
    let seconds = elapsed / .seconds(1)
    return generated > 0 && seconds > 0 ? Double(generated) / seconds : nil
  }

  /// How long the rest takes at this rate.
  public var remaining: Duration? { rate.map { .seconds(Double(planned - done) / $0) } }
}

/// How an evaluation ended.
public struct EvaluationOutcome: Sendable, Hashable {
  /// The last state of its progress.
  public var progress: EvaluationProgress
  /// What could not be generated.
  public var failures: [EvaluationFailure]
  /// Whether it was cancelled before everything was tried.
  public var isInterrupted: Bool
  /// Tokens the model computed in this session, in all lanes and prompts; less than the replies' lanes add up to,
  /// since lanes that agree are shared.
  public var computedTokens: Int
}
