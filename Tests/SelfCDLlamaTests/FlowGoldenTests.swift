import Foundation
import SelfCD
import SelfCDOrganism
import Testing

@testable import SelfCDLlama

/// Information flow against PyTorch's autograd on the same weights; `Fixtures/make_flow_golden.py` made the numbers.
@Suite("Gradients of attention")
struct FlowGoldenTests {
  static let models = FlowFixture.shared?.models ?? []

  @Test("equal PyTorch's on a small random model of every family", arguments: models)
  func family(_ model: FlowFixture.Model) async throws {
    let fixture = try #require(FlowFixture.shared)
    let folder = try TemporaryFolder()
    let path = try folder.write(TinyModel(model, vocabulary: fixture.vocabulary).data(), as: "model.gguf")
    let inspector = LlamaInspector(model: try LlamaModel(path: path))
    let saliency = try await inspector.saliency(of: model.golden.target, after: model.golden.tokens)
    try compare(saliency, model.golden, within: 1e-4)
    // float32 weights: libllama computes the same function, but for Gemma's GELU, which it looks up in float16.
    let bound = model.architecture.hasPrefix("gemma") ? 5e-3 : 1e-4
    #expect(saliency.agreement.attention < bound, "\(model.name): \(saliency.agreement)")
    #expect(saliency.agreement.nextToken < bound, "\(model.name): \(saliency.agreement)")
  }

  @Test("every family that is called supported is among the models compared")
  func coverage() {
    #expect(Set(Self.models.map(\.architecture)) == Set(FlowArchitecture.verified))
  }

  @Test("equal PyTorch's on the embedded model")
  func organism() async throws {
    let fixture = try #require(FlowFixture.shared)
    let inspector = LlamaInspector(model: try LlamaModel(path: try TestModel.path()))
    for golden in fixture.organism {
      // The likeliest token is what the fixture's target is.
      let saliency = try await inspector.saliency(of: nil, after: golden.tokens)
      try compare(saliency, golden, within: 1e-4)
      #expect(saliency.agreement.attention < 0.01, "\(saliency.agreement)")
      #expect(saliency.agreement.nextToken < 0.01, "\(saliency.agreement)")
    }
  }

  private func compare(_ saliency: AttentionSaliency, _ golden: FlowFixture.Golden, within bound: Double)
    throws
  {
    #expect(saliency.target == golden.target)
    #expect(abs(saliency.loss - golden.loss) < 1e-4, "loss \(saliency.loss), PyTorch \(golden.loss)")
    try #require(saliency.attention.count == golden.attention.count)
    for layer in golden.attention.indices {
      let attention = saliency.attention[layer].flatMap { $0 }
      let gradient = saliency.gradient[layer].flatMap { $0 }
      let a = relativeError(attention, golden.attention[layer])
      let g = relativeError(gradient, golden.gradient[layer])
      let flow = relativeError(
        flow(attention, gradient, golden.heads),
        flow(golden.attention[layer], golden.gradient[layer], golden.heads))
      #expect(
        a < bound && g < bound && flow < bound, "layer \(layer): attention \(a), gradient \(g), flow \(flow)")
    }
  }

  /// |Σ_h A ⊙ ∂L/∂A|.
  private func flow(_ attention: [Float], _ gradient: [Float], _ heads: Int) -> [Float] {
    let count = attention.count / heads
    return (0..<count).map { position in
      abs(
        (0..<heads).reduce(Float(0)) {
          $0 + attention[$1 * count + position] * gradient[$1 * count + position]
        })
    }
  }

  private func relativeError(_ values: [Float], _ reference: [Float]) -> Double {
    guard values.count == reference.count else { return .infinity }
    let difference = zip(values, reference).reduce(0.0) { $0 + pow(Double($1.0) - Double($1.1), 2) }
    let norm = reference.reduce(0.0) { $0 + pow(Double($1), 2) }
    return (difference / norm).squareRoot()
  }
}

/// What cannot be looked into says so, and nothing aborts.
@Suite("Looking into a model: limits")
struct InspectionLimitTests {
  private func tiny(
    _ name: String, change: (inout TinyModel) -> Void = { _ in }
  ) throws -> (TemporaryFolder, LlamaInspector) {
    let fixture = try #require(FlowFixture.shared)
    let model = try #require(fixture.models.first { $0.name == name })
    var tiny = TinyModel(model, vocabulary: fixture.vocabulary)
    change(&tiny)
    let folder = try TemporaryFolder()
    let path = try folder.write(tiny.data(), as: "model.gguf")
    return (folder, LlamaInspector(model: try LlamaModel(path: path)))
  }

  @Test("empty, long and impossible prompts are refused with a reason")
  func prompts() async throws {
    let (folder, inspector) = try tiny("llama")
    await #expect(throws: InspectionError.emptyPrompt) { try await inspector.attention(over: []) }
    await #expect(throws: InspectionError.promptTooLong(tokens: 300, limit: 256)) {
      try await inspector.saliency(of: nil, after: Array(repeating: 1, count: 300))
    }
    await #expect(throws: InspectionError.tokenOutOfRange(token: 9999, vocabulary: 258)) {
      try await inspector.attention(over: [1, 9999])
    }
    await #expect(throws: InspectionError.tokenOutOfRange(token: -1, vocabulary: 258)) {
      try await inspector.saliency(of: -1, after: [1, 2])
    }
    for positions in [[3], [1, 1], [1, 0], [-1]] {
      await #expect(throws: InspectionError.self) {
        try await inspector.residuals(of: [1, 2, 3], at: positions)
      }
    }
    withExtendedLifetime(folder) {}
  }

  @Test("a prompt of one token has all its flow from itself")
  func oneToken() async throws {
    let (folder, inspector) = try tiny("qwen3")
    let saliency = try await inspector.saliency(of: nil, after: [65])
    #expect(saliency.attention.allSatisfy { $0.allSatisfy { $0 == [1] } })
    let maps = try await inspector.attention(over: [65])
    #expect(maps.mean == Array(repeating: [1], count: 3))
    withExtendedLifetime(folder) {}
  }

  @Test("an architecture whose gradient nobody verified is refused by name, and has attention maps")
  func unverified() async throws {
    // The same tensors under another name that libllama knows.
    let (folder, inspector) = try tiny("llama") { $0.architecture = "smollm3" }
    let error = await #expect(throws: InspectionError.self) {
      try await inspector.saliency(of: nil, after: [1, 2, 3])
    }
    guard case .unverifiedArchitecture = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect("\(error as Any)".contains("attention rollout"))
    #expect(try await inspector.attention(over: [1, 2, 3]).mean.count == 3)
    withExtendedLifetime(folder) {}
  }

  @Test(
    "what changes a verified family's function is refused",
    arguments: [
      ("llama", "llama.rope.scaling.type", "yarn"), ("qwen2", "qwen2.rope.scaling.type", "yarn"),
    ])
  func variants(_ name: String, _ key: String, _ value: String) async throws {
    let (folder, inspector) = try tiny(name) { $0.metadata = [(key, .text(value))] }
    await #expect(throws: InspectionError.self) { try await inspector.saliency(of: nil, after: [1, 2, 3]) }
    withExtendedLifetime(folder) {}
  }

  @Test("attention maps are the attention of the gradient's own pass, and rows add up to one")
  func maps() async throws {
    let fixture = try #require(FlowFixture.shared)
    let (folder, inspector) = try tiny("gemma2")
    let golden = try #require(fixture.models.first { $0.name == "gemma2" }).golden
    let maps = try await inspector.attention(over: golden.tokens)
    #expect(maps.count == golden.tokens.count)
    for layer in maps.mean.indices {
      for query in 0..<maps.count {
        let row = maps.mean[layer][(query * maps.count)..<((query + 1) * maps.count)]
        #expect(abs(row.reduce(0, +) - 1) < 1e-4)
        #expect(row.dropFirst(query + 1).allSatisfy { $0 == 0 })
      }
      for (head, row) in maps.last[layer].enumerated() {
        for position in row.indices {
          let expected = golden.attention[layer][head * maps.count + position]
          #expect(abs(row[position] - expected) < 1e-3)
        }
      }
    }
    withExtendedLifetime(folder) {}
  }

  @Test("the residual stream is the same whichever positions are asked for")
  func residuals() async throws {
    let (folder, inspector) = try tiny("llama")
    let tokens: [TokenID] = [5, 9, 200, 31, 77, 12]
    let all = try await inspector.residuals(of: tokens, at: Array(tokens.indices))
    let some = try await inspector.residuals(of: tokens, at: [1, 4])
    #expect(all.layers.count == 3)
    for layer in all.layers.indices {
      #expect(some.layers[layer].count == 2)
      #expect(all.layers[layer].count == 6)
      for (index, position) in [1, 4].enumerated() {
        for (a, b) in zip(some.layers[layer][index], all.layers[layer][position]) {
          #expect(abs(a - b) < 1e-4)
        }
      }
    }
    withExtendedLifetime(folder) {}
  }

  @Test("a cancelled computation ends with a cancellation, and the next one works")
  func cancellation() async throws {
    let (folder, inspector) = try tiny("llama")
    let task = Task {
      withUnsafeCurrentTask { $0?.cancel() }
      return try await inspector.saliency(of: nil, after: [1, 2, 3])
    }
    await #expect(throws: CancellationError.self) { try await task.value }
    _ = try await inspector.saliency(of: nil, after: [1, 2, 3])
    withExtendedLifetime(folder) {}
  }
}
