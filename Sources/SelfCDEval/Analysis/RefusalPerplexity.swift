import Foundation
import SelfCD
import SelfCDStatistics

/// How likely a fixed refusal is behind the prompts of one set, with the safety emphasis and without it.
///
/// The Self-CD paper reports 83.0 without and 21.9 with its safety prompt (arXiv 2401.17633): the same words become
/// far more likely. Perplexity is exp of the mean negative log-probability of the text's tokens, as given, without
/// the token that ends the turn. Means over prompts are taken of its logarithm: perplexities themselves are so
/// skewed that a few prompts would decide.
public struct RefusalPerplexity: Codable, Sendable, Hashable {
  /// The refusal; nil for the mean over all of them.
  public var text: String?
  /// The text's tokens; for all texts, of all together.
  public var tokens: Int
  /// Prompts.
  public var n: Int
  /// The groups they make; nil where prompts are not grouped.
  public var groups: Int?
  /// In the plain lane: exp of the mean log-perplexity.
  public var plain: Double
  /// In the guarded lane, likewise.
  public var guarded: Double
  /// Guarded less plain, in nats of log-perplexity, with a paired bootstrap interval over prompts or groups; below 0 where
  /// the emphasis makes the refusal likelier.
  public var difference: BootstrapMean

  /// Resamples of the bootstrap.
  static let resamples = 2_000

  /// Averages over prompts.
  /// - Parameters:
  ///   - plain: log-perplexity in the plain lane, one for each prompt.
  ///   - guarded: the same in the guarded lane, in the same order.
  ///   - groups: the group of each prompt; nil where prompts are not grouped.
  /// - Throws: `StatisticsError` for unpaired or empty lists.
  public init(
    text: String?, tokens: Int, plain: [Double], guarded: [Double], groups: [String]? = nil,
    seed: UInt64 = 0
  ) throws(StatisticsError) {
    self.text = text
    self.tokens = tokens
    n = plain.count
    self.groups = groups.map { Set($0).count }
    guard plain.count == guarded.count else {
      throw .unpaired(first: plain.count, second: guarded.count)
    }
    difference = try BootstrapMean(
      of: zip(guarded, plain).map { $0 - $1 }, groups: groups, resamples: Self.resamples, seed: seed)
    self.plain = exp(plain.reduce(0, +) / Double(plain.count))
    self.guarded = exp(guarded.reduce(0, +) / Double(guarded.count))
  }

  /// The log-perplexity, in nats, that scored tokens have in a lane; nil without a token, or where one has no value
  /// there, which must not count as certain.
  static func logPerplexity(_ tokens: [LaneSummary], in role: LaneRole) -> Double? {
    let values = tokens.compactMap { $0.logProbabilities[role] }
    guard !tokens.isEmpty, values.count == tokens.count else { return nil }
    return -values.reduce(0, +) / Double(tokens.count)
  }
}
