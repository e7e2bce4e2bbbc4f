/// Minimising by delta debugging: ddmin (Zeller and Hildebrandt, "Simplifying and isolating failure-inducing input",
/// IEEE Transactions on Software Engineering 28, 2002, algorithm ddmin), as arXiv 2011.14934 uses it on inputs of models.
///
/// The result is 1-minimal: it still has the property, and loses it when any single element is taken out. That holds
/// whatever the property does elsewhere; only for a monotone one it is a smallest set.
public struct DeltaDebugging: Codable, Sendable, Hashable {
  /// The elements that are left, in ascending order.
  public var kept: [Int]
  /// Sets that were asked about; equal ones are asked about once.
  public var tests: Int
  /// Rounds in which they were asked about together.
  public var rounds: Int

  /// Minimises `0 ..< count`.
  ///
  /// All candidates of a round are asked about together: one call for many prompts is cheaper than one for each, even
  /// if the first already passes.
  /// - Parameters:
  ///   - count: The number of elements.
  ///   - keepsOne: Whether the empty set is out of the question, so that at least one element is left.
  ///   - holds: For each of some sets, given in ascending order, nil where the property does not hold, and otherwise how
  ///     much the set is liked: of several that would do, the best is gone on with, the first of equally good ones. The
  ///     property is taken to hold for all elements.
  public static func minimise(
    count: Int, keepsOne: Bool = false, _ holds: ([[Int]]) async throws -> [Double?]
  ) async rethrows -> DeltaDebugging {
    var known: [[Int]: Double?] = [:]
    var rounds = 0
    func best(of candidates: [[Int]]) async throws -> Int? {
      let new = candidates.filter { known[$0] == nil }
      if !new.isEmpty {
        rounds += 1
        for (candidate, answer) in zip(new, try await holds(new)) {
          known.updateValue(answer, forKey: candidate)
        }
      }
      var best: (index: Int, liking: Double)?
      for (index, candidate) in candidates.enumerated() {
        guard let liking = known[candidate].flatMap(\.self), liking > best?.liking ?? -.infinity else {
          continue
        }
        best = (index, liking)
      }
      return best?.index
    }

    var kept = Array(0..<count)
    var granularity = 2
    while kept.count >= 1 {
      if kept.count == 1 {
        // ddmin stops at one element; whether none at all would do completes 1-minimality.
        if !keepsOne, try await best(of: [[]]) != nil { kept = [] }
        break
      }
      let parts = split(kept, into: min(granularity, kept.count))
      let complements = parts.map { part in kept.filter { !part.contains($0) } }
      // For two parts the complements are the parts.
      let candidates = parts + (parts.count > 2 ? complements : [])
      if let index = try await best(of: candidates) {
        kept = candidates[index]
        granularity = index < parts.count ? 2 : max(parts.count - 1, 2)
      } else if parts.count < kept.count {
        granularity = parts.count * 2
      } else {
        break
      }
    }
    return DeltaDebugging(kept: kept, tests: known.count, rounds: rounds)
  }

  private static func split(_ elements: [Int], into count: Int) -> [[Int]] {
    (0..<count).map { part in
      Array(elements[(part * elements.count / count)..<((part + 1) * elements.count / count)])
    }
  }
}
