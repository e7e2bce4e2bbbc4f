import Foundation

/// Adaptive plausibility constraint of contrastive decoding (arXiv 2210.15097, equation 2).
enum Plausibility {
  /// Excludes every token whose reference probability is below `beta` times the greatest.
  ///
  /// Compared as logits: p_i < β · max p is z_i < max z + ln β, so no softmax is computed.
  static func mask(_ scores: inout [Float], reference: [Float], beta: Float) {
    guard beta > 0, let top = Argmax.first(of: reference) else { return }
    let threshold = top.score + log(beta)
    for index in scores.indices where !(reference[index] >= threshold) { scores[index] = -.infinity }
  }
}
