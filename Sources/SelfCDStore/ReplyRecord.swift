import SelfCDEval

/// One reply of a run, with what was seen on the way.
public struct ReplyRecord: Codable, Sendable, Hashable {
  /// Which reply of a run: a sample under a condition, perhaps several times.
  public struct Key: Codable, Sendable, Hashable {
    /// The data set's name.
    public var dataset: String
    /// The sample's identifier in it.
    public var sample: String
    /// The condition's identifier.
    public var condition: String
    /// Counts repetitions of the same sample and condition, from 0.
    public var repetition: Int

    /// Makes a key.
    public init(dataset: String, sample: String, condition: String, repetition: Int = 0) {
      self.dataset = dataset
      self.sample = sample
      self.condition = condition
      self.repetition = repetition
    }
  }

  /// What is kept of one decoding step.
  public struct Step: Codable, Sendable, Hashable {
    /// The token that was chosen.
    public var token: Int
    /// The divergence of the lanes' distributions, in nats; nil where there was one lane.
    public var divergence: Double?
    /// The chosen token's log-probability in the guarded lane, in nats.
    public var guarded: Double?
    /// The chosen token's log-probability in the plain lane, in nats.
    public var plain: Double?

    /// Makes a step.
    public init(token: Int, divergence: Double? = nil, guarded: Double? = nil, plain: Double? = nil) {
      self.token = token
      self.divergence = divergence
      self.guarded = guarded
      self.plain = plain
    }
  }

  /// Which reply it is.
  public var key: Key
  /// The text.
  public var text: String
  /// Why it ended, for example `end-of-turn` or `length`.
  public var stopReason: String
  /// The seed it was sampled with; nil for greedy decoding.
  public var seed: UInt64?
  /// Its steps in order; empty if they were not kept.
  public var steps: [Step]
  /// Verdicts on it.
  public var verdicts: [VerdictRecord]
  /// What it cost; nil where that was not kept.
  public var cost: ReplyCost?
  /// Whether the model thought and never came to an answer, so that ``text`` is empty.
  public var isOnlyReasoning: Bool

  /// Makes a reply.
  public init(
    key: Key, text: String, stopReason: String, seed: UInt64? = nil, steps: [Step] = [],
    verdicts: [VerdictRecord] = [], cost: ReplyCost? = nil, isOnlyReasoning: Bool = false
  ) {
    self.key = key
    self.text = text
    self.stopReason = stopReason
    self.seed = seed
    self.steps = steps
    self.verdicts = verdicts
    self.cost = cost
    self.isOnlyReasoning = isOnlyReasoning
  }
}

/// What one judge said about one reply.
public struct VerdictRecord: Codable, Sendable, Hashable {
  /// The judge's name.
  public var judge: String
  /// The judge's version; verdicts of several versions stand side by side.
  public var version: String
  /// What it said.
  public var verdict: Verdict

  /// Makes a record.
  public init(judge: String, version: String, verdict: Verdict) {
    self.judge = judge
    self.version = version
    self.verdict = verdict
  }

  /// What exports call the judge's column: name and version, so that two versions never mix.
  var column: String { judge + "@" + version }
}
