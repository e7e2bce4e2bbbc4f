import Foundation

/// Probabilities from a row of logits, in double precision where they are summed.
public enum Softmax {
  /// log Σ exp(z); `-inf` for a row that excludes every token.
  public static func logSumExp(_ row: [Float]) -> Double {
    guard let top = Argmax.first(of: row) else { return -.infinity }
    let maximum = Double(top.score)
    var sum = 0.0
    for value in row where value > -.infinity { sum += exp(Double(value) - maximum) }
    return maximum + log(sum)
  }

  /// The probability of the most likely token, 0 for a row that excludes every token.
  public static func maximumProbability(_ row: [Float]) -> Float {
    guard let top = Argmax.first(of: row) else { return 0 }
    return Float(exp(Double(top.score) - logSumExp(row)))
  }
}
