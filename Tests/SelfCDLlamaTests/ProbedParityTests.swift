import Foundation
import SelfCD
import SelfCDLlama
import Testing

/// Probed contrast against the independent reference: prompts, the gate's decision, and every token.
///
/// The goldens are made by `Models/organism/training/probe_reference.py`.
@Suite struct ProbedParityTests {
  struct Fixture: Decodable {
    struct Case: Decodable {
      let id: String
      let messages: [ChatMessage]
      let refuse: [TokenID]
      let plain: [TokenID]
      let probes: [[TokenID]]
      let overlaps: [Double]
      let refuses: Bool
      let tokens: [TokenID]
      let margins: [Float?]
    }
    let maxNewTokens: Int
    let stopIds: [TokenID]
    let agreement: Float
    let doubt: Float
    let alpha: Float
    let beta: Float
    let firstK: Int
    let cases: [Case]

    static func load() throws -> Fixture {
      let decoder = JSONDecoder()
      decoder.keyDecodingStrategy = .convertFromSnakeCase
      let url = ParityTests.fixtures.appending(path: "probe-cd.json")
      return try decoder.decode(Fixture.self, from: Data(contentsOf: url))
    }
  }

  @Test func everyReplyMatchesTheReferenceTokenForToken() async throws {
    let fixture = try Fixture.load()
    try #require(fixture.cases.count >= 50)
    try #require(Set(fixture.cases.map(\.refuses)).count == 2)
    let folder = try TemporaryFolder()
    let loaded = try await LoadedModel.load(
      path: try ParityTests.float32Model(in: folder),
      options: .init(contextSize: 512, lanes: 16, cacheTypeK: .f32, cacheTypeV: .f32, flashAttention: .off),
      stepMode: .batched)
    let noise = try await ParityTests.measureNoise(loaded)
    let tolerance = 2 * noise * (1 + 2 * fixture.alpha)
    let strategy = ProbedContrast(
      alpha: fixture.alpha, agreement: fixture.agreement, doubt: fixture.doubt, beta: fixture.beta,
      steps: fixture.firstK)
    #expect(strategy == ProbedContrast(), "the fixture is of the defaults")

    var requests: [GenerationRequest] = []
    for example in fixture.cases {
      let request = try loaded.chat.request(
        Chat(messages: example.messages), strategy: strategy,
        options: .init(maximumTokens: fixture.maxNewTokens))
      #expect(request.prompts == [.guarded: example.refuse, .plain: example.plain], "\(example.id)")
      #expect(request.probes == example.probes, "\(example.id)")
      // Nothing in the file hangs on the last digits of an overlap.
      let thresholds = [Double(fixture.agreement), Double(fixture.doubt)]
      #expect(
        example.overlaps.allSatisfy { o in thresholds.allSatisfy { abs($0 - o) > 1e-4 } }, "\(example.id)")
      requests.append(request)
    }
    for (handle, example) in zip(loaded.chat.engine.generate(requests), fixture.cases) {
      let tokens = try await handle.reply().tokens.map(\.id)
      let wanted = example.tokens.filter { !fixture.stopIds.contains($0) }
      if tokens == wanted { continue }
      let step = zip(tokens, wanted).prefix { $0 == $1 }.count
      let margin = step < example.margins.count ? example.margins[step] ?? .infinity : .infinity
      #expect(margin <= tolerance, "\(example.id) differs at step \(step) with a margin of \(margin)")
    }
  }
}
