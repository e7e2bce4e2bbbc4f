import SelfCDJudges

extension RefusalRate {
  /// The interval as charts draw it: the point alone where there is none.
  var bar: (low: Double, high: Double) { hasInterval ? (low: low, high: high) : (low: rate, high: rate) }
}
