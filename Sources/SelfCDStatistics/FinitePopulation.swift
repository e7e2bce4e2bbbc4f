/// What a sample without replacement says about the finite population that it is drawn from.
///
/// The randomness is that of the draw alone, so that nothing is assumed about where the population comes from.
public enum FinitePopulation {
  /// The largest number of successes that a population may hold after a sample with so few of them: the exact one-sided
  /// upper bound, by inverting the hypergeometric test (W. G. Cochran, "Sampling Techniques", 1977, section 3.6).
  /// - Parameters:
  ///   - successes: Successes in the sample.
  ///   - sample: Items drawn; 0 says nothing, so that all of the population may be successes.
  ///   - population: All items; 0 gives 0.
  ///   - confidence: The nominal coverage.
  /// - Throws: `StatisticsError` for impossible counts or a confidence outside (0, 1).
  public static func mostSuccesses(
    in sample: Int, with successes: Int, population: Int, confidence: Double = 0.95
  ) throws(StatisticsError) -> Int {
    try StatisticsError.check(openUnit: confidence, "confidence")
    guard (0...max(population, 0)).contains(sample), population >= 0 else {
      throw .countOutOfRange(name: "sample", value: sample, allowed: "from 0 to \(population)")
    }
    guard (0...sample).contains(successes) else {
      throw .countOutOfRange(name: "successes", value: successes, allowed: "from 0 to \(sample)")
    }
    guard population > 0 else { return 0 }
    func isPossible(_ count: Int) throws(StatisticsError) -> Bool {
      try HypergeometricDistribution.cumulative(
        drawn: successes, sample: sample, successes: count, population: population) > 1 - confidence
    }
    // Between what was seen and everything that was not drawn.
    var low = successes
    var high = population - (sample - successes)
    if try isPossible(high) { return high }
    while high - low > 1 {
      let middle = low + (high - low) / 2
      if try isPossible(middle) { low = middle } else { high = middle }
    }
    return low
  }

  /// The number of trials of a binomial sample that is as precise as this one: the sample's size divided by the finite
  /// population correction. Nil where everything was drawn, so that nothing is left to be estimated.
  /// - Precondition: none; a sample larger than the population counts as all of it.
  static func effectiveTrials(sample: Int, population: Int) -> Double? {
    guard sample < population else { return nil }
    return Double(sample) * Double(population - 1) / Double(population - sample)
  }
}
