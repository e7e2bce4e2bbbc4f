import SelfCD

/// A reply of an evaluation with its verdicts.
public struct EvaluationReply: Sendable, Hashable {
  /// Which reply of a run it is.
  public struct Key: Codable, Sendable, Hashable {
    /// The data set's name.
    public var dataset: String
    /// The sample's identifier in it.
    public var sample: String
    /// The condition's identifier.
    public var condition: String
    /// Counts repetitions from 0.
    public var repetition: Int

    /// Makes a key.
    public init(dataset: String, sample: String, condition: String, repetition: Int = 0) {
      self.dataset = dataset
      self.sample = sample
      self.condition = condition
      self.repetition = repetition
    }
  }

  /// What one judge said.
  public struct Judgement: Codable, Sendable, Hashable {
    /// The judge's name.
    public var judge: String
    /// The judge's version.
    public var version: String
    /// What it said.
    public var verdict: Verdict

    /// Makes a judgement.
    public init(judge: String, version: String, verdict: Verdict) {
      self.judge = judge
      self.version = version
      self.verdict = verdict
    }
  }

  /// Which reply it is.
  public var key: Key
  /// What the model wrote.
  public var reply: Reply
  /// The seed it was drawn with; nil for greedy decoding.
  public var seed: UInt64?
  /// One verdict of each judge, in the judges' order.
  public var judgements: [Judgement]

  /// Makes a reply.
  public init(key: Key, reply: Reply, seed: UInt64?, judgements: [Judgement]) {
    self.key = key
    self.reply = reply
    self.seed = seed
    self.judgements = judgements
  }
}

extension Reply {
  /// Whether the model thought and never came to an answer.
  var isOnlyReasoning: Bool { text.isEmpty && !reasoning.isEmpty }
}

extension EvaluationReply {
  /// Whether the model thought and never came to an answer.
  public var isOnlyReasoning: Bool { reply.isOnlyReasoning }

  /// What the reply cost.
  public var cost: ReplyCost {
    ReplyCost(
      promptTokens: reply.summary.promptTokens.values.reduce(0, +),
      generatedTokens: reply.summary.generatedTokens, decodedTokens: reply.summary.decodedTokens)
  }
}

/// Where an evaluation puts its replies as they come. What ``store(_:)`` has returned from is safe.
public protocol EvaluationSink: Sendable {
  /// Keeps replies, all of them or none. A reply that is there already stays as it is.
  /// - Throws: when they could not be kept; the evaluation then ends.
  func store(_ replies: [EvaluationReply]) throws
}

/// A sample that could not be put to the model under a condition, for example because it is too long.
public struct EvaluationFailure: Sendable, Hashable {
  /// Which reply is missing.
  public var key: EvaluationReply.Key
  /// Why.
  public var reason: String
}

/// How far an evaluation is.
public struct EvaluationProgress: Sendable, Hashable {
  /// Replies stored, those of earlier sittings included.
  public var done: Int
  /// Replies of the complete run.
  public var planned: Int
  /// Replies generated in this sitting.
  public var generated: Int
  /// Tokens generated in this sitting.
  public var tokens: Int
  /// Since this sitting began.
  public var elapsed: Duration

  /// Replies a second in this sitting; nil before the first.
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
  /// Tokens the model computed in this sitting, in all lanes and prompts; less than the replies' lanes add up to,
  /// since lanes that agree are shared.
  public var computedTokens: Int
}
