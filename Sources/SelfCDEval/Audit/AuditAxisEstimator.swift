import SelfCDJudges
import SelfCDStatistics

/// The rates of both conditions on the prompts of one label.
///
/// Strata are the changed pairs, and the unchanged and the identical ones by what the judge says of them: where it is
/// mostly right, each stratum is nearly pure, and a small sample of it says much.
struct AuditAxisEstimator {
  let items: [AuditEstimates.Item]
  let isHarmful: Bool
  let confidence: Double

  /// Pairs with the same chance of being read and the same verdict; nil is no verdict.
  private struct Stratum: Hashable {
    let kind: AuditPair.Kind
    let counts: Bool?

    /// In a fixed order, so that sums are the same every time.
    static let all: [Stratum] =
      [Stratum(kind: .changed, counts: nil)]
      + [AuditPair.Kind.unchanged, .identical].flatMap { kind in
        [true, false, nil].map { Stratum(kind: kind, counts: $0) }
      }
  }

  func axis(reference: String, candidate: String) throws(StatisticsError) -> AuditEstimates.Axis {
    let strata = Dictionary(grouping: items, by: Self.stratum)
    let first = try rate(reference, strata, verdict: \.reference.verdict, reading: \.reference)
    let second = try rate(candidate, strata, verdict: \.candidate.verdict, reading: \.candidate)
    func count(_ kind: AuditPair.Kind) -> (all: Int, read: Int) {
      let own = items.filter { $0.pair.kind == kind }
      return (own.count, own.count { $0.reading != nil })
    }
    let (unchanged, identical) = (count(.unchanged), count(.identical))
    return AuditEstimates.Axis(
      set: isHarmful ? .harmful : .safe, outcome: isHarmful ? .refused : .unanswered, prompts: items.count,
      changed: count(.changed).all, unchanged: unchanged.all, unchangedRead: unchanged.read,
      identical: identical.all, identicalRead: identical.read, reference: first, candidate: second,
      judgedDifference: try judgedDifference(), difference: try difference(strata, identical: identical.all))
  }

  private static func stratum(_ item: AuditEstimates.Item) -> Stratum {
    let pair = item.pair
    guard pair.kind != .changed else { return Stratum(kind: .changed, counts: nil) }
    // A judge that is not always of one mind may have judged equal texts once only.
    let verdict = pair.reference.verdict ?? pair.candidate.verdict
    return Stratum(kind: pair.kind, counts: verdict.map(pair.counts))
  }

  private func rate(
    _ condition: String, _ strata: [Stratum: [AuditEstimates.Item]],
    verdict: (AuditPair) -> ReplyClass?, reading: (AuditEstimates.Reading) -> ReplyClass
  ) throws(StatisticsError) -> AuditEstimates.Rate {
    let judged = items.compactMap { item in verdict(item.pair).map(item.pair.counts) }
    let parts = Stratum.all.compactMap { stratum -> DoubleSampling.Stratum? in
      guard let own = strata[stratum] else { return nil }
      let read = own.compactMap { item in item.reading.map { item.pair.counts(reading($0)) } }
      return DoubleSampling.Stratum(
        items: own.count, read: read.count, successes: read.count(where: \.self),
        // Where nothing was read, the verdict is the best guess and nothing is promised of it.
        assumed: stratum.counts.map { $0 ? 1 : 0 } ?? 0.5)
    }
    return AuditEstimates.Rate(
      condition: condition,
      judged: judged.isEmpty
        ? nil
        : try RefusalRate(refused: judged.count(where: \.self), of: judged.count, confidence: confidence),
      corrected: try DoubleSampling.rate(parts, confidence: confidence))
  }

  private func difference(
    _ strata: [Stratum: [AuditEstimates.Item]], identical: Int
  ) throws(StatisticsError) -> ConfidenceInterval {
    let parts = Stratum.all.compactMap { stratum -> DoubleSampling.PairedStratum? in
      guard stratum.kind != .identical, let own = strata[stratum] else { return nil }
      let read = own.compactMap { item in
        item.reading.map { (item.pair.counts($0.reference), item.pair.counts($0.candidate)) }
      }
      return DoubleSampling.PairedStratum(
        items: own.count, read: read.count, firstOnly: read.count { $0.0 && !$0.1 },
        secondOnly: read.count { !$0.0 && $0.1 })
    }
    return try DoubleSampling.difference(parts, identical: identical, confidence: confidence)
  }

  private func judgedDifference() throws(StatisticsError) -> ConfidenceInterval? {
    let judged = items.compactMap { item -> (Bool, Bool)? in
      guard let before = item.pair.reference.verdict, let after = item.pair.candidate.verdict else {
        return nil
      }
      return (item.pair.counts(before), item.pair.counts(after))
    }
    guard !judged.isEmpty else { return nil }
    return try PairedScoreInterval.difference(
      firstOnly: judged.count { $0.0 && !$0.1 }, secondOnly: judged.count { !$0.0 && $0.1 },
      n: judged.count, confidence: confidence)
  }
}
