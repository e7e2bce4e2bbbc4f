import Foundation

/// How much of two next-token distributions is the same: Σ min(p, q), which is 1 minus their total variation
/// distance.
///
/// Unlike the rank of one token it counts every way in which a sentence can begin: "I", "Sorry" and "Unfortunately"
/// together are a refusal's share.
public enum Overlap {
  /// From 0 (no token in common) to 1 (equal). 0 where a row excludes every token.
  ///
  /// - Parameters:
  ///   - a: logits, `[vocabulary size]`.
  ///   - b: logits of the same length.
  public static func of(_ a: [Float], _ b: [Float]) -> Double {
    let normalizers = (Softmax.logSumExp(a), Softmax.logSumExp(b))
    guard a.count == b.count, normalizers.0 > -.infinity, normalizers.1 > -.infinity else { return 0 }
    var sum = 0.0
    for index in a.indices {
      let smaller = min(Double(a[index]) - normalizers.0, Double(b[index]) - normalizers.1)
      // Below 1e-11 even a large vocabulary of such tokens adds nothing that shows.
      if smaller > -25 { sum += exp(smaller) }
    }
    return min(sum, 1)
  }
}
