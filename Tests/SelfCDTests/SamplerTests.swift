import Foundation
import SelfCD
import Testing

/// Drawing, by table and by frequency.
@Suite struct SamplerTests {
  /// Probabilities 0.4, 0.3, 0.2, 0.1, and a token that is excluded.
  static let scores: [Float] = [0.4, 0.3, 0.2, 0.1].map { Float(log($0)) } + [-.infinity]

  static func frequencies(_ parameters: SamplingParameters, draws: Int = 20_000) -> [Double] {
    var sampler = Sampler(parameters)
    var counts = [Double](repeating: 0, count: scores.count)
    for _ in 0..<draws {
      if let token = sampler.draw(from: scores)?.token { counts[Int(token)] += 1 }
    }
    return counts.map { $0 / Double(draws) }
  }

  struct Case: Sendable {
    let parameters: SamplingParameters
    /// Expected shares, up to a factor.
    let weights: [Double]
  }

  static let cases: [Case] = [
    Case(parameters: .init(temperature: 1, seed: 1), weights: [4, 3, 2, 1, 0]),
    Case(parameters: .init(temperature: 0.5, seed: 2), weights: [16, 9, 4, 1, 0]),
    Case(parameters: .init(temperature: 1, topK: 2, seed: 3), weights: [4, 3, 0, 0, 0]),
    // 0.4 + 0.3 reaches 0.6, so the nucleus is the first two.
    Case(parameters: .init(temperature: 1, topP: 0.6, seed: 4), weights: [4, 3, 0, 0, 0]),
    Case(parameters: .init(temperature: 1, topP: 0.71, seed: 5), weights: [4, 3, 2, 0, 0]),
    Case(parameters: .init(temperature: 1, minP: 0.45, seed: 6), weights: [4, 3, 2, 0, 0]),
    // Top-p looks at what top-k left: 4/9 + 3/9 reaches 0.5.
    Case(parameters: .init(temperature: 1, topK: 3, topP: 0.5, seed: 7), weights: [4, 3, 0, 0, 0]),
  ]

  @Test(arguments: cases)
  func frequenciesMatchTheTable(example: Case) {
    let total = example.weights.reduce(0, +)
    for (measured, weight) in zip(Self.frequencies(example.parameters), example.weights) {
      // Four standard deviations of 20,000 draws at the most.
      #expect(abs(measured - weight / total) < 4 * (0.25 / 20_000).squareRoot())
      if weight == 0 { #expect(measured == 0) }
    }
  }

  @Test func greedyTakesTheBest() {
    var sampler = Sampler(.greedy)
    #expect(sampler.draw(from: Self.scores)?.token == 0)
  }

  @Test func nothingToDrawFromIsNil() {
    var sampler = Sampler(.init(temperature: 1))
    #expect(sampler.draw(from: [-.infinity, -.infinity]) == nil)
  }

  @Test func tinyTemperatureIsGreedy() {
    #expect(Self.frequencies(.init(temperature: 1e-4), draws: 100)[0] == 1)
  }

  /// Reference values of the published generator, seed 1234567.
  @Test func splitMixMatchesItsReference() {
    var generator = SplitMix64(seed: 1_234_567)
    #expect(generator.next() == 6_457_827_717_110_365_317)
    #expect(generator.next() == 3_203_168_211_198_807_973)
  }
}
