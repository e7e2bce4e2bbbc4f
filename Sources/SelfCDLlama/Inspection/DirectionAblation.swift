import CLlama
import SelfCD

/// Takes a false-refusal vector out of the residual stream while libllama computes: x ← x − ŵ ŵᵀ x wherever a layer
/// reads from the stream or writes to it, at every position.
///
/// In memory only, for comparing in evaluations; weights are never changed. It takes no other vector than one that is
/// orthogonal to a refusal direction.
final class DirectionAblation: EvalHook {
  private let vector: [Float]
  /// What has been changed so far.
  private var edited: Set<ResultName> = []

  init(_ vector: FalseRefusalVector) { self.vector = vector.vector }

  private static let embeddings: Set<Substring> = ["embd", "inp_scaled"]
  /// The stream between attention and feed-forward network.
  private static let middles: Set<Substring> = ["ffn_inp", "sa_out"]
  /// What a layer hands on.
  private static let outputs: Set<Substring> = ["l_out"]
  private static let names = embeddings.union(middles).union(outputs)

  func wants(_ name: ResultName) -> Bool { Self.names.contains(name.name) }

  /// A place at which the stream was not changed, though all have to be: an architecture may name it otherwise, or keep it
  /// in a form that cannot be changed here. Nil where nothing is missing.
  func missing(ofLayers count: Int) -> String? {
    func has(_ names: Set<Substring>, _ layer: Int?) -> Bool {
      edited.contains { $0.layer == layer && names.contains($0.name) }
    }
    if !has(Self.embeddings, nil) { return "the embeddings" }
    for layer in 0..<count {
      if !has(Self.middles, layer) { return "the middle of layer \(layer)" }
      if !has(Self.outputs, layer) { return "the output of layer \(layer)" }
    }
    return nil
  }

  func receive(_ name: ResultName, _ tensor: Tensor) {
    guard Int(tensor.pointee.ne.0) == vector.count, var values = TensorValues.copy(tensor) else { return }
    for start in stride(from: 0, to: values.count, by: vector.count) {
      var along: Float = 0
      for index in vector.indices { along += vector[index] * values[start + index] }
      for index in vector.indices { values[start + index] -= along * vector[index] }
    }
    ggml_backend_tensor_set(tensor, values, 0, values.count * 4)
    edited.insert(name)
  }
}
