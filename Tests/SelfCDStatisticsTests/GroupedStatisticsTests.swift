import SelfCDStatistics
import Testing

/// Prompts that come in groups, beside SciPy and NumPy: see `Fixtures/make_statistics_fixture.py`.
@Suite struct GroupedStatisticsTests {
  private let fixture: StatisticsFixture

  init() throws { fixture = try StatisticsFixture.load() }

  @Test func signFlips() throws {
    #expect(fixture.signFlip.count == 13)
    for row in fixture.signFlip {
      let p = try SignFlipTest.pValue(row.differences)
      expectClose(p, row.p, "\(row.differences)")
      #expect(try SignFlipTest.pValue(row.differences.reversed().map { -$0 }) == p)
    }
    #expect(throws: StatisticsError.self) { try SignFlipTest.pValue([]) }
  }

  /// A prompt a group is McNemar's test; groups that stand and fall together are as much evidence as there are groups.
  @Test func signFlipsCountGroups() throws {
    let single = Array(repeating: 1, count: 2) + Array(repeating: -1, count: 11) + [0, 0, 0]
    #expect(try SignFlipTest.pValue(single) == McNemarTest.pValue(firstOnly: 2, secondOnly: 11))
    expectClose(try SignFlipTest.pValue([10, 10, 10]), 0.25, "three groups")
    #expect(try McNemarTest.pValue(firstOnly: 30, secondOnly: 0) < 1e-8)
    expectClose(try SignFlipTest.pValue([30]), 1, "one group is no evidence")
  }

  @Test func groupedIntervals() throws {
    #expect(fixture.grouped.count == 10)
    for row in fixture.grouped {
      let first = row.first.map { $0 == 1 }
      let interval =
        if let second = row.second {
          try GroupedInterval.difference(
            first, second.map { $0 == 1 }, groups: row.groups, confidence: row.level,
            resamples: row.resamples, seed: row.seed)
        } else {
          try GroupedInterval.rate(
            first, groups: row.groups, confidence: row.level, resamples: row.resamples, seed: row.seed)
        }
      let found = try #require(interval)
      #expect(abs(found.estimate - row.estimate) < 1e-12)
      #expect(abs(found.low - row.low) < 1e-9, "\(row.groups): \(found)")
      #expect(abs(found.high - row.high) < 1e-9, "\(row.groups): \(found)")
    }
  }

  @Test func theOrderOfPromptsChangesNothing() throws {
    for row in fixture.grouped {
      let first = row.first.map { $0 == 1 }
      let turned = try GroupedInterval.rate(
        first.reversed(), groups: row.groups.reversed(), resamples: 200, seed: 3)
      #expect(try GroupedInterval.rate(first, groups: row.groups, resamples: 200, seed: 3) == turned)
    }
  }

  /// Ten copies of each prompt are no further evidence.
  @Test func copiesDoNotNarrowAnInterval() throws {
    let outcomes = (0..<40).map { $0 % 3 == 0 }
    let copied = outcomes.flatMap { Array(repeating: $0, count: 10) }
    let groups = (0..<40).flatMap { Array(repeating: "prompt \($0)", count: 10) }
    let independent = try WilsonInterval.of(successes: copied.count { $0 }, trials: copied.count)
    let grouped = try #require(try GroupedInterval.rate(copied, groups: groups))
    let whole = try WilsonInterval.of(successes: outcomes.count { $0 }, trials: outcomes.count)
    #expect(grouped.high - grouped.low > 2.5 * (independent.high - independent.low))
    #expect(abs((grouped.high - grouped.low) - (whole.high - whole.low)) < 0.05)
  }

  @Test func oneGroupHasNoInterval() throws {
    #expect(try GroupedInterval.rate([true, false], groups: ["a", "a"]) == nil)
    #expect(try GroupedInterval.difference([true, false], [false, false], groups: ["a", "a"]) == nil)
    #expect(throws: StatisticsError.unpaired(first: 2, second: 1)) {
      try GroupedInterval.rate([true, false], groups: ["a"])
    }
    #expect(throws: StatisticsError.self) { try GroupedInterval.rate([], groups: []) }
  }

  @Test func studentsQuantiles() throws {
    #expect(fixture.student.count == 36)
    for row in fixture.student {
      expectClose(
        try StudentDistribution.quantile(row.p, degreesOfFreedom: row.df), row.x, "p \(row.p), df \(row.df)")
    }
    #expect(throws: StatisticsError.self) { try StudentDistribution.quantile(0.9, degreesOfFreedom: 0) }
    #expect(throws: StatisticsError.self) { try StudentDistribution.quantile(1, degreesOfFreedom: 3) }
  }

  /// A limit on an end of the interval must not be kept or broken because of a jump in what the prompts are worth.
  @Test func whatPromptsAreWorthChangesGradually() throws {
    let groups = (0..<800).map { "\($0 / 40)" }
    func worth(_ bad: Int) throws -> Double {
      // Each in another group, as far as there are groups.
      let places = Set((0..<bad).map { ($0 % 20) * 40 + $0 / 20 })
      let values: [Double] = (0..<800).map { places.contains($0) ? 1 : 0 }
      return try DesignEffect(of: values, groups: groups).effectiveCount
    }
    let counts = try (0...60).map(worth)
    #expect(counts[0] == 20 && counts.allSatisfy { (20...800).contains($0) })
    for (one, next) in zip(counts, counts.dropFirst()) {
      #expect(next > 0.99 * one && next < 2 * one, "\(one), then \(next)")
    }
    #expect((counts.last ?? 0) > 400, "bad prompts in all groups alike are no sign of groups")
    // With all of a group bad and no other, prompts say no more than their groups.
    let whole = try DesignEffect(of: (0..<800).map { $0 < 200 ? 1 : 0 }, groups: groups)
    #expect(whole.effectiveCount == 20 && whole.value == 40)
    // A prompt a group: there are as many prompts as there are.
    let single = try DesignEffect(of: [0, 1, 1, 0], groups: ["a", "b", "c", "d"])
    #expect(single.effectiveCount == 4 && single.groups == 4)
    // t with 3 degrees of freedom is 3.182.
    let reach = 3.182446305 / 1.959963985
    #expect(abs(try single.effectiveCount(confidence: 0.95) - 4 / (reach * reach)) < 1e-8)
    #expect(throws: StatisticsError.self) { try single.effectiveCount(confidence: 1) }
    #expect(throws: StatisticsError.self) { try DesignEffect(of: [0, 1], groups: ["a", "a"]) }
    #expect(throws: StatisticsError.self) { try DesignEffect(of: [], groups: []) }
  }

  /// Rates vary from group to group as the square of a uniform draw, so that the true rate is a third. Of 100 prompts each,
  /// so that groups rarely look alike by chance. With z in place of t in the score interval, it is held in 92 %, 89 % and
  /// 90 % of cases with 2, 3 and 5 groups.
  @Test(arguments: [2, 3, 5, 10]) func fewGroupsAreCovered(count: Int) throws {
    var generator = Xoshiro256StarStar(seed: 5)
    let groups = (0..<count * 100).map { "\($0 / 100)" }
    let trials = 250
    var covered = 0
    for _ in 0..<trials {
      var outcomes: [Bool] = []
      for _ in 0..<count {
        let root = generator.uniform()
        for _ in 0..<100 { outcomes.append(generator.uniform() < root * root) }
      }
      let interval = try #require(try GroupedInterval.rate(outcomes, groups: groups, resamples: 200, seed: 1))
      if interval.low <= 1.0 / 3, interval.high >= 1.0 / 3 { covered += 1 }
    }
    #expect(Double(covered) / Double(trials) >= 0.93, "\(count) groups: \(covered) of \(trials)")
  }
}
