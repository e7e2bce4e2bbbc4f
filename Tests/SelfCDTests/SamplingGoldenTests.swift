import Foundation
import SelfCD
import Testing

/// Frequency and presence penalties, a bias, and the newer filters, against formulas in numpy.
@Suite struct SamplingGoldenTests {
  struct Golden: Decodable {
    struct Penalised: Decodable {
      let frequency: Float
      let presence: Float
      let reply: [TokenID]
      let bias: [String: Float]
      let scores: [Float?]
      let expected: [Double?]
    }
    struct Filtered: Decodable {
      let temperature: Float
      let topP: Float?
      let typicalP: Float?
      let topNSigma: Float?
      let scores: [Float?]
      let expected: [Double]

      private enum CodingKeys: String, CodingKey {
        case temperature, scores, expected
        case topP = "top_p"
        case typicalP = "typical_p"
        case topNSigma = "top_n_sigma"
      }
    }
    let penalties: [Penalised]
    let filters: [Filtered]
  }

  /// `Fixtures/make_sampling_golden.py` writes it with numpy.
  static func golden() throws -> Golden {
    let file = try #require(Bundle.module.url(forResource: "sampling_golden", withExtension: "json"))
    return try JSONDecoder().decode(Golden.self, from: Data(contentsOf: file))
  }

  @Test func penaltiesAndBiasEqualNumpy() throws {
    let golden = try Self.golden()
    #expect(golden.penalties.count == 24)
    var changed = 0
    for example in golden.penalties {
      var penalty = try OccurrencePenalty(frequency: example.frequency, presence: example.presence)
      // The prompt does not count.
      penalty.begin(after: Array(0..<24))
      for token in example.reply { penalty.accept(token) }
      var bias = try TokenBias(
        example.bias.reduce(into: [:]) { result, pair in
          if let token = TokenID(pair.key) { result[token] = pair.value }
        })
      let scores = example.scores.map { $0 ?? -.infinity }
      var row = scores
      penalty.process(&row, step: example.reply.count)
      bias.process(&row, step: example.reply.count)
      for (value, expected) in zip(row, example.expected) {
        if let expected {
          #expect(abs(Double(value) - expected) < 1e-3)
        } else {
          #expect(value == -.infinity)
        }
      }
      if row != scores { changed += 1 }
    }
    #expect(changed == 16, "the others are neutral, or penalise what the reply does not hold")
  }

  @Test func filtersKeepNumpysDistribution() throws {
    let golden = try Self.golden()
    #expect(golden.filters.count == 18)
    let draws = 10_000
    for (seed, example) in golden.filters.enumerated() {
      let scores = example.scores.map { $0 ?? -.infinity }
      var sampler = Sampler(
        .init(
          temperature: example.temperature, topP: example.topP, typicalP: example.typicalP,
          topNSigma: example.topNSigma, seed: UInt64(seed)))
      var counts = [Int](repeating: 0, count: scores.count)
      for _ in 0..<draws {
        if let token = sampler.draw(from: scores)?.token { counts[Int(token)] += 1 }
      }
      #expect(counts.reduce(0, +) == draws)
      for (count, expected) in zip(counts, example.expected) {
        // Five standard deviations at the most.
        #expect(abs(Double(count) / Double(draws) - expected) < 5 * (0.25 / Double(draws)).squareRoot())
        if expected == 0 { #expect(count == 0, "case \(seed)") }
      }
    }
  }

  /// The best token's surprise is far from the entropy where one token is certain to be said and many share the rest.
  @Test func typicalSamplingCanDropTheBest() {
    // 0.4, and 60 tokens of 0.01: the entropy is nearer to the surprise of 0.01.
    let scores = [Float(log(0.4))] + [Float](repeating: Float(log(0.01)), count: 60)
    var sampler = Sampler(.init(temperature: 1, typicalP: 0.3, seed: 1))
    let drawn = Set((0..<500).compactMap { _ in sampler.draw(from: scores)?.token })
    #expect(!drawn.contains(0) && drawn.count > 20)
  }

  @Test func oneAndNilKeepEverything() {
    var free = Sampler(.init(temperature: 1, seed: 3))
    var one = Sampler(.init(temperature: 1, typicalP: 1, topNSigma: 1000, seed: 3))
    for _ in 0..<200 {
      #expect(free.draw(from: SamplerTests.scores) == one.draw(from: SamplerTests.scores))
    }
  }

  // MARK: Settings

  @Test(arguments: [-2.01, 2.01, .infinity, .nan] as [Float])
  func penaltiesOutOfRangeAreTypedErrors(value: Float) {
    #expect(throws: StrategyError.self) { try OccurrencePenalty(frequency: value) }
    #expect(throws: StrategyError.self) { try OccurrencePenalty(presence: value) }
    #expect(throws: StrategyError.self) { try Penalties(frequency: value).validate() }
    #expect(throws: StrategyError.self) { try Penalties(presence: value).validate() }
    let error = #expect(throws: StrategyError.self) { try TokenBias([7: value * 50]) }
    #expect(error?.description.contains("for token 7") == true)
  }

  @Test func filtersAndLengthsOutOfRangeAreTypedErrors() {
    for wrong in [0, -0.1, 1.1, .nan] as [Float] {
      #expect(throws: StrategyError.self) { try SamplingParameters(typicalP: wrong).validate() }
    }
    for wrong in [0, -1, .infinity, .nan] as [Float] {
      #expect(throws: StrategyError.self) { try SamplingParameters(topNSigma: wrong).validate() }
    }
    var options = GenerationOptions()
    options.minimumTokens = -1
    #expect(throws: StrategyError.self) { try options.validate() }
  }

  @Test func whatIsSetIsStored() throws {
    var options = PenaltyTests.options
    options.penalties.presence = 0.5
    options.bias = [5: -100, 7: 1.5]
    options.minimumTokens = 3
    options.ignoresEnd = true
    options.sampling.typicalP = 0.9
    options.sampling.topNSigma = 1.5
    let json = try PenaltyTests.json(options)
    #expect(json.contains(#""bias":{"5":-100,"7":1.5}"#))
    #expect(json.contains(#""penalties":{"presence":0.5,"repetition":1}"#))
    #expect(try JSONDecoder().decode(GenerationOptions.self, from: Data(json.utf8)) == options)
    let wrong = json.replacing(#""7":"#, with: #""x":"#)
    #expect(throws: DecodingError.self) {
      try JSONDecoder().decode(GenerationOptions.self, from: Data(wrong.utf8))
    }
  }

  // MARK: In the engine

  static func request(_ seed: UInt64, _ change: (inout GenerationOptions) -> Void = { _ in })
    -> GenerationRequest
  {
    var request = DecodingChainTests.request(Plain(), seed: seed, options: .init(maximumTokens: 300))
    change(&request.options)
    return request
  }

  @Test func aReplyCanBeKeptFromEnding() async throws {
    let engine = try await EngineTests.engine()
    var ended = 0
    for seed: UInt64 in 0..<4 {
      let free = try await engine.generate(Self.request(seed)).reply()
      guard free.stopReason == .stop else { continue }
      ended += 1
      let length = free.tokens.count
      let longer = try await engine.generate(Self.request(seed) { $0.minimumTokens = length + 1 }).reply()
      #expect(longer.tokens.count > length)
      #expect(longer.tokens.prefix(length).map(\.id) == free.tokens.map(\.id))
      // The turn may end where it would have.
      let same = try await engine.generate(Self.request(seed) { $0.minimumTokens = length }).reply()
      #expect(same.tokens.map(\.id) == free.tokens.map(\.id) && same.stopReason == .stop)
      let endless = try await engine.generate(Self.request(seed) { $0.ignoresEnd = true }).reply()
      #expect(endless.tokens.count == 300 && endless.stopReason == .length)
    }
    #expect(ended >= 2)
  }

  @Test func penaltiesAndBiasChangeRepliesInTheirOrder() async throws {
    let engine = try await EngineTests.engine()
    let free = try await engine.generate(Self.request(5)).reply()
    let first = try #require(free.tokens.first?.id)
    let forced = try await engine.generate(
      Self.request(5) {
        $0.bias = [64: 100]
        $0.maximumTokens = 5
      }
    ).reply()
    #expect(forced.tokens.map(\.id) == [64, 64, 64, 64, 64])
    // The bias comes behind the penalties, so that these do not scale it.
    let penalised = try await engine.generate(
      Self.request(5) {
        $0.bias = [64: 100]
        $0.penalties = Penalties(repetition: 10, frequency: 2, presence: 2)
        $0.maximumTokens = 5
      }
    ).reply()
    #expect(penalised.tokens.map(\.id) == [64, 64, 64, 64, 64])
    let banned = try await engine.generate(Self.request(5) { $0.bias = [first: -100] }).reply()
    #expect(!banned.tokens.contains { $0.id == first })
  }

  @Test func aBiasOnNoTokenIsRefused() async throws {
    let engine = try await EngineTests.engine()
    for token: TokenID in [-1, 129] {
      await #expect(throws: GenerationError.self) {
        try await engine.generate(Self.request(1) { $0.bias = [token: 1] }).reply()
      }
    }
    #expect(await engine.freeLanes == 8)
  }
}
