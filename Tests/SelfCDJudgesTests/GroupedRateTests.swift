import Foundation
import SelfCDJudges
import SelfCDStatistics
import Testing

/// Rates over prompts that come in groups.
@Suite struct GroupedRateTests {
  private static func object(_ rate: RefusalRate) throws -> [String: Any] {
    try #require(try JSONSerialization.jsonObject(with: JSONEncoder().encode(rate)) as? [String: Any])
  }

  @Test func wholeGroupsAreResampled() throws {
    let groups = (0..<40).map { "group \($0 / 10)" }
    // Two of the groups are refused whole.
    let rate = try RefusalRate(refused: (0..<40).map { $0 < 20 }, groups: groups)
    #expect(rate.refused == 20 && rate.n == 40 && rate.rate == 0.5 && rate.groups == 4 && rate.hasInterval)
    // Four draws of a half each: the share of refused groups is 0 in 1/16 of the resamples, and 1 in as many.
    #expect(rate.low == 0 && rate.high == 1)
    let independent = try RefusalRate(refused: 20, of: 40)
    #expect(independent.low > 0.3 && independent.groups == nil && independent.hasInterval)
    let read = try JSONDecoder().decode(RefusalRate.self, from: JSONEncoder().encode(rate))
    #expect(read == rate)
    #expect(try Self.object(rate)["groups"] as? Int == 4)
    #expect(try Self.object(independent)["groups"] == nil)
  }

  @Test func oneGroupHasNoInterval() throws {
    let rate = try RefusalRate(refused: [true, false, true, true], groups: ["a", "a", "a", "a"])
    #expect(rate.rate == 0.75 && rate.groups == 1 && !rate.hasInterval)
    let object = try Self.object(rate)
    #expect(object["low"] is NSNull && object["high"] is NSNull && object["rate"] as? Double == 0.75)
    #expect(try JSONDecoder().decode(RefusalRate.self, from: JSONEncoder().encode(rate)) == rate)
    #expect(rate.description == "75.0% [no interval] of 4")
    #expect(throws: StatisticsError.self) { try RefusalRate(refused: [true], groups: []) }
    #expect(throws: StatisticsError.self) { try RefusalRate(refused: [], groups: []) }
  }
}
