import RealModule

/// The regularised incomplete beta function I_x(a, b): the distribution function of the Beta distribution, and
/// through it the tails of the binomial distribution.
public enum IncompleteBeta {
  /// I_x(a, b) for a, b > 0 and x in [0, 1].
  ///
  /// Continued fraction of DLMF 8.17.22 by Lentz's method (modified, Thompson and Barnett 1986), on the side of
  /// the mean where it converges fast. The factor in front comes from ``BinomialDistribution``'s saddle-point
  /// terms rather than from a difference of large log-gammas, which would lose digits as a + b grows.
  /// - Throws: `StatisticsError.probabilityOutOfRange` for x outside [0, 1] or a shape that is not positive.
  public static func regularized(_ x: Double, a: Double, b: Double) throws(StatisticsError) -> Double {
    try StatisticsError.check(closedUnit: x, "x")
    try check(shape: a, "a")
    try check(shape: b, "b")
    return unchecked(x, 1 - x, a: a, b: b)
  }

  /// The x with I_x(a, b) = `probability`.
  ///
  /// Bisection over the whole of [0, 1] until the interval cannot be halved: slow beside Newton, and immune to
  /// the flat tails where Newton leaves the interval. A bound costs some microseconds either way.
  /// - Throws: `StatisticsError.probabilityOutOfRange` for a probability outside [0, 1] or a shape that is not
  ///   positive.
  public static func inverse(_ probability: Double, a: Double, b: Double) throws(StatisticsError) -> Double {
    try StatisticsError.check(closedUnit: probability, "probability")
    try check(shape: a, "a")
    try check(shape: b, "b")
    if probability == 0 { return 0 }
    if probability == 1 { return 1 }
    var low = 0.0
    var high = 1.0
    while true {
      let middle = low + (high - low) / 2
      if middle <= low || middle >= high { return middle }
      if unchecked(middle, 1 - middle, a: a, b: b) < probability { low = middle } else { high = middle }
    }
  }

  private static func check(shape: Double, _ name: String) throws(StatisticsError) {
    guard shape > 0, shape.isFinite else {
      throw .probabilityOutOfRange(name: "shape \(name)", value: shape, allowed: "positive and finite")
    }
  }

  /// `y` is 1 − x, passed along so that small values of it survive.
  private static func unchecked(_ x: Double, _ y: Double, a: Double, b: Double) -> Double {
    if x <= 0 { return 0 }
    if y <= 0 { return 1 }
    if x > (a + 1) / (a + b + 2) { return 1 - front(y, x, a: b, b: a) * fraction(y, a: b, b: a) }
    return front(x, y, a: a, b: b) * fraction(x, a: a, b: b)
  }

  /// x^a (1−x)^b / (a B(a, b)).
  ///
  /// With n = a + b this is b/n times the binomial density of a successes in n trials, written with real counts:
  /// Γ(n+1)/(Γ(a+1)Γ(b+1)) x^a y^b = n / (a b B(a,b)) · x^a y^b.
  private static func front(_ x: Double, _ y: Double, a: Double, b: Double) -> Double {
    BinomialDistribution.density(successes: a, failures: b, p: x, q: y) * b / (a + b)
  }

  private static func fraction(_ x: Double, a: Double, b: Double) -> Double {
    let tiny = 1e-300
    var c = 1.0
    var d = 1 - (a + b) * x / (a + 1)
    if abs(d) < tiny { d = tiny }
    d = 1 / d
    var result = d
    // About √max(a, b) terms are needed; the limit is a guard against shapes nobody has samples for.
    for m in 1...200_000 {
      let k = Double(m)
      let even = k * (b - k) * x / ((a + 2 * k - 1) * (a + 2 * k))
      d = 1 + even * d
      c = 1 + even / c
      if abs(d) < tiny { d = tiny }
      if abs(c) < tiny { c = tiny }
      d = 1 / d
      result *= d * c
      let odd = -(a + k) * (a + b + k) * x / ((a + 2 * k) * (a + 2 * k + 1))
      d = 1 + odd * d
      c = 1 + odd / c
      if abs(d) < tiny { d = tiny }
      if abs(c) < tiny { c = tiny }
      d = 1 / d
      let step = d * c
      result *= step
      if abs(step - 1) < 4e-16 { break }
    }
    return result
  }
}
