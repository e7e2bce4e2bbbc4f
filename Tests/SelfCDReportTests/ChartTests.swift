import SelfCDSupport
import Testing

@testable import SelfCDReport

@Suite struct ChartTests {
  @Test(arguments: [(0.0...1.0, 5), (0.7...1.0, 6), (0.0...0.033, 6), (1.0...22.0, 7), (0.0...0.0, 5)])
  func ticksAreRoundAndInside(_ domain: ClosedRange<Double>, _ count: Int) {
    let ticks = Scale(domain: domain, from: 0, to: 100).ticks(about: count)
    #expect(!ticks.isEmpty && ticks.count <= 2 * count + 1)
    for tick in ticks { #expect(tick >= domain.lowerBound - 1e-9 && tick <= domain.upperBound + 1e-9) }
  }

  @Test(arguments: [[0.0, 0.0], [1.0, 1.0], [0.93, 0.99], [0.0, 1.0], [0.31, 0.52], []])
  func shareDomainsHoldTheirValues(_ values: [Double]) {
    let domain = Scale.shares(values)
    #expect(domain.lowerBound >= 0 && domain.upperBound <= 1 && domain.upperBound - domain.lowerBound > 0.19)
    for value in values { #expect(domain.contains(value)) }
  }

  @Test func aScaleNeverLeavesItsRange() {
    let scale = Scale(domain: 0...1, from: 400, to: 16)
    #expect(scale(0) == 400 && scale(1) == 16 && scale(7) == 16 && scale(-3) == 400)
  }

  @Test func labelsOfAClusterKeepApart() {
    var placer = LabelPlacer(bounds: .init(x: 0, y: 0, width: 600, height: 400))
    var points: [(x: Double, y: Double)] = []
    for row in 0..<3 {
      for column in 0..<4 { points.append((x: 290 + Double(column) * 9, y: 190 + Double(row) * 9)) }
    }
    for point in points {
      placer.avoid(.init(x: point.x - 6, y: point.y - 6, width: 12, height: 12), weight: 3)
    }
    let boxes = points.map { placer.place("α 2.5", x: $0.x, y: $0.y).box }
    for (index, box) in boxes.enumerated() {
      #expect(box.overlap(placer.bounds) == box.width * box.height, "inside")
      for other in boxes.dropFirst(index + 1) { #expect(box.overlap(other) == 0) }
    }
  }

  @Test(arguments: [
    (0.5444, "54.4%", "+54.4"), (-0.00001, "0.0%", "0.0"), (1, "100.0%", "+100.0"), (-0.02, "−2.0%", "−2.0"),
  ])
  func numbersForPeople(_ value: Double, _ percent: String, _ points: String) {
    #expect(NumberFormat.percent(value) == percent)
    #expect(NumberFormat.points(value) == points)
  }

  @Test func oneIsSingular() {
    #expect(NumberFormat.counted(1, "row") == "1 row" && NumberFormat.counted(0, "row") == "0 rows")
    #expect(NumberFormat.counted(1, "reply is", "replies are") == "1 reply is")
    #expect(NumberFormat.separated(1200, "reply", "replies") == "1\u{202F}200 replies")
    #expect(NumberFormat.separated(1, "reply", "replies") == "1 reply")
    #expect(NumberFormat.noun(2, "was", "were") == "were" && NumberFormat.noun(1, "was", "were") == "was")
  }

  @Test func countsAndTimes() {
    #expect(NumberFormat.count(1_234_567) == "1\u{202F}234\u{202F}567" && NumberFormat.count(12) == "12")
    #expect(NumberFormat.duration(89) == "89 s" && NumberFormat.duration(1234) == "20 min 34 s")
    #expect(NumberFormat.duration(7300) == "2 h 1 min" && NumberFormat.duration(-1) == "unknown")
    #expect(NumberFormat.pValue(0.0001) == "< 0.001" && NumberFormat.pValue(0.0321) == "0.032")
  }
}
