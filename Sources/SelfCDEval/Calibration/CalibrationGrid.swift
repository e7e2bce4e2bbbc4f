import SelfCD

/// The candidates that a calibration tries where none are named.
public enum CalibrationGrid {
  /// Strengths of Self-CD: from near the guarded model at 0, past the plain one at 1, to just beyond the paper's 2.5.
  private static let selfContrastive = [0.25, 0.5, 0.75, 1, 1.25, 1.5, 1.75, 2, 2.25, 2.5, 3]

  /// Strengths to try, by the strategy's name, of strategies whose useful range is known.
  /// - Parameter reference: The strategy that is deployed. Where that is `plain`, strengths of at most 1 are left out:
  ///   what lies before the plain model refuses more than it.
  public static func strengths(reference: String) -> [String: [Double]] {
    [
      SelfContrastive.name: reference == Plain.name
        ? selfContrastive.filter { $0 > 1 } : selfContrastive
    ]
  }

  /// The conditions of a calibration: the reference, then Self-CD from its smallest strength on.
  /// - Parameters:
  ///   - reference: How the application decodes today.
  ///   - emphasis: The safety prompt of the guarded lane.
  public static func conditions(
    reference: any DecodingStrategy, emphasis: SafetyEmphasis = .paper
  ) -> [EvaluationCondition] {
    let strengths = strengths(reference: reference.name)[SelfContrastive.name] ?? []
    return [EvaluationCondition(strategy: reference)]
      + strengths.map {
        EvaluationCondition(strategy: SelfContrastive(alpha: Float($0), emphasis: emphasis))
      }
  }

  /// The order in which a limited time takes candidates of a path: the one in the middle, then those in the middle of
  /// what is left on both sides, and so on. Any number of them covers the path evenly, and which they are follows from
  /// their number alone.
  /// - Parameter candidates: In the order of the test.
  /// - Returns: The same candidates in the order in which they are taken.
  public static func coarseToFine<Candidate>(_ candidates: [Candidate]) -> [Candidate] {
    var order: [Candidate] = []
    var open = [candidates[...]]
    while !open.isEmpty {
      let part = open.removeFirst()
      guard !part.isEmpty else { continue }
      let middle = part.startIndex + (part.count - 1) / 2
      order.append(part[middle])
      open.append(part[..<middle])
      open.append(part[(middle + 1)...])
    }
    return order
  }
}
