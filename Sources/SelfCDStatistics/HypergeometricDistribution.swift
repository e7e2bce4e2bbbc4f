/// The hypergeometric distribution: how many of the successes of a finite population are in a sample drawn from it
/// without replacement.
public enum HypergeometricDistribution {
  /// P(X = `drawn`): the sample of `sample` items holds `drawn` of the population's `successes`.
  ///
  /// The quotient of three binomial probabilities in Loader's saddle-point form, as R's `dhyper` has it: exact to a few
  /// units in the last place where factorials would overflow. Matches `scipy.stats.hypergeom.pmf`.
  /// - Throws: `StatisticsError` for a sample or successes that are not part of the population.
  public static func mass(
    drawn: Int, sample: Int, successes: Int, population: Int
  ) throws(StatisticsError) -> Double {
    try check(sample: sample, successes: successes, population: population)
    return density(drawn, sample, successes, population)
  }

  /// P(X ≤ `drawn`). Matches `scipy.stats.hypergeom.cdf`.
  /// - Throws: `StatisticsError` for a sample or successes that are not part of the population.
  public static func cumulative(
    drawn: Int, sample: Int, successes: Int, population: Int
  ) throws(StatisticsError) -> Double {
    try check(sample: sample, successes: successes, population: population)
    let least = max(0, sample - (population - successes))
    let most = min(sample, successes)
    if drawn < least { return 0 }
    if drawn >= most { return 1 }
    return min(1, (least...drawn).reduce(0) { $0 + density($1, sample, successes, population) })
  }

  private static func check(sample: Int, successes: Int, population: Int) throws(StatisticsError) {
    try StatisticsError.check(successes: sample, trials: population)
    try StatisticsError.check(successes: successes, trials: population)
  }

  private static func density(_ drawn: Int, _ sample: Int, _ successes: Int, _ population: Int) -> Double {
    let failures = population - successes
    let missed = sample - drawn
    guard drawn >= 0, drawn <= successes, missed >= 0, missed <= failures else { return 0 }
    guard sample > 0 else { return 1 }
    let p = Double(sample) / Double(population)
    let q = Double(population - sample) / Double(population)
    func binomial(_ successes: Int, of trials: Int) -> Double {
      BinomialDistribution.density(
        successes: Double(successes), failures: Double(trials - successes), p: p, q: q)
    }
    return binomial(drawn, of: successes) * binomial(missed, of: failures) / binomial(sample, of: population)
  }
}
