import Foundation

/// The Jensen–Shannon divergence of two next-token distributions: how far two lanes disagree.
///
/// J. Lin, "Divergence measures based on the Shannon entropy", IEEE Transactions on Information Theory 37 (1991):
/// the mean Kullback–Leibler divergence of both from their average. Unlike that of one from the other it is
/// symmetric and bounded, so that steps and models can be compared.
public enum JensenShannon {
  /// In nats, from 0 (equal) to ln 2 (no token in common). 0 where a row excludes every token.
  ///
  /// - Parameters:
  ///   - a: logits, `[vocabulary size]`.
  ///   - b: logits of the same length.
  public static func divergence(_ a: [Float], _ b: [Float]) -> Double {
    divergence(a, b, normalizers: (Softmax.logSumExp(a), Softmax.logSumExp(b)))
  }

  /// The same, where log Σ exp(z) of both rows is known already.
  static func divergence(_ a: [Float], _ b: [Float], normalizers: (Double, Double)) -> Double {
    guard a.count == b.count, normalizers.0 > -.infinity, normalizers.1 > -.infinity else { return 0 }
    var sum = 0.0
    for index in a.indices {
      let logP = Double(a[index]) - normalizers.0
      let logQ = Double(b[index]) - normalizers.1
      // Below 1e-11 even a large vocabulary of such tokens adds nothing that shows.
      guard max(logP, logQ) > -25 else { continue }
      let p = exp(logP)
      let q = exp(logQ)
      let logMean = log((p + q) / 2)
      if p > 0 { sum += p * (logP - logMean) }
      if q > 0 { sum += q * (logQ - logMean) }
    }
    return min(max(sum / 2, 0), Self.maximum)
  }

  /// ln 2, the divergence of distributions that share no token.
  public static let maximum = 0.693_147_180_559_945_3
}
