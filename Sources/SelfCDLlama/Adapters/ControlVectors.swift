import Foundation
import SelfCD

/// Vectors that are added to the residual stream, the sum of all files.
///
/// Format: llama.cpp's `llama-cvector-generator`: one-dimensional F32 tensors `direction.N`, N from 1, each as wide as
/// the model, added behind layer N.
struct ControlVectors: Sendable {
  /// By layer; as wide as the model.
  private(set) var directions: [Int: [Float]] = [:]

  /// None.
  init() {}

  /// - Throws: ``AdapterError``, ``ModelFileError``.
  init(_ adapters: [ModelAdapter], for model: GGUFFile, width: Int, layers: Int) throws {
    for adapter in adapters where adapter.kind == .controlVector {
      let file = try GGUFFile(path: adapter.path)
      let weights = try WeightFile(file)
      let found = try Self.layers(of: file, width: width, layers: layers, model: model)
      if let range = adapter.layers, !found.contains(where: { range.contains($0.layer) }) {
        throw AdapterError.doesNotFit(
          path: adapter.path,
          reason: "it has no vector for the layers \(range.lowerBound) to \(range.upperBound)")
      }
      for (layer, name) in found where adapter.layers?.contains(layer) ?? true {
        guard let values = weights.values(name), values.allSatisfy(\.isFinite) else {
          throw ModelFileError.malformed(
            path: adapter.path, reason: "'\(name)' has a number that is not finite")
        }
        let sum = directions[layer] ?? [Float](repeating: 0, count: width)
        directions[layer] = zip(sum, values).map { $0 + adapter.scale * $1 }
      }
    }
  }

  private static func layers(
    of file: GGUFFile, width: Int, layers: Int, model: GGUFFile
  ) throws -> [(layer: Int, name: String)] {
    // The hint of the file is no reason to refuse: some tools write Hugging Face's name of the family there, such as
    // "mistral" for what llama.cpp calls "llama". Width and layers are what matters.
    var found: [(layer: Int, name: String)] = []
    for tensor in file.tensors {
      // Written back, so that no second name such as 'direction.01' adds to the same layer.
      guard let layer = Int(tensor.name.dropFirst(10)), layer > 0, tensor.name == "direction.\(layer)" else {
        throw AdapterError.notAnAdapter(
          path: file.path, expected: .controlVector,
          found: "its tensor '\(tensor.name)' is no 'direction.1' or the like")
      }
      guard tensor.type == "f32", tensor.elementCount == width else {
        throw AdapterError.doesNotFit(
          path: file.path,
          reason:
            "'\(tensor.name)' has \(tensor.elementCount) \(tensor.type) numbers, and the model is \(width) "
            + "numbers wide")
      }
      guard layer < layers else {
        throw AdapterError.doesNotFit(
          path: file.path, reason: "it has a vector for layer \(layer), and the last one is \(layers - 1)")
      }
      found.append((layer, tensor.name))
    }
    guard !found.isEmpty else {
      throw AdapterError.notAnAdapter(
        path: file.path, expected: .controlVector, found: "it has no tensor 'direction.1' or the like")
    }
    return found
  }

  /// What libllama takes: layer 1 to the last one, each as wide as the model, zeros where there is none.
  func data(width: Int, layers: Int) -> [Float] {
    (1..<max(layers, 1)).flatMap { directions[$0] ?? [Float](repeating: 0, count: width) }
  }
}
