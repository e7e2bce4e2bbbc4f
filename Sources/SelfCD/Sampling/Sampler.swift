import Foundation

/// Draws tokens from rows of scores; one per generation, since it holds the random state.
public struct Sampler: TokenSampler {
  /// Temperature, filters and seed, fixed for the whole generation.
  public let parameters: SamplingParameters
  private var generator: SplitMix64

  /// Whether it always takes the best token.
  public var isGreedy: Bool { parameters.isGreedy }

  /// A sampler at the beginning of the random sequence that the parameters' seed gives; parameters are not validated.
  public init(_ parameters: SamplingParameters) {
    self.parameters = parameters
    generator = SplitMix64(seed: parameters.seed)
  }

  /// A token drawn from softmax(scores / temperature) after the filters, or `nil` if every token is excluded.
  public mutating func draw(from scores: [Float]) -> ScoredToken? {
    guard !parameters.isGreedy else { return Argmax.first(of: scores) }
    let candidates = filtered(scores)
    guard let last = candidates.last else { return nil }
    let total = candidates.reduce(0) { $0 + $1.weight }
    var remaining = Double.random(in: 0..<1, using: &generator) * total
    for candidate in candidates {
      remaining -= candidate.weight
      if remaining < 0 { return ScoredToken(token: TokenID(candidate.index), score: scores[candidate.index]) }
    }
    // Rounding may leave a sliver behind the last candidate.
    return ScoredToken(token: TokenID(last.index), score: scores[last.index])
  }

  private struct Weighted {
    let index: Int
    /// Probability relative to the best token's, so the best has 1.
    let weight: Double
  }

  private func filtered(_ scores: [Float]) -> [Weighted] {
    guard let best = Argmax.first(of: scores) else { return [] }
    let temperature = Double(parameters.temperature)
    func weight(_ index: Int) -> Double { exp((Double(scores[index]) - Double(best.score)) / temperature) }

    var kept: [Weighted]
    if let topK = parameters.topK, topK < scores.count {
      kept = TopCandidates.indices(topK, of: scores).map { Weighted(index: $0, weight: weight($0)) }
    } else {
      kept = scores.indices.lazy.filter { scores[$0] > -.infinity }.map {
        Weighted(index: $0, weight: weight($0))
      }
    }
    if let topNSigma = parameters.topNSigma {
      let least = Double(best.score) - Double(topNSigma) * Self.deviation(of: scores)
      kept.removeAll { Double(scores[$0.index]) < least }
    }
    if let topP = parameters.topP, topP < 1 { kept = Self.nucleus(of: kept, topP: Double(topP)) }
    if let minP = parameters.minP { kept.removeAll { $0.weight < Double(minP) } }
    if let typicalP = parameters.typicalP, typicalP < 1 {
      kept = Self.typical(of: kept, share: Double(typicalP))
    }
    return kept
  }

  /// Standard deviation of the scores that are not excluded.
  private static func deviation(of scores: [Float]) -> Double {
    var count = 0.0
    var sum = 0.0
    for score in scores where score.isFinite {
      count += 1
      sum += Double(score)
    }
    guard count > 0 else { return 0 }
    let mean = sum / count
    var squares = 0.0
    for score in scores where score.isFinite { squares += (Double(score) - mean) * (Double(score) - mean) }
    return (squares / count).squareRoot()
  }

  /// The smallest set of tokens with the surprise nearest to the entropy that makes up `share`.
  private static func typical(of candidates: [Weighted], share: Double) -> [Weighted] {
    let total = candidates.reduce(0) { $0 + $1.weight }
    // -ln p; infinite where a weight is too small for a number.
    let surprises = candidates.map { log(total) - log($0.weight) }
    let entropy = zip(candidates, surprises).reduce(0.0) { sum, pair in
      pair.0.weight > 0 ? sum + pair.0.weight / total * pair.1 : sum
    }
    let distances = surprises.map { abs($0 - entropy) }
    let order = candidates.indices.sorted {
      (distances[$0], candidates[$0].index) < (distances[$1], candidates[$1].index)
    }
    var sum = 0.0
    var kept: [Weighted] = []
    for position in order {
      kept.append(candidates[position])
      sum += candidates[position].weight
      if sum >= share * total { break }
    }
    return kept
  }

  private static func nucleus(of candidates: [Weighted], topP: Double) -> [Weighted] {
    let total = candidates.reduce(0) { $0 + $1.weight }
    // Tokens this unlikely cannot reach into the nucleus even all together, so they need not be sorted.
    let negligible = (1 - topP) * total / Double(candidates.count)
    let sorted = candidates.filter { $0.weight >= negligible }.sorted {
      ($1.weight, $0.index) < ($0.weight, $1.index)
    }
    var sum = 0.0
    var kept: [Weighted] = []
    for candidate in sorted {
      kept.append(candidate)
      sum += candidate.weight
      if sum >= topP * total { break }
    }
    return kept
  }
}

/// SplitMix64 (Steele, Lea & Flood, OOPSLA 2014): small, seedable, the same on every platform.
public struct SplitMix64: RandomNumberGenerator, Codable, Sendable, Hashable {
  private var state: UInt64

  /// Begins a sequence; equal seeds give equal sequences.
  public init(seed: UInt64) { state = seed }

  /// The next 64 bits of the sequence.
  public mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
