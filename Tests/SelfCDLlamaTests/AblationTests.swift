import CLlama
import SelfCD
import Testing

@testable import SelfCDLlama

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

  /// Does what an ablation does, and looks at what is left.
  final class Watcher: EvalHook {
    let ablation: DirectionAblation
    let vector: [Float]
    /// The projection on the vector relative to the state's length, the greatest at any layer's output, and before.
    var left: Float = 0
    var before: Float = 0

    init(_ vector: FalseRefusalVector) {
      ablation = DirectionAblation(vector)
      self.vector = vector.vector
    }

    func wants(_ name: ResultName) -> Bool { ablation.wants(name) }

    func receive(_ name: ResultName, _ tensor: Tensor) {
      before = max(before, projection(tensor))
      ablation.receive(name, tensor)
      left = max(left, projection(tensor))
    }

    private func projection(_ tensor: Tensor) -> Float {
      guard let values = TensorValues.copy(tensor) else { return .infinity }
      return stride(from: 0, to: values.count, by: vector.count).reduce(0) { greatest, start in
        let state = values[start..<(start + vector.count)]
        let length = state.reduce(0) { $0 + $1 * $1 }.squareRoot()
        return max(greatest, abs(zip(state, vector).reduce(0) { $0 + $1.0 * $1.1 }) / max(length, 1e-6))
      }
    }
  }

  @Test("leaves nothing of the vector at any place, and sees every layer")
  func leavesNothing() async throws {
    let loaded = try await TestModel.load()
    let model = loaded.model
    let prompts = try prompts(loaded)
    let watcher = Watcher(try await vector(LlamaInspector(model: model), prompts))
    #expect(watcher.ablation.missing(ofLayers: model.layerCount) == "the embeddings")
    let box = EvalHookBox(watcher)
    var parameters = llama_context_default_params()
    parameters.n_ctx = 256
    box.install(in: &parameters)
    let context = try #require(llama_init_from_model(model.handle, parameters))
    defer { llama_free(context) }
    var tokens = prompts[0]
    let status = withExtendedLifetime(box) {
      tokens.withUnsafeMutableBufferPointer {
        llama_decode(context, llama_batch_get_one($0.baseAddress, Int32($0.count)))
      }
    }
    #expect(status == 0)
    #expect(watcher.before > 0.01 && watcher.left < 1e-5)
    #expect(watcher.ablation.missing(ofLayers: model.layerCount) == nil)
    #expect(
      watcher.ablation.missing(ofLayers: model.layerCount + 1) == "the middle of layer \(model.layerCount)")
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
