import SelfCD
import SelfCDEval
import Testing

@Suite struct CalibrationGridTests {
  /// From the deployed end on: what a plain deployment would refuse more with is no candidate.
  @Test func strengthsBeginBehindTheReference() throws {
    let guarded = try #require(CalibrationGrid.strengths(reference: Guarded.name)[SelfContrastive.name])
    #expect(guarded == [0.25, 0.5, 0.75, 1, 1.25, 1.5, 1.75, 2, 2.25, 2.5, 3])
    let plain = try #require(CalibrationGrid.strengths(reference: Plain.name)[SelfContrastive.name])
    #expect(plain == [1.25, 1.5, 1.75, 2, 2.25, 2.5, 3])
  }

  @Test func conditionsAreTheReferenceAndThenTheCandidates() {
    let conditions = CalibrationGrid.conditions(reference: Plain(), emphasis: .strict)
    #expect(conditions.map(\.id).prefix(2) == ["plain", "self-cd@1.25"] && conditions.count == 8)
    #expect(conditions.dropFirst().allSatisfy { $0.strategy.parameters.emphasis == .strict })
    #expect(CalibrationGrid.conditions(reference: Guarded()).first?.id == "guarded")
  }

  /// The middle, then the quarters, then the eighths: whatever the number, the path is covered evenly.
  @Test func aLimitedTimeTakesTheMiddleFirst() {
    #expect(CalibrationGrid.coarseToFine(Array(1...7)) == [4, 2, 6, 1, 3, 5, 7])
    #expect(CalibrationGrid.coarseToFine([1, 2]) == [1, 2])
    #expect(CalibrationGrid.coarseToFine([Int]()).isEmpty)
    for count in 1...40 {
      #expect(CalibrationGrid.coarseToFine(Array(0..<count)).sorted() == Array(0..<count))
    }
  }
}
