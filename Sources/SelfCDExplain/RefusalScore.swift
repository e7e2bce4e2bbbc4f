import RealModule

/// The refusal score of one position: the log-odds that a reply begins as this model's refusals begin.
///
/// `log(Σ p(refusal beginnings)) − log(1 − Σ p(refusal beginnings))` (arXiv 2410.03415, section 3), in nats. Zero
/// means as likely as not; refusals are positive.
public enum RefusalScore {
  /// The log-odds of a probability, finite for every `probability` in 0 … 1: a row of 32-bit logits cannot tell
  /// certainty from 1e-9 less, so neither does the score.
  public static func logOdds(_ probability: Double) -> Double {
    let bounded = min(max(probability, 1e-9), 1 - 1e-9)
    return Double.log(bounded) - Double.log(onePlus: -bounded)
  }
}
