import SelfCD
import Testing

@testable import SelfCDExplain

@Suite struct DeltaDebuggingTests {
  /// Whether taking out any single element loses the property.
  static func isOneMinimal(_ kept: [Int], _ holds: ([Int]) -> Bool) -> Bool {
    holds(kept) && kept.allSatisfy { removed in !holds(kept.filter { $0 != removed }) }
  }

  @Test func anyPropertyGivesAOneMinimalSet() async {
    for seed in 0..<300 as Range<UInt64> {
      var generator = SplitMix64(seed: seed)
      let count = Int(generator.next() % 14) + 1
      // Holds for all elements, and for a third or so of the other sets, without any structure.
      let holds: ([Int]) -> Bool = { set in
        set.count == count || ShapleySamplingTests.value(set, seed: seed) < 0.3
      }
      var asked: [[Int]] = []
      let result = await DeltaDebugging.minimise(count: count) { sets in
        asked += sets
        return sets.map { holds($0) ? Double($0.first ?? 0) : nil }
      }
      #expect(Self.isOneMinimal(result.kept, holds), "seed \(seed)")
      #expect(Set(asked).count == asked.count, "a set was asked about twice")
      #expect(result.tests == asked.count && result.tests <= count * count + 3 * count + 1)
      #expect(asked.allSatisfy { $0 == $0.sorted() })
    }
  }

  @Test func aMonotonePropertyGivesItsSmallestSet() async {
    for seed in 0..<200 as Range<UInt64> {
      var generator = SplitMix64(seed: seed)
      let count = Int(generator.next() % 30) + 1
      let needed = (0..<count).filter { _ in generator.next() % 5 == 0 }
      let result = await DeltaDebugging.minimise(count: count) { sets in
        sets.map { set in needed.allSatisfy(set.contains) ? 0 : nil }
      }
      #expect(result.kept == needed)
    }
  }

  @Test func nothingAtAllMayDo() async {
    let result = await DeltaDebugging.minimise(count: 8) { $0.map { _ in 0 } }
    #expect(result.kept == [])
    let one = await DeltaDebugging.minimise(count: 8, keepsOne: true) { $0.map { _ in 0 } }
    #expect(one.kept.count == 1)
    // Of those that would do the best liked is taken.
    let liked = await DeltaDebugging.minimise(count: 8, keepsOne: true) { $0.map { $0.contains(5) ? 9 : 1 } }
    #expect(liked.kept == [5])
    let whole = await DeltaDebugging.minimise(count: 5) { $0.map { $0.count == 5 ? 0 : nil } }
    #expect(whole.kept == [0, 1, 2, 3, 4])
  }
}
