import Foundation
import SelfCD
import Testing

/// The repetition penalty on rows of scores, and penalties as settings.
@Suite struct PenaltyTests {
  /// Token by token, from the prompt and the reply as they stand.
  static func naive(_ scores: [Float], prompt: [TokenID], reply: [TokenID], penalty: Float) -> [Float] {
    scores.indices.map { index in
      guard (prompt + reply).contains(TokenID(index)) else { return scores[index] }
      return scores[index] > 0 ? scores[index] / penalty : scores[index] * penalty
    }
  }

  static func processed(
    _ scores: [Float], prompt: [TokenID], reply: [TokenID], penalty: Float
  ) throws -> [Float] {
    var processor = try RepetitionPenalty(penalty)
    processor.begin(after: prompt)
    for token in reply { processor.accept(token) }
    var row = scores
    processor.process(&row, step: reply.count)
    return row
  }

  @Test(arguments: 0..<100) func equalsTheFormulaTokenByToken(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    let count = Int.random(in: 1...300, using: &random)
    func tokens(_ most: Int) -> [TokenID] {
      (0..<Int.random(in: 0...most, using: &random)).map { _ in
        TokenID(Int.random(in: 0..<count, using: &random))
      }
    }
    let scores = (0..<count).map { _ -> Float in
      Int.random(in: 0..<10, using: &random) == 0 ? -.infinity : Float.random(in: -30...30, using: &random)
    }
    let (prompt, reply) = (tokens(80), tokens(40))
    let penalty = [Float.random(in: 0.05...10, using: &random), 1, 10, 0.5][Int(seed % 4)]
    #expect(
      try Self.processed(scores, prompt: prompt, reply: reply, penalty: penalty)
        == Self.naive(scores, prompt: prompt, reply: reply, penalty: penalty))
  }

  // MARK: Golden

  struct Golden: Decodable {
    struct Case: Decodable {
      let penalty: Float
      let prompt: [TokenID]
      let reply: [TokenID]
      let scores: [Float?]
      let expected: [Float?]
    }
    let cases: [Case]
  }

  /// `Fixtures/make_penalty_golden.py` writes it with numpy.
  @Test func equalsHuggingFacesFormulaInNumpy() throws {
    let file = try #require(Bundle.module.url(forResource: "penalty_golden", withExtension: "json"))
    let golden = try JSONDecoder().decode(Golden.self, from: Data(contentsOf: file))
    #expect(golden.cases.count == 28)
    var changed = 0
    for example in golden.cases {
      let scores = example.scores.map { $0 ?? -.infinity }
      let result = try Self.processed(
        scores, prompt: example.prompt, reply: example.reply, penalty: example.penalty)
      #expect(result == example.expected.map { $0 ?? -.infinity }, "penalty \(example.penalty)")
      if result != scores { changed += 1 }
    }
    #expect(changed >= 15)
  }

  // MARK: Edges

  @Test func excludedTokensStayExcludedAndNumbersStayNumbers() throws {
    let largest = Float.greatestFiniteMagnitude
    let scores: [Float] = [-.infinity, .infinity, -largest, largest, 0, .nan, 3]
    // Tokens outside the row are nobody's.
    let tokens: [TokenID] = [0, 1, 2, 3, 4, 5, 700, -1]
    for penalty: Float in [10, 1e-30] {
      let row = try Self.processed(scores, prompt: tokens, reply: [], penalty: penalty)
      #expect(row[0] == -.infinity && row[1] == .infinity && row[4] == 0 && row[5].isNaN && row[6] == 3)
      #expect(row[2].isFinite && row[2] < 0 && row[3].isFinite && row[3] > 0)
    }
  }

  @Test func aCopyIsASnapshot() throws {
    var processor = try RepetitionPenalty(2)
    processor.begin(after: [0])
    let snapshot = processor
    processor.accept(1)
    #expect(processor != snapshot)
    func row(_ processor: RepetitionPenalty) -> [Float] {
      var copy = processor
      var row: [Float] = [4, 4, 4]
      copy.process(&row, step: 1)
      return row
    }
    #expect(row(processor) == [2, 2, 4])
    #expect(row(snapshot) == [2, 4, 4])
  }

  // MARK: Settings

  @Test(arguments: [0, -1, 10.01, .infinity, .nan, -.infinity] as [Float])
  func outOfRangeIsATypedError(penalty: Float) {
    func expectRefusal(_ body: () throws -> Void) {
      let error = #expect(throws: StrategyError.self, performing: body)
      guard case .outOfRange("repetition-penalty", _, let allowed) = error else {
        Issue.record("\(String(describing: error))")
        return
      }
      #expect(allowed.contains("at most 10"))
    }
    expectRefusal { _ = try RepetitionPenalty(penalty) }
    expectRefusal { try Penalties(repetition: penalty).validate() }
    expectRefusal { try GenerationOptions(penalties: Penalties(repetition: penalty)).validate() }
  }

  @Test(arguments: [1e-6, 0.5, 1, 1.2, 10] as [Float]) func withinRangeIsTaken(penalty: Float) throws {
    try GenerationOptions(penalties: Penalties(repetition: penalty)).validate()
    #expect(Penalties(repetition: penalty).isNeutral == (penalty == 1))
  }

  /// As runs stored it before there were penalties.
  static let stored = """
    {"contrastStart":"answer","maximumTokens":200,"sampling":{"seed":7,"temperature":0.5,"topK":3},\
    "stopStrings":["x"],"summarizedSteps":16,"traceCandidates":2}
    """
  static let options = GenerationOptions(
    sampling: .init(temperature: 0.5, topK: 3, seed: 7), stopStrings: ["x"], traceCandidates: 2,
    summarizedSteps: 16)

  static func json(_ options: GenerationOptions) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    return String(decoding: try encoder.encode(options), as: UTF8.self)
  }

  @Test func optionsWithoutPenaltiesAreStoredAsBefore() throws {
    #expect(try Self.json(Self.options) == Self.stored)
    #expect(try JSONDecoder().decode(GenerationOptions.self, from: Data(Self.stored.utf8)) == Self.options)
  }

  @Test func penaltiesAreStoredWithTheOptions() throws {
    var options = Self.options
    options.penalties.repetition = 1.2
    let json = try Self.json(options)
    #expect(json.contains(#""penalties":{"repetition":1.2}"#))
    let read = try JSONDecoder().decode(GenerationOptions.self, from: Data(json.utf8))
    #expect(read == options && read != Self.options)
  }
}
