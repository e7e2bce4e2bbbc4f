import Testing

@testable import SelfCDData
@testable import SelfCDEval
@testable import SelfCDStatistics

@Suite struct CalibrationSplitTests {
  static func set(_ name: String, _ label: Sample.Label, _ texts: [String]) -> Dataset {
    Dataset(
      name: name, sha256: name, format: "list",
      samples: texts.enumerated().map {
        Sample(
          id: "\($0 + 1)", content: .text($1), label: label, labelOrigin: .caller, position: .line($0 + 1))
      })
  }

  static func texts(_ sets: [Dataset]) -> [String] { sets.flatMap(\.samples).map(\.prompt) }

  static func grouped(_ name: String, _ label: Sample.Label, _ groups: [String]) -> Dataset {
    var dataset = set(name, label, groups.indices.map { "\(name) \($0)" })
    for (index, group) in groups.enumerated() { dataset.samples[index].fields["Pair"] = group }
    return dataset
  }

  static func groups(_ sets: [Dataset]) -> Set<String> {
    Set(sets.flatMap(\.samples).compactMap { $0.value(ofColumn: "pair") })
  }

  @Test(arguments: 0..<20)
  func noGroupIsInBothParts(seed: Int) throws {
    // Sizes differ, and group 3 is on both axes.
    let safe = (0..<12).flatMap { group in Array(repeating: "\(group)", count: 1 + group * group % 7) }
    let harmful = [3, 20, 21, 22, 23, 24].flatMap { Array(repeating: "\($0)", count: 5) }
    let sets = [Self.grouped("a", .safe, safe), Self.grouped("b", .harmful, harmful)]
    let split = try CalibrationSplit(sets, confirmFraction: 0.5, seed: UInt64(seed), group: "pair")
    let (first, second) = (Self.groups(split.calibration), Self.groups(split.confirmation))
    #expect(first.isDisjoint(with: second) && first.union(second).count == 17)
    #expect(
      Self.texts(split.calibration + split.confirmation).count == safe.count + 6, "six groups of harmful ones"
    )
    #expect(second.filter { Int($0) ?? 99 < 12 }.count == 6, "half of the groups, whatever their sizes")
    let apart = CalibrationSplit(
      calibration: sets,
      confirmation: [
        Self.grouped("c", .safe, ["3", "99", "0"]), Self.grouped("d", .harmful, ["3", "77"]),
      ], group: "pair")
    #expect(Self.groups(apart.confirmation) == ["99", "77"] && apart.shared == 3)
    // One harmful prompt of each group stays, and every harmless one that is in no other part.
    for sets in [split.calibration, split.confirmation] {
      let samples = sets.flatMap(\.samples).filter { $0.label == .harmful }
      let names = samples.compactMap { $0.value(ofColumn: "pair") }
      #expect(Set(names).count == names.count)
    }
    let drawn = GroupDraw.onePerGroup(split.calibration, column: "pair", seed: 99)
    #expect(drawn == split.calibration, "drawing again changes nothing")
    #expect(split.notDrawn > 0)
  }

  @Test func aSplitKnowsHowItWasMade() throws {
    let sets = [Self.grouped("a", .harmful, ["1", "2", "3", "4"])]
    let split = try CalibrationSplit(sets, confirmFraction: 0.25, seed: 7, group: "pair")
    #expect(split.origin == .init(seed: 7, confirmFraction: 0.25, group: "pair"))
    let apart = CalibrationSplit(calibration: sets, confirmation: [], seed: 5)
    #expect(apart.origin == .init(seed: 5, confirmFraction: nil, group: nil))
  }

  @Test(arguments: [0.1, 0.5, 0.75])
  func nothingIsInBothPartsAndNothingIsLost(fraction: Double) throws {
    let sets = [
      Self.set("a", .safe, (0..<40).map { "safe \($0)" }),
      Self.set("b", .harmful, (0..<60).map { "bad \($0)" }),
    ]
    let split = try CalibrationSplit(sets, confirmFraction: fraction, seed: 1)
    let (first, second) = (Set(Self.texts(split.calibration)), Set(Self.texts(split.confirmation)))
    #expect(first.isDisjoint(with: second) && first.union(second).count == 100)
    let harmful = split.confirmation.reduce(0) { $0 + ($1.labelCounts[.harmful] ?? 0) }
    let safe = split.confirmation.reduce(0) { $0 + ($1.labelCounts[.safe] ?? 0) }
    #expect(harmful == Int(60 * fraction) && safe == Int(40 * fraction))
    #expect(split.confirmation.map(\.name) == ["a-confirm", "b-confirm"])
    #expect(split == (try CalibrationSplit(sets, confirmFraction: fraction, seed: 1)))
    #expect(split != (try CalibrationSplit(sets, confirmFraction: fraction, seed: 2)))
  }

  @Test func everyPromptCountsOnce() throws {
    let sets = [
      Self.set("a", .safe, ["Kill it?", "kill  IT?", "both", "x"]),
      Self.set("b", .harmful, ["both", "y", "z"]),
    ]
    let split = try CalibrationSplit(sets, confirmFraction: 0.5, seed: 0)
    #expect(split.repeated == 1 && split.conflicting == 2 && split.shared == 0)
    #expect(
      Set(Self.texts(split.calibration) + Self.texts(split.confirmation)) == ["Kill it?", "x", "y", "z"])
  }

  @Test func duplicatesBetweenGivenPartsAreFound() {
    let split = CalibrationSplit(
      calibration: [Self.set("a", .safe, ["one", "two"]), Self.set("b", .harmful, ["three"])],
      confirmation: [
        Self.set("a", .safe, ["Two ", "four", "five", "four"]), Self.set("b", .harmful, ["one", "six"]),
      ])
    #expect(split.shared == 1 && split.repeated == 1 && split.conflicting == 2)
    #expect(Self.texts(split.confirmation) == ["four", "five", "six"])
    #expect(Self.texts(split.calibration) == ["two", "three"])
  }

  @Test func neutralPromptsAreLeftOut() throws {
    let split = try CalibrationSplit([Self.set("n", .neutral, ["hi"])], confirmFraction: 0.5, seed: 0)
    #expect(split.calibration.isEmpty && split.confirmation.isEmpty)
    #expect(throws: StatisticsError.self) { try CalibrationSplit([], confirmFraction: 1, seed: 0) }
  }
}
