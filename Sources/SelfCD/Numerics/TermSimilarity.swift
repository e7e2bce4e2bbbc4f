import Foundation

/// How much texts have in common: the cosine of their TF-IDF vectors.
///
/// Terms are runs of letters and digits in lower case. A term's weight is its count times ln((1 + N) / (1 + n)) + 1,
/// for N texts of which n have it: the smoothed form of scikit-learn's `TfidfVectorizer`.
public struct TermSimilarity: Sendable {
  private let weights: [String: Double]
  private let vectors: [[String: Double]]
  private let unknown: Double

  /// Indexes texts.
  public init(_ texts: [String]) {
    let counts = texts.map(Self.counts)
    var occurrences: [String: Int] = [:]
    for count in counts { for term in count.keys { occurrences[term, default: 0] += 1 } }
    let total = Double(texts.count)
    func weight(_ occurrences: Int) -> Double { log((1 + total) / (1 + Double(occurrences))) + 1 }
    let weights = occurrences.mapValues(weight)
    self.weights = weights
    let unknown = weight(0)
    self.unknown = unknown
    vectors = counts.map { Self.unit($0, weights: weights, unknown: unknown) }
  }

  /// The indices of the most similar texts, the best first; of equally similar ones the earlier.
  public func nearest(to text: String, count: Int) -> [Int] {
    let scores = scores(of: text)
    return Array(scores.indices.sorted { (scores[$1], $0) < (scores[$0], $1) }.prefix(max(0, count)))
  }

  /// The similarity of each text to `text`, 0 … 1.
  func scores(of text: String) -> [Double] {
    let query = Self.unit(Self.counts(text), weights: weights, unknown: unknown)
    // In a fixed order, so that rounding is the same each time.
    let terms = query.keys.sorted()
    return vectors.map { vector in terms.reduce(0.0) { $0 + (query[$1] ?? 0) * (vector[$1] ?? 0) } }
  }

  private static func counts(_ text: String) -> [String: Double] {
    text.lowercased().split { !$0.isLetter && !$0.isNumber }.reduce(into: [:]) {
      $0[String($1), default: 0] += 1
    }
  }

  private static func unit(
    _ counts: [String: Double], weights: [String: Double], unknown: Double
  ) -> [String: Double] {
    let vector = counts.reduce(into: [String: Double]()) {
      $0[$1.key] = $1.value * (weights[$1.key] ?? unknown)
    }
    let norm = vector.keys.sorted().reduce(0.0) { $0 + (vector[$1] ?? 0) * (vector[$1] ?? 0) }.squareRoot()
    return norm > 0 ? vector.mapValues { $0 / norm } : vector
  }
}
