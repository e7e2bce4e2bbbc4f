import Testing

@testable import SelfCDEval

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
