/// The exact sign-flip test: did two conditions differ on the same prompts, where prompts come in groups?
///
/// R. A. Fisher, "The Design of Experiments" (1935), section 21; for groups whose members depend on each other in any way,
/// I. Canay, J. Romano and A. Shaikh, "Randomization tests under an approximate symmetry assumption", Econometrica 85
/// (2017). Under the null hypothesis the conditions can be exchanged in any group, so that each group's difference has
/// either sign with probability 1/2. With a prompt a group it is ``McNemarTest``.
public enum SignFlipTest {
  /// The exact two-sided p-value: the share of all choices of signs with which the sum of the differences is at least as
  /// far from 0 as it is. With n groups that differ it is at least 2^(1 − n), and 1 where none differs.
  /// - Parameter differences: One a group: prompts with the outcome under the first condition only, less those with it
  ///   under the second only.
  /// - Throws: `StatisticsError.empty` without groups.
  public static func pValue(_ differences: [Int]) throws(StatisticsError) -> Double {
    guard !differences.isEmpty else { throw .empty(what: "the sign-flip test") }
    let sizes = differences.map(abs).filter { $0 > 0 }.sorted()
    guard let smallest = sizes.first, let largest = sizes.last else { return 1 }
    if smallest == largest {
      return try McNemarTest.pValue(
        firstOnly: differences.count { $0 > 0 }, secondOnly: differences.count { $0 < 0 })
    }
    let total = sizes.reduce(0, +)
    let distance = abs(differences.reduce(0, +))
    // The distribution of the sum over random signs, at `total + sum`. Sums lie within those of the groups so far.
    var chances = [Double](repeating: 0, count: 2 * total + 1)
    chances[total] = 1
    var reach = 0
    for size in sizes {
      var next = [Double](repeating: 0, count: chances.count)
      for place in (total - reach)...(total + reach) where chances[place] > 0 {
        next[place - size] += chances[place] / 2
        next[place + size] += chances[place] / 2
      }
      chances = next
      reach += size
    }
    let tail = chances.indices.reduce(0.0) { abs($1 - total) >= distance ? $0 + chances[$1] : $0 }
    return min(1, tail)
  }
}
