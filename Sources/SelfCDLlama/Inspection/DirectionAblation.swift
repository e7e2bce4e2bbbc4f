import CLlama
import SelfCD

/// Takes a false-refusal vector out of the residual stream while libllama computes: x ← x − ŵ ŵᵀ x wherever a layer
/// reads from the stream or writes to it, at every position.
///
/// In memory only, for comparing in evaluations; weights are never changed. It takes no other vector than one that is
/// orthogonal to a refusal direction.
final class DirectionAblation: EvalHook {
  private let vector: [Float]
  /// Numbers changed so far; none where an architecture names its stream otherwise.
  private(set) var edits = 0

  init(_ vector: FalseRefusalVector) { self.vector = vector.vector }

  /// The embeddings, the stream between attention and feed-forward network, and what a layer hands on.
  private static let names: Set<Substring> = ["inp_embd", "inp_scaled", "ffn_inp", "sa_out", "l_out"]

  func wants(_ name: ResultName) -> Bool { Self.names.contains(name.name) }

  func receive(_ name: ResultName, _ tensor: Tensor) {
    guard Int(tensor.pointee.ne.0) == vector.count, var values = TensorValues.copy(tensor) else { return }
    for start in stride(from: 0, to: values.count, by: vector.count) {
      var along: Float = 0
      for index in vector.indices { along += vector[index] * values[start + index] }
      for index in vector.indices { values[start + index] -= along * vector[index] }
    }
    ggml_backend_tensor_set(tensor, values, 0, values.count * 4)
    edits += values.count
  }
}
