import CLlama
import Foundation
import SelfCD
import Testing

@testable import SelfCDLlama

/// Adapters on small random models in float32, against the same models with the adapter merged into their weights.
@Suite struct AdapterTests {
  private let folder: TemporaryFolder
  private let base: String
  private let width: Int
  private let changes: [AdapterFiles.Change]
  private let tokens: [TokenID]

  init() throws {
    folder = try TemporaryFolder()
    let fixture = try #require(FlowFixture.shared)
    let model = try #require(fixture.models.first { $0.name == "llama" })
    base = try folder.write(TinyModel(model, vocabulary: fixture.vocabulary).data(), as: "base.gguf")
    tokens = model.golden.tokens
    func change(_ name: String, rank: Int) throws -> AdapterFiles.Change {
      // Rows, columns: a matrix takes its columns and gives its rows.
      let shape = try #require(model.tensors.first { $0.name == name }).shape
      return .init(tensor: name, input: shape[1], output: shape[0], rank: rank)
    }
    changes = [
      try change("blk.0.attn_q.weight", rank: 2), try change("blk.1.ffn_down.weight", rank: 3),
      try change("blk.0.attn_v.weight", rank: 1),
    ]
    width = changes[0].input
  }

  private func path(_ name: String) -> String { folder.url.appending(path: name).path }

  private func model(_ path: String, _ adapters: [ModelAdapter] = []) throws -> LlamaModel {
    try LlamaModel(path: path, options: .init(adapters: adapters))
  }

  /// What the engine's own backend says of the last token.
  private func logits(_ model: LlamaModel) throws -> [Float] {
    let backend = try LlamaBackend(
      model: model,
      options: .init(
        contextSize: 256, lanes: 1, cacheTypeK: .f32, cacheTypeV: .f32, flashAttention: .off),
      abort: AbortSignal())
    var rows = LogitRows(vocabularySize: model.vocabularySize)
    try backend.decode(
      [LaneAppend(lane: LaneID(0), tokens: tokens[...], logits: .last)], into: &rows)
    return rows[0]
  }

  private func distance(_ first: [Float], _ second: [Float]) -> Float {
    zip(first, second).map { abs($0 - $1) }.max() ?? .infinity
  }

  @Test func aLoRAComputesWhatItsMergedModelComputes() async throws {
    try AdapterFiles.lora(changes, to: path("lora.gguf"))
    try AdapterFiles.merge(changes, scale: 0.05, into: base, to: path("merged.gguf"))
    let merged = try model(path("merged.gguf"))
    let adapted = try model(base, [.init(.lora, path: path("lora.gguf"), scale: 0.05)])
    #expect(distance(try logits(adapted), try logits(merged)) < 1e-4)
    #expect(distance(try logits(adapted), try logits(model(base))) > 1e-2)

    // Gradients are computed from the files, not by libllama: the adapter has to be in both.
    let theirs = try await LlamaInspector(model: merged).saliency(of: nil, after: tokens)
    let ours = try await LlamaInspector(model: adapted).saliency(of: nil, after: tokens)
    #expect(ours.target == theirs.target && abs(ours.loss - theirs.loss) < 1e-4)
    for (first, second) in zip(ours.gradient.joined().joined(), theirs.gradient.joined().joined()) {
      #expect(abs(first - second) < 1e-4)
    }
    #expect(ours.agreement.attention < 1e-4 && ours.agreement.nextToken < 1e-4)
  }

  @Test func severalAdaptersAddUpAndAScaleOfZeroIsNone() throws {
    try AdapterFiles.lora([changes[0]], to: path("first.gguf"))
    try AdapterFiles.lora([changes[1]], to: path("second.gguf"))
    try AdapterFiles.merge([changes[0], changes[1]], scale: 0.1, into: base, to: path("merged.gguf"))
    let both = try model(
      base, ["first", "second"].map { .init(.lora, path: path("\($0).gguf"), scale: 0.1) })
    let apart = distance(try logits(both), try logits(model(path("merged.gguf"))))
    #expect(apart < 1e-4, "\(apart)")
    let none = try model(base, [.init(.lora, path: path("first.gguf"), scale: 0)])
    #expect(try logits(none) == logits(model(base)))
  }

  @Test func aControlVectorIsAddedBehindItsLayers() async throws {
    try AdapterFiles.controlVector([1, 2], width: width, to: path("vector.gguf"))
    let vector = AdapterFiles.noise(width, seed: "direction.1")
    let adapted = try model(
      base, [.init(.controlVector, path: path("vector.gguf"), scale: 0.5, layers: 1...1)])
    let last = [tokens.count - 1]
    let before = try await LlamaInspector(model: model(base)).residuals(of: tokens, at: last)
    let after = try await LlamaInspector(model: adapted).residuals(of: tokens, at: last)
    #expect(distance(before.layers[0][0], after.layers[0][0]) == 0)
    let expected = zip(before.layers[1][0], vector).map { $0 + 0.5 * $1 }
    #expect(distance(after.layers[1][0], expected) < 1e-5)
    // The engine sees it too, and the gradient's own computation agrees with libllama's.
    #expect(distance(try logits(adapted), try logits(model(base))) > 1e-3)
    let saliency = try await LlamaInspector(model: adapted).saliency(of: nil, after: tokens)
    #expect(saliency.agreement.attention < 1e-4 && saliency.agreement.nextToken < 1e-4)
  }

  @Test func controlVectorsAddUp() throws {
    try AdapterFiles.controlVector([1], width: width, to: path("vector.gguf"))
    let twice = try model(
      base, Array(repeating: .init(.controlVector, path: path("vector.gguf"), scale: 0.25), count: 2))
    let once = try model(base, [.init(.controlVector, path: path("vector.gguf"), scale: 0.5)])
    #expect(distance(try logits(twice), try logits(once)) < 1e-5)
  }

  @Test func anAdapterOfTheEmbeddingsRunsButHasNoGradient() async throws {
    let fixture = try #require(FlowFixture.shared)
    let untied = try #require(
      fixture.models.first { model in
        model.architecture == "llama" && model.tensors.contains { $0.name == "output.weight" }
      })
    let path = try folder.write(TinyModel(untied, vocabulary: fixture.vocabulary).data(), as: "untied.gguf")
    let plain = try model(path)
    try AdapterFiles.embeddingLoRA(
      vocabulary: plain.vocabularySize, width: plain.embeddingLength, to: self.path("lora.gguf"))
    let adapted = try model(path, [.init(.lora, path: self.path("lora.gguf"), scale: 0.1)])
    #expect(distance(try logits(adapted), try logits(plain)) > 1e-3)
    await #expect(throws: InspectionError.self) {
      try await LlamaInspector(model: adapted).saliency(of: nil, after: tokens)
    }
  }

  /// libllama aborts the process there.
  @Test func anAdapterOfEmbeddingsThatAreTheOutputTooIsRefused() throws {
    let fixture = try #require(FlowFixture.shared)
    let recipe = try #require(fixture.models.first { $0.name == "llama" })
    var tied = TinyModel(recipe, vocabulary: fixture.vocabulary)
    tied.leavesOut = ["output.weight"]
    let path = try folder.write(tied.data(), as: "tied.gguf")
    let plain = try model(path)
    try AdapterFiles.embeddingLoRA(
      vocabulary: plain.vocabularySize, width: plain.embeddingLength, to: self.path("lora.gguf"))
    #expect(throws: AdapterError.self) { try model(path, [.init(.lora, path: self.path("lora.gguf"))]) }
  }

  // MARK: What does not fit

  /// The error of loading the base with this file.
  private func problem(_ kind: ModelAdapter.Kind, _ name: String, layers: ClosedRange<Int>? = nil)
    -> any Error
  {
    do {
      _ = try model(base, [.init(kind, path: path(name), layers: layers)])
      struct Loaded: Error {}
      return Loaded()
    } catch { return error }
  }

  @Test func whatIsNoAdapterIsNamed() throws {
    #expect(problem(.lora, "none.gguf") as? ModelFileError == .notFound(path: path("none.gguf")))
    guard case .notAnAdapter(_, .lora, let found)? = problem(.lora, "base.gguf") as? AdapterError else {
      Issue.record("a model is taken for an adapter")
      return
    }
    #expect(found.contains("does not say"))
    _ = try folder.write(Data("hello".utf8), as: "text.gguf")
    #expect(problem(.lora, "text.gguf") is ModelFileError)
    #expect(problem(.controlVector, "base.gguf") as? AdapterError != nil)
    try AdapterFiles.lora([], to: path("empty.gguf"))
    #expect(problem(.lora, "empty.gguf") as? AdapterError != nil)
    try AdapterFiles.lora(changes, to: path("other.gguf")) { gguf_set_val_str($0, "adapter.type", "ia3") }
    #expect("\(problem(.lora, "other.gguf"))".contains("'ia3'"))
  }

  @Test func anAdapterOfAnotherModelIsRefused() throws {
    try AdapterFiles.lora(changes, architecture: "qwen2", to: path("family.gguf"))
    #expect(
      problem(.lora, "family.gguf") as? AdapterError
        == .otherArchitecture(path: path("family.gguf"), adapter: "qwen2", model: "llama"))
    let wide = AdapterFiles.Change(
      tensor: changes[0].tensor, input: changes[0].input + 1, output: changes[0].output, rank: 2)
    try AdapterFiles.lora([wide], to: path("wide.gguf"))
    #expect("\(problem(.lora, "wide.gguf"))".contains("does not fit this model"))
    let missing = AdapterFiles.Change(tensor: "blk.99.attn_q.weight", input: 4, output: 4, rank: 1)
    try AdapterFiles.lora([missing], to: path("deep.gguf"))
    #expect("\(problem(.lora, "deep.gguf"))".contains("the model has no tensor 'blk.99.attn_q.weight'"))
    try AdapterFiles.controlVector([1], width: width + 1, to: path("broad.gguf"))
    #expect("\(problem(.controlVector, "broad.gguf"))".contains("does not fit this model"))
    try AdapterFiles.controlVector([99], width: width, to: path("far.gguf"))
    #expect("\(problem(.controlVector, "far.gguf"))".contains("layer 99"))
    try AdapterFiles.controlVector([1], width: width, to: path("near.gguf"))
    #expect("\(problem(.controlVector, "near.gguf", layers: 2...2))".contains("layers 2 to 2"))
  }

  /// libllama looks at two dimensions and at no type: such files ended the process, or read beyond a buffer.
  @Test func factorsOfAnotherDepthOrOfWholeNumbersAreRefused() throws {
    let change = changes[0]
    func factor(_ suffix: String, _ dimensions: [Int], type: ggml_type = GGML_TYPE_F32) -> AdapterFiles.Matrix
    {
      let count = dimensions.reduce(1, *)
      return .init(
        name: change.tensor + suffix, dimensions: dimensions, values: AdapterFiles.noise(count, seed: suffix),
        type: type)
    }
    let (a, b) = ([change.input, 2], [2, change.output])
    let cases = [
      [factor(".lora_a", a + [3]), factor(".lora_b", b)], [factor(".lora_a", a), factor(".lora_b", b + [3])],
      [factor(".lora_a", a + [3]), factor(".lora_b", b + [3])],
      [factor(".lora_a", a, type: GGML_TYPE_I32), factor(".lora_b", b)],
    ]
    for (index, matrices) in cases.enumerated() {
      try AdapterFiles.lora(matrices: matrices, to: path("\(index).gguf"))
      #expect(problem(.lora, "\(index).gguf") is AdapterError, "case \(index)")
    }
    try AdapterFiles.lora(matrices: [factor(".lora_a", a), factor(".lora_b", b)], to: path("right.gguf"))
    _ = try model(base, [.init(.lora, path: path("right.gguf"))])
  }

  /// `ggml_mul_mat_id` would read the factors of experts that are not there.
  @Test func expertsHaveToBeAsManyAsTheModels() throws {
    let fixture = try #require(FlowFixture.shared)
    let recipe = try #require(fixture.models.first { $0.name == "llama" })
    var mixture = TinyModel(recipe, vocabulary: fixture.vocabulary)
    let name = "blk.0.ffn_gate_exps.weight"
    mixture.adds = [.init(name: name, shape: [4, 8, 16], scale: 1, offset: 0)]
    let file = try GGUFFile(path: try folder.write(mixture.data(), as: "mixture.gguf"))
    func factors(_ a: [Int], _ b: [Int]) throws -> String {
      let matrices = [(".lora_a", a), (".lora_b", b)].map { suffix, dimensions in
        AdapterFiles.Matrix(
          name: name + suffix, dimensions: dimensions,
          values: AdapterFiles.noise(dimensions.reduce(1, *), seed: suffix))
      }
      try AdapterFiles.lora(matrices: matrices, to: path("experts.gguf"))
      return path("experts.gguf")
    }
    #expect(try LoRAFile(path: factors([16, 2, 4], [2, 8, 4]), for: file).pairs.count == 1)
    for (a, b) in [
      ([16, 2, 3], [2, 8, 3]), ([16, 2, 3], [2, 8, 4]), ([16, 2, 4], [2, 8, 3]), ([16, 2], [2, 8]),
      ([16, 2, 5], [2, 8, 5]),
    ] {
      let adapter = try factors(a, b)
      let error = #expect(throws: AdapterError.self) { try LoRAFile(path: adapter, for: file) }
      #expect(error?.description.contains("which is 16 × 8 × 4") == true, "\(a), \(b)")
    }
  }

  @Test func numbersThatAreNotFiniteAreRefused() throws {
    let change = changes[0]
    for (index, bad) in [Float.nan, .infinity, -.infinity].enumerated() {
      for type in [GGML_TYPE_F32, GGML_TYPE_F16] {
        var a = AdapterFiles.Matrix(
          name: change.tensor + ".lora_a", dimensions: [change.input, change.rank], values: change.a,
          type: type)
        var b = AdapterFiles.Matrix(
          name: change.tensor + ".lora_b", dimensions: [change.rank, change.output], values: change.b,
          type: type)
        try AdapterFiles.lora(matrices: [a, b], to: path("sound.gguf"))
        _ = try model(base, [.init(.lora, path: path("sound.gguf"))])
        if index == 1 { a.values[a.values.count - 1] = bad } else { b.values[0] = bad }
        try AdapterFiles.lora(matrices: [a, b], to: path("bad.gguf"))
        let error = problem(.lora, "bad.gguf")
        #expect("\(error)".contains("has a number that is not finite"), "\(bad): \(error)")
      }
      var values = AdapterFiles.noise(width, seed: "direction.1")
      values[width / 2] = bad
      try AdapterFiles.controlVector(
        matrices: [.init(name: "direction.1", dimensions: [width], values: values)], to: path("bad.gguf"))
      #expect(
        "\(problem(.controlVector, "bad.gguf"))".contains("'direction.1' has a number that is not finite"))
    }
  }

  /// What is skipped would have no effect, and its user would believe it had.
  @Test(arguments: [
    "direction.0", "direction.-1", "direction.x", "direction.", "direction.01", "output.weight",
  ])
  func aTensorThatIsNoVectorOfALayerIsRefused(name: String) throws {
    let values = AdapterFiles.noise(width, seed: "direction")
    try AdapterFiles.controlVector(
      matrices: ["direction.1", name].map { .init(name: $0, dimensions: [width], values: values) },
      to: path("foreign.gguf"))
    guard
      case .notAnAdapter(_, .controlVector, let found)? = problem(.controlVector, "foreign.gguf")
        as? AdapterError
    else {
      Issue.record("\(name) is skipped")
      return
    }
    #expect(found.contains("'\(name)'"))
  }

  @Test func whatIsWrongWithAnAdapterIsNotBlamedOnMemory() {
    let errors: [AdapterError] = [
      .refused(path: "a.gguf", reason: "bad key"), .refused(path: "a.gguf", reason: "it gave no reason."),
      .notApplied(kind: .lora), .notApplied(kind: .controlVector),
    ]
    for error in errors {
      let text = error.description
      #expect(!text.contains("--ctx-size") && !text.contains(".."), "\(text)")
      #expect(text.contains("Convert it again") || text.contains("one by one"), "\(text)")
    }
  }

  @Test func theFamilyThatAControlVectorNamesIsAHint() throws {
    try AdapterFiles.controlVector([1], width: width, architecture: "mistral", to: path("repeng.gguf"))
    _ = try model(base, [.init(.controlVector, path: path("repeng.gguf"))])
  }

  /// libllama aborts the process where these keys have another type than it expects.
  @Test func keysOfAnotherTypeAreAnError() throws {
    let edits: [(OpaquePointer) -> Void] = [
      { gguf_set_val_u32($0, "adapter.lora.alpha", 16) }, { gguf_set_val_f64($0, "adapter.lora.alpha", 16) },
      { gguf_set_val_str($0, "adapter.lora.alpha", "16") },
      { gguf_set_val_f32($0, "adapter.lora.alpha", .nan) }, { gguf_set_val_u32($0, "adapter.type", 1) },
      { gguf_set_val_u32($0, "general.type", 1) }, { gguf_set_val_u32($0, "general.architecture", 1) },
      { gguf_set_val_u32($0, "adapter.alora.invocation_tokens", 1) },
    ]
    for (index, edit) in edits.enumerated() {
      try AdapterFiles.lora(changes, to: path("\(index).gguf"), edit: edit)
      let error = problem(.lora, "\(index).gguf")
      #expect(error is AdapterError || error is ModelFileError, "edit \(index): \(error)")
    }
  }

  @Test func aHalfOfAPairAndACutFileAreErrors() throws {
    try AdapterFiles.lora(changes, to: path("lora.gguf"))
    let whole = try Data(contentsOf: URL(filePath: path("lora.gguf")))
    // Names of one length, so that only the name changes.
    let renamed = whole.replacingFirst(Data(".lora_b".utf8), with: Data(".lora_c".utf8))
    _ = try folder.write(renamed, as: "half.gguf")
    #expect(problem(.lora, "half.gguf") is AdapterError)
    for length in stride(from: 0, to: whole.count, by: 97) {
      _ = try folder.write(whole.prefix(length), as: "cut.gguf")
      let error = problem(.lora, "cut.gguf")
      #expect(error is AdapterError || error is ModelFileError, "\(length) bytes: \(error)")
    }
  }

  @Test func aDescriptionSaysWhatIsInIt() throws {
    try AdapterFiles.lora(changes, to: path("lora.gguf"))
    let file = try GGUFFile(path: base)
    let lora = try AdapterDescription(.init(.lora, path: path("lora.gguf")), for: file)
    #expect(lora.rank == 3 && lora.parts == 3)
    try AdapterFiles.controlVector([1, 2], width: width, to: path("vector.gguf"))
    let vector = try AdapterDescription(
      .init(.controlVector, path: path("vector.gguf"), layers: 2...9), for: file)
    #expect(vector.rank == nil && vector.parts == 1)
  }
}

extension Data {
  fileprivate func replacingFirst(_ part: Data, with other: Data) -> Data {
    guard let range = range(of: part) else { return self }
    var copy = self
    copy.replaceSubrange(range, with: other)
    return copy
  }
}
