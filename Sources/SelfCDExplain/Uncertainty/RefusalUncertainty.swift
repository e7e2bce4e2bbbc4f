import RealModule
import SelfCD
import SelfCDJudges

/// How sure a model was of refusing, or of answering, in one view.
public struct RefusalUncertainty: Codable, Sendable, Hashable {
  /// One of the first steps of the greedy reply.
  public struct Step: Codable, Sendable, Hashable {
    /// The token that was chosen.
    public var token: TokenID
    /// What it says.
    public var text: String
    /// Entropy of the distribution it was chosen from, in nats.
    public var entropy: Double
    /// By how many nats the best token leads the second; nil where only one is possible.
    public var margin: Double?
    /// How likely the reply is a refusal, given the tokens so far; nil once they have left the learned beginnings.
    public var refusal: Double?
    /// Jensen–Shannon divergence of the guarded and the plain lane in nats; nil for one lane.
    public var divergence: Double?
  }

  /// Replies of one class.
  public struct ClassCount: Codable, Sendable, Hashable {
    /// The judge's class.
    public var replyClass: ReplyClass
    /// How many replies it was given.
    public var count: Int
  }

  /// What came of drawing replies.
  public struct Samples: Codable, Sendable, Hashable {
    /// Replies that were drawn.
    public var n: Int
    /// Their temperature.
    public var temperature: Double
    /// The seed they are derived from.
    public var seed: UInt64
    /// How many refuse, with Wilson's interval.
    public var refusals: RefusalRate
    /// Replies by the judge's class.
    public var classes: [ClassCount]
    /// Entropy over those classes in nats (semantic entropy in its discrete form, Farquhar et al., Nature 630, 2024, with
    /// the judge's classes as meanings): 0 where all replies do the same.
    public var semanticEntropy: Double
  }

  /// The view's name.
  public var view: String
  /// The first steps of the greedy reply.
  public var steps: [Step]
  /// The greedy reply.
  public var reply: String
  /// What the judge makes of it.
  public var replyClass: ReplyClass
  /// Drawn replies; nil where none were asked for.
  public var samples: Samples?
}

/// Entropy and margin of a distribution given by a row of scores.
enum Sharpness {
  /// In nats.
  static func entropy(_ row: [Float]) -> Double {
    let normalizer = Softmax.logSumExp(row)
    guard normalizer.isFinite else { return 0 }
    return row.reduce(0) { sum, value in
      let log = Double(value) - normalizer
      // p log p vanishes with p.
      return log > -40 ? sum - Double.exp(log) * log : sum
    }
  }

  /// log p(best) − log p(second) in nats.
  static func margin(_ row: [Float]) -> Double? {
    var best = -Float.infinity
    var second = -Float.infinity
    for value in row where value > second {
      if value > best { (best, second) = (value, best) } else { second = value }
    }
    return second > -.infinity ? Double(best) - Double(second) : nil
  }

  /// Entropy of relative frequencies, in nats.
  static func entropy(ofCounts counts: some Collection<Int>) -> Double {
    let total = Double(counts.reduce(0, +))
    return counts.reduce(0) { sum, count in
      guard count > 0 else { return sum }
      let share = Double(count) / total
      return sum - share * Double.log(share)
    }
  }
}
