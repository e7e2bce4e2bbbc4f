import Foundation
import SelfCDStatistics
import Testing

/// Means over prompts, alone and in groups.
@Suite struct BootstrapMeanTests {
  static let values = (0..<24).map { Double(($0 * 7) % 11) / 10 }
  /// By how much the ends from 24 groups are moved away from the mean: t with 23 degrees of freedom / z · √(24 / 23).
  private static let factor = 2.068657610 / 1.959963985 * (24.0 / 23).squareRoot()

  /// Drawn again, one prompt or one group gives itself: that is no certainty.
  @Test func oneUnitHasNoInterval() throws {
    let alone = try BootstrapMean(of: [0.5], seed: 1)
    #expect(alone.estimate == 0.5 && alone.low == nil && alone.high == nil && alone.interval == nil)
    let group = try BootstrapMean(of: [0, 1, 1], groups: ["a", "a", "a"], seed: 1)
    #expect(abs(group.estimate - 2.0 / 3) < 1e-12 && group.interval == nil)
    let two = try BootstrapMean(of: [0, 1], seed: 1)
    #expect(two.interval != nil && two.low == 0 && two.high == 1)
  }

  /// Two groups can be drawn in four ways, of which one in four is the one alone and one in four the other: resamples
  /// reach from 0 to 1. With one degree of freedom, t is 12.7 where z is 1.96, and √(2 / 1) comes to it.
  @Test func twoGroupsAreDrawnWholeAndExpanded() throws {
    let mean = try BootstrapMean(of: [0, 1, 1, 1], groups: ["a", "b", "b", "b"], seed: 3)
    let factor = 12.706204736 / 1.959963985 * 2.0.squareRoot()
    #expect(mean.estimate == 0.75)
    #expect(abs((mean.low ?? 0) - (0.75 - 0.75 * factor)) < 1e-6)
    #expect(abs((mean.high ?? 0) - (0.75 + 0.25 * factor)) < 1e-6)
    let share = try BootstrapMean(of: [0, 1, 1, 1], groups: ["a", "b", "b", "b"], within: 0...1, seed: 3)
    #expect(share.low == 0 && share.high == 1)
  }

  @Test func withoutGroupsItIsThePairedBootstrap() throws {
    let interval = try PairedBootstrap.difference(
      Self.values, Array(repeating: 0, count: 24), resamples: 400, seed: 9)
    let mean = try BootstrapMean(of: Self.values, resamples: 400, seed: 9)
    #expect(mean.interval == interval)
    // A prompt a group is drawn alike; only the ends go by 24 groups.
    let named = try BootstrapMean(of: Self.values, groups: (0..<24).map(String.init), resamples: 400, seed: 9)
    #expect(named.estimate == mean.estimate)
    #expect(abs((named.high ?? 0) - mean.estimate - Self.factor * (interval.high - mean.estimate)) < 1e-9)
  }

  /// Five prompts that are the same one are one observation.
  @Test func repeatedPromptsAreNoMoreEvidence() throws {
    let single = try BootstrapMean(of: Self.values, resamples: 400, seed: 2)
    let repeated = try BootstrapMean(
      of: Self.values.flatMap { Array(repeating: $0, count: 5) },
      groups: Self.values.indices.flatMap { Array(repeating: "\($0)", count: 5) }, resamples: 400, seed: 2)
    #expect(abs(repeated.estimate - single.estimate) < 1e-12)
    let (low, high) = (try #require(repeated.low), try #require(repeated.high))
    let (below, above) = (single.estimate - (single.low ?? .nan), (single.high ?? .nan) - single.estimate)
    #expect(abs(single.estimate - low - Self.factor * below) < 1e-9)
    #expect(abs(high - single.estimate - Self.factor * above) < 1e-9)
    let naive = try BootstrapMean(
      of: Self.values.flatMap { Array(repeating: $0, count: 5) }, resamples: 400, seed: 2)
    #expect((naive.high ?? 1) - (naive.low ?? 0) < 0.7 * (high - low))
  }

  @Test func everyMeanHasTheSameKeys() throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    let alone = try encoder.encode(try BootstrapMean(of: [0.5], seed: 1))
    #expect(
      String(decoding: alone, as: UTF8.self) == #"{"confidence":0.95,"estimate":0.5,"high":null,"low":null}"#)
    #expect(try JSONDecoder().decode(BootstrapMean.self, from: alone) == BootstrapMean(of: [0.5], seed: 1))
  }

  @Test func impossibleInputIsATypedError() {
    #expect(throws: StatisticsError.self) { try BootstrapMean(of: [], seed: 1) }
    #expect(throws: StatisticsError.unpaired(first: 2, second: 1)) {
      try BootstrapMean(of: [1, 2], groups: ["a"], seed: 1)
    }
    #expect(throws: StatisticsError.self) { try BootstrapMean(of: [.nan, 1], seed: 1) }
  }
}
