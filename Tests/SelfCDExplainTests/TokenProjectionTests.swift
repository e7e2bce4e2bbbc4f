import SelfCD
import SelfCDExplain
import SelfCDTesting
import Testing

@Suite struct TokenProjectionTests {
  /// The state of a token behind layer 1 is its number, along the first axis.
  struct NumberInspector: ModelInspector {
    func attention(over tokens: [TokenID]) async throws -> AttentionMaps { throw CancellationError() }
    func saliency(of target: TokenID?, after tokens: [TokenID]) async throws -> AttentionSaliency {
      throw CancellationError()
    }
    func residuals(of tokens: [TokenID], at positions: [Int]) async throws -> ResidualStates {
      ResidualStates(layers: [
        positions.map { _ in [-1, -1] }, positions.map { [Float(tokens[$0]), 7] },
      ])
    }
  }

  @Test func everyTokenOfEachPromptIsProjected() async throws {
    let model = try await WordModel { _, _ in -3 }.model
    let refusal = try RefusalDirection(harmful: [3, 1], harmless: [1, 1], layer: 1, position: -1)
    let views: [any DecodingStrategy] = [Guarded(emphasis: WordModel.emphasis), Plain()]
    let chat = Chat(question: "kill it?")
    let tokens = try await TokenProjection.measure(
      chat, views: views, on: refusal, model: model, inspector: NumberInspector(),
      vocabulary: ByteVocabulary(), name: { "token \($0)" })
    var rest = tokens[...]
    for strategy in views {
      let lane = try #require(strategy.lanes(for: chat).first)
      let prompt = try model.renderer.render(lane.chat)
      let own = rest.prefix(prompt.tokens.count)
      rest = rest.dropFirst(prompt.tokens.count)
      #expect(own.allSatisfy { $0.view == strategy.name })
      #expect(own.map(\.projection) == prompt.tokens.map { Double($0) })
      #expect(own.map(\.text).joined() == prompt.text)
    }
    #expect(rest.isEmpty && tokens.first?.view == "guarded")
  }
}
