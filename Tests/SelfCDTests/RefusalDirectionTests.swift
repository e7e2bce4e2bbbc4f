import SelfCD
import Testing

@Suite("Refusal direction and false-refusal vector")
struct RefusalDirectionTests {
  private func states(_ seed: UInt64, _ width: Int) -> [Double] {
    var state = seed
    return (0..<width).map { _ in
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Double(state >> 33) / Double(1 << 30) - 1
    }
  }

  @Test("a direction has length one and points from harmless to harmful")
  func direction() throws {
    let direction = try RefusalDirection(harmful: [3, 4, 0], harmless: [0, 0, 0], layer: 2, position: -1)
    #expect(direction.vector == [0.6, 0.8, 0])
    #expect(abs(direction.magnitude - 5) < 1e-12)
    #expect(abs(direction.projection(of: [3, 4, 9]) - 5) < 1e-6)
  }

  @Test("a false-refusal vector is orthogonal to the refusal direction and of length one", arguments: 1...20)
  func orthogonal(_ seed: Int) throws {
    let width = 4 + seed * 7
    let refusal = try RefusalDirection(
      harmful: states(UInt64(seed), width), harmless: states(UInt64(seed) + 100, width), layer: 0,
      position: -1)
    // Half way along the refusal direction, so that there is much to take out.
    let pseudo = zip(states(UInt64(seed) + 200, width), refusal.vector).map { $0 + 3 * Double($1) }
    let vector = try FalseRefusalVector(
      pseudoHarmful: pseudo, harmless: states(UInt64(seed) + 300, width), layer: 1, position: -2,
      orthogonalTo: refusal)
    let dot = zip(vector.vector, refusal.vector).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
    let square = vector.vector.reduce(0.0) { $0 + Double($1) * Double($1) }
    #expect(abs(dot) < 1e-6)
    #expect(abs(square - 1) < 1e-5)
    #expect(vector.cosine > -1 && vector.cosine < 1)
  }

  @Test("the refusal direction itself cannot become a false-refusal vector, whatever its sign and length")
  func neverTheDirectionItself() throws {
    let harmless = states(5, 32)
    let harmful = states(6, 32)
    let refusal = try RefusalDirection(harmful: harmful, harmless: harmless, layer: 0, position: -1)
    for factor in [1.0, -1, 0.01, 250] {
      let same = zip(harmless, harmful).map { $0 + factor * ($1 - $0) }
      #expect(throws: DirectionError.self) {
        try FalseRefusalVector(
          pseudoHarmful: same, harmless: harmless, layer: 0, position: -1, orthogonalTo: refusal)
      }
    }
  }

  @Test("means that are the same, differ in width or are not finite are refused with a reason")
  func invalid() throws {
    #expect(throws: DirectionError.noDifference) {
      try RefusalDirection(harmful: [1, 2], harmless: [1, 2], layer: 0, position: -1)
    }
    #expect(throws: DirectionError.differentLengths(1, 2)) {
      try RefusalDirection(harmful: [1], harmless: [1, 2], layer: 0, position: -1)
    }
    #expect(throws: DirectionError.notFinite) {
      try RefusalDirection(harmful: [.nan, 0], harmless: [1, 2], layer: 0, position: -1)
    }
  }
}
