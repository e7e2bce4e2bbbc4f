import CLlama
import Foundation
import SelfCD

/// Computes attention and its gradient for one prompt: a forward pass that keeps each layer's input, then the layers
/// backwards, each recomputed and differentiated on its own.
///
/// In float32 on the CPU from the model's file, one layer's weights in memory at a time unless all of them are small.
/// A layer costs three passes through its weights: forward, forward again, back.
final class AttentionBackwardPass {
  let model: FlowArchitecture
  private let weights: WeightFile
  /// Added behind layers; being constant they have no part in the gradient of what lies before.
  private let vectors: ControlVectors
  private let backend: ggml_backend_t
  private let allocator: ggml_gallocr_t
  private var kept: [Int: LayerWeights] = [:]
  private let keepsLayers: Bool

  /// What a pass through the whole model gave.
  struct Result {
    /// `[vocabulary]`, behind the last token.
    let logits: [Float]
    let loss: Double
    /// layers × heads × T, at the last position.
    let attention: [[[Float]]]
    let gradient: [[[Float]]]
  }

  /// Below this many bytes all layers stay in float32; the embedded model needs 8 MiB.
  private static let keepLimit = 256 << 20
  private static let graphSize = 1024

  /// - Throws: ``InspectionError/unverifiedArchitecture(name:reason:)``, ``InspectionError/outOfMemory(needed:available:)``.
  init(_ file: GGUFFile, adapters: AppliedAdapters) throws {
    weights = try WeightFile(file, adding: adapters.loras)
    vectors = adapters.vectors
    model = try FlowArchitecture(file, weights)
    let layerBytes = LayerWeights.bytes(model)
    keepsLayers = layerBytes * model.layers <= Self.keepLimit
    guard let backend = ggml_backend_cpu_init() else {
      throw InspectionError.failed(reason: "ggml's CPU backend did not start")
    }
    guard let allocator = ggml_gallocr_new(ggml_backend_get_default_buffer_type(backend)) else {
      ggml_backend_free(backend)
      throw InspectionError.failed(reason: "ggml made no allocator")
    }
    self.backend = backend
    self.allocator = allocator
  }

  deinit {
    ggml_gallocr_free(allocator)
    ggml_backend_free(backend)
  }

  /// Bytes one layer of a prompt takes, roughly: its weights, twice the scores per head and direction, the rest.
  func bytesNeeded(tokens: Int) -> Int {
    let scores = 8 * model.heads * tokens * tokens
    let rows = tokens * (16 * model.width + 8 * model.feedForward + 12 * model.heads * model.headWidth)
    return LayerWeights.bytes(model) + 4 * (scores + rows) + 4 * model.layers * tokens * model.width
  }

  /// - Parameters:
  ///   - tokens: the prompt, every one inside the vocabulary.
  ///   - target: the token whose loss is differentiated.
  ///   - threads: threads that compute it.
  /// - Throws: ``InspectionError``, `CancellationError`.
  func compute(_ tokens: [TokenID], target: TokenID, threads: Int) throws -> Result {
    ggml_backend_cpu_set_n_threads(backend, Int32(threads))
    if let available = MemoryEstimate.available, bytesNeeded(tokens: tokens.count) > available {
      throw InspectionError.outOfMemory(needed: bytesNeeded(tokens: tokens.count), available: available)
    }
    var inputs = [try embeddings(tokens)]
    for layer in 0..<model.layers {
      try Task.checkCancellation()
      var output = try forward(layer, inputs[layer], tokens.count)
      if let vector = vectors.directions[layer] {
        for index in output.indices { output[index] += vector[index % model.width] }
      }
      inputs.append(output)
    }
    let head = OutputHead(model: model, weights: weights)
    let state = Array(inputs.removeLast().suffix(model.width))
    guard state.allSatisfy(\.isFinite) else { throw InspectionError.notFinite(what: "residual stream") }
    let logits = try head.logits(of: state)
    let (loss, last) = try head.loss(of: Int(target), logits: logits, state: state)

    var gradient = [Float](repeating: 0, count: (tokens.count - 1) * model.width) + last
    var attentions: [[[Float]]] = []
    var gradients: [[[Float]]] = []
    for layer in (0..<model.layers).reversed() {
      try Task.checkCancellation()
      let step = try backward(layer, inputs.removeLast(), gradient, tokens.count)
      attentions.append(step.attention)
      gradients.append(step.gradient)
      gradient = step.input
    }
    return Result(
      logits: logits, loss: loss, attention: attentions.reversed(), gradient: gradients.reversed())
  }

  /// Rows of the embedding matrix, `[T × D]`.
  private func embeddings(_ tokens: [TokenID]) throws -> [Float] {
    var rows = [Float](repeating: 0, count: tokens.count * model.width)
    let isRead = rows.withUnsafeMutableBufferPointer { buffer in
      guard let base = buffer.baseAddress else { return false }
      return tokens.enumerated().allSatisfy { index, token in
        weights.read(
          "token_embd.weight", rows: Int(token)..<(Int(token) + 1), into: base + index * model.width)
      }
    }
    guard isRead else { throw InspectionError.failed(reason: "the embeddings could not be read") }
    if model.embeddingScale != 1 { for index in rows.indices { rows[index] *= model.embeddingScale } }
    return rows
  }

  private func layerWeights(_ layer: Int, transposing: Bool) throws -> LayerWeights {
    if let layer = kept[layer] { return layer }
    let loaded = try LayerWeights(
      layer: layer, of: model, from: weights, transposing: transposing || keepsLayers)
    if keepsLayers { kept[layer] = loaded }
    return loaded
  }

  private func forward(_ layer: Int, _ input: [Float], _ count: Int) throws -> [Float] {
    try withGraph(layer, count, isBackward: false) { graph in
      let source = self.input([model.width, count], in: graph.context)
      let result = try graph.forward(source)
      try run(graph, for: [result.output]) { Self.fill(source, input) }
      return Self.values(result.output)
    }
  }

  private func backward(
    _ layer: Int, _ input: [Float], _ gradient: [Float], _ count: Int
  ) throws -> (attention: [[Float]], gradient: [[Float]], input: [Float]) {
    try withGraph(layer, count, isBackward: true) { graph in
      let source = self.input([model.width, count], in: graph.context)
      let outer = self.input([model.width, count], in: graph.context)
      let forward = try graph.forward(source)
      let backward = try graph.backward(forward, outer)
      let attention = lastRows(forward.attention, in: graph.context)
      let slope = lastRows(backward.attention, in: graph.context)
      // Nothing is needed of what lies before the first layer.
      let outputs = layer > 0 ? [attention, slope, backward.input] : [attention, slope]
      try run(graph, for: outputs) {
        Self.fill(source, input)
        Self.fill(outer, gradient)
      }
      return (
        Self.rows(attention, count), Self.rows(slope, count), layer > 0 ? Self.values(backward.input) : []
      )
    }
  }

  // MARK: Graphs

  private func withGraph<R>(
    _ layer: Int, _ count: Int, isBackward: Bool, _ body: (LayerGraph) throws -> R
  ) throws -> R {
    let size = ggml_tensor_overhead() * Self.graphSize + ggml_graph_overhead_custom(Self.graphSize, false)
    guard let context = ggml_init(ggml_init_params(mem_size: size, mem_buffer: nil, no_alloc: true)) else {
      throw InspectionError.failed(reason: "ggml made no context")
    }
    defer { ggml_free(context) }
    guard let positions = ggml_new_tensor_1d(context, GGML_TYPE_I32, Int64(count)) else {
      throw InspectionError.failed(reason: "ggml made no tensor")
    }
    ggml_set_input(positions)
    let mask = input([count, count], in: context)
    let factors = model.ropeFactors.map { _ in input([model.headWidth / 2], in: context) }
    let weights = try layerWeights(layer, transposing: isBackward)
    return try withExtendedLifetime(weights) {
      try body(
        LayerGraph(
          context: context, model: model, weights: weights, layer: layer, count: count, positions: positions,
          mask: mask, ropeFactors: factors))
    }
  }

  private func input(_ shape: [Int], in context: OpaquePointer) -> Tensor {
    let tensor: Tensor = ggml_new_tensor_2d(
      context, GGML_TYPE_F32, Int64(shape[0]), Int64(shape.count > 1 ? shape[1] : 1))
    ggml_set_input(tensor)
    return tensor
  }

  private func run(_ layer: LayerGraph, for outputs: [Tensor], fill: () -> Void) throws {
    guard let graph = ggml_new_graph_custom(layer.context, Self.graphSize, false) else {
      throw InspectionError.failed(reason: "ggml made no graph")
    }
    for output in outputs {
      ggml_set_output(output)
      ggml_build_forward_expand(graph, output)
    }
    guard ggml_gallocr_alloc_graph(allocator, graph) else {
      throw InspectionError.failed(reason: "there is not enough memory for a graph of \(layer.count) tokens")
    }
    fill()
    fillInputs(of: layer)
    let status = ggml_backend_graph_compute(backend, graph)
    guard status == GGML_STATUS_SUCCESS else {
      throw InspectionError.failed(reason: "ggml's graph ended with status \(status.rawValue)")
    }
  }

  private func fillInputs(of graph: LayerGraph) {
    let count = graph.count
    ggml_backend_tensor_set(graph.positions, (0..<Int32(count)).map { $0 }, 0, count * 4)
    let window = model.isSliding(graph.layer) ? min(model.window, count) : count
    var mask = [Float](repeating: -.infinity, count: count * count)
    for query in 0..<count {
      for key in max(0, query - window + 1)...query { mask[query * count + key] = 0 }
    }
    Self.fill(graph.mask, mask)
    if let factors = graph.ropeFactors, let name = model.ropeFactors, let values = weights.values(name) {
      Self.fill(factors, values)
    }
  }

  /// The last query's row of each head, [T, H].
  private func lastRows(_ scores: Tensor, in context: OpaquePointer) -> Tensor {
    let tensor = scores.pointee
    return ggml_cont(
      context,
      ggml_view_2d(
        context, scores, tensor.ne.0, tensor.ne.2, tensor.nb.2, Int(tensor.ne.1 - 1) * tensor.nb.1))
  }

  private static func fill(_ tensor: Tensor, _ values: [Float]) {
    ggml_backend_tensor_set(tensor, values, 0, values.count * 4)
  }

  private static func values(_ tensor: Tensor) -> [Float] {
    let count = Int(ggml_nelements(tensor))
    return [Float](unsafeUninitializedCapacity: count) { buffer, initialized in
      ggml_backend_tensor_get(tensor, buffer.baseAddress, 0, count * 4)
      initialized = count
    }
  }

  private static func rows(_ tensor: Tensor, _ count: Int) -> [[Float]] {
    let values = values(tensor)
    return stride(from: 0, to: values.count, by: count).map { Array(values[$0..<($0 + count)]) }
  }
}
