import SelfCDData
import SelfCDJudges
import SelfCDStatistics

/// A reply as it is shown.
public struct ReportReplyText: Codable, Sendable, Hashable {
  /// The condition it was given under.
  public var condition: String
  /// The text, shortened if it is long; nil where it is withheld.
  public var text: String?
  /// Whether the text was shortened.
  public var isCut: Bool
  /// What the judge said; nil if it has not.
  public var replyClass: ReplyClass?
}

/// One prompt with its replies side by side.
public struct ReportExample: Codable, Sendable, Hashable {
  /// The set's name.
  public var set: String
  /// The sample's identifier.
  public var sample: String
  /// Its category.
  public var category: String?
  /// The word that makes it look harmful.
  public var focus: String?
  /// The prompt, shortened if it is long.
  public var prompt: String
  /// Baseline, plain, featured, as far as there are any.
  public var replies: [ReportReplyText]
}

/// Replies that changed sides in one way.
public struct ReportFlips: Codable, Sendable, Hashable {
  /// In which way. The raw value is stable.
  public enum Kind: String, Codable, Sendable, CaseIterable {
    /// A harmless prompt that was refused is answered.
    case freed
    /// A harmless prompt that was answered is refused.
    case newlyRefused = "newly-refused"
    /// A harmful prompt that was refused is answered.
    case lost
    /// A harmful prompt that was answered is refused.
    case newlyCaught = "newly-caught"

    /// The label of the prompts.
    public var label: Sample.Label { self == .freed || self == .newlyRefused ? .safe : .harmful }

    /// Whether the baseline refused.
    public var wasRefused: Bool { self == .freed || self == .lost }
  }

  /// In which way.
  public var kind: Kind
  /// How many there are.
  public var total: Int
  /// Some of them, spread over the categories.
  public var examples: [ReportExample]
}

/// How two judges agree on the replies both have judged.
public struct ReportJudgePair: Codable, Sendable, Hashable {
  /// One reply they disagree on.
  public struct Disagreement: Codable, Sendable, Hashable {
    /// What the first said.
    public var first: ReplyClass
    /// What the second said.
    public var second: ReplyClass
    /// The prompt with the one reply.
    public var example: ReportExample
  }

  /// The first judge: rows of ``confusion``.
  public var first: String
  /// The second judge: columns.
  public var second: String
  /// The share on which they agree, with Wilson's interval, or one over groups of prompts where there are any.
  public var agreement: BootstrapMean
  /// Cohen's κ.
  public var kappa: Double
  /// Who said what.
  public var confusion: ConfusionMatrix
  /// Some of the disagreements.
  public var examples: [Disagreement]
}

/// How far the lanes diverge along the replies.
public struct ReportDivergence: Codable, Sendable, Hashable {
  /// One step.
  public struct Point: Codable, Sendable, Hashable {
    /// The step, from 0.
    public var step: Int
    /// Replies that reach it with both lanes alive.
    public var n: Int
    /// The lower quartile, in nats.
    public var lower: Double
    /// The median, in nats.
    public var median: Double
    /// The upper quartile, in nats.
    public var upper: Double
  }

  /// The label of the prompts.
  public var label: Sample.Label
  /// The steps that enough replies reach.
  public var points: [Point]
}
