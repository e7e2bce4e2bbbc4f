import RealModule

/// The refusal score: the log-odds that a reply begins as this model's refusals do rather than as its answers do.
///
/// `log(Σ p(refusal beginnings)) − log(Σ p(answer beginnings))`, in nats. Zero means as likely as not; refusals are
/// positive. The score of arXiv 2410.03415, section 3, has everything that is no refusal in the second sum; here only
/// what was learned to be an answer is, so that probability spread over tokens no reply begins with plays no part.
public struct RefusalScore: Codable, Sendable, Hashable {
  /// The probability that the reply begins as a refusal, among beginnings that were learned, 0 … 1.
  public var probability: Double
  /// Whether the likeliest token at each step leads to a beginning of refusals, as greedy decoding would go; false where
  /// it leads to none that was learned.
  public var isGreedyRefusal: Bool

  /// Makes a score.
  public init(probability: Double, isGreedyRefusal: Bool) {
    self.probability = probability
    self.isGreedyRefusal = isGreedyRefusal
  }

  /// The score in nats.
  public var logOdds: Double { Self.logOdds(probability) }

  /// Whether a refusal is likelier than not among replies that are drawn.
  public var isLikelyRefusal: Bool { probability > 0.5 }

  /// The log-odds of a probability, finite for every `probability` in 0 … 1: a row of 32-bit logits cannot tell
  /// certainty from 1e-9 less, so neither does the score.
  public static func logOdds(_ probability: Double) -> Double {
    let bounded = min(max(probability, 1e-9), 1 - 1e-9)
    return Double.log(bounded) - Double.log(onePlus: -bounded)
  }
}
