import SelfCD
import SelfCDLlama
import Testing

@Suite("Ablation of a false-refusal vector")
struct AblationTests {
  private func prompts(_ loaded: LoadedModel) throws -> [[TokenID]] {
    try TestModel.questions.map { try loaded.chat.renderer.render(Chat(question: $0)).tokens }
  }

  /// Any vector that is not refusal will do.
  private func vector(_ inspector: LlamaInspector, _ prompts: [[TokenID]]) async throws -> FalseRefusalVector
  {
    var states: [[Double]] = []
    for tokens in prompts.prefix(4) {
      states.append(
        try await inspector.residuals(of: tokens, at: [tokens.count - 1]).layers[1][0].map(Double.init))
    }
    let refusal = try RefusalDirection(harmful: states[0], harmless: states[1], layer: 1, position: -1)
    return try FalseRefusalVector(
      pseudoHarmful: states[2], harmless: states[3], layer: 1, position: -1, orthogonalTo: refusal)
  }

  @Test("changes what the model says next, while the model itself and its weights stay as they were")
  func changes() async throws {
    let loaded = try await TestModel.load()
    let inspector = LlamaInspector(model: loaded.model)
    let prompts = try prompts(loaded)
    let vector = try await vector(inspector, prompts)
    var options = LlamaOptions()
    options.lanes = 4
    options.contextSize = 512
    let edited = try await loaded.ablating(vector, options: options)
    let chat = Chat(question: TestModel.questions[0])
    let before = try await loaded.chat.reply(to: chat, strategy: Plain(), options: .init(maximumTokens: 24))
      .text
    let other = try await edited.chat.reply(to: chat, strategy: Plain(), options: .init(maximumTokens: 24))
      .text
    let after = try await loaded.chat.reply(to: chat, strategy: Plain(), options: .init(maximumTokens: 24))
      .text
    #expect(before == after)
    #expect(before != other)
  }

  @Test("a vector of another width is refused before anything runs")
  func width() async throws {
    let loaded = try await TestModel.load()
    let refusal = try RefusalDirection(harmful: [1, 0, 0], harmless: [0, 0, 0], layer: 0, position: -1)
    let vector = try FalseRefusalVector(
      pseudoHarmful: [1, 1, 0], harmless: [0, 0, 0], layer: 0, position: -1, orthogonalTo: refusal)
    await #expect(throws: LlamaError.self) { _ = try await loaded.ablating(vector, options: .init()) }
  }
}
