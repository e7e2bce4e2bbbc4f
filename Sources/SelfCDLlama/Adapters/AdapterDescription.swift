import SelfCD

/// What an adapter's file says of itself, checked against a model's header; nothing is loaded.
public struct AdapterDescription: Codable, Sendable, Hashable {
  /// The adapter as it was asked for.
  public let adapter: ModelAdapter
  /// What it calls itself; nil where the file does not say.
  public let name: String?
  /// A LoRA's largest rank; nil for a control vector.
  public let rank: Int?
  /// Matrices that a LoRA changes, or layers that have a vector in force.
  public let parts: Int

  /// - Throws: ``AdapterError`` where it does not fit, ``ModelFileError``.
  public init(_ adapter: ModelAdapter, for model: GGUFFile) throws {
    self.adapter = adapter
    switch adapter.kind {
    case .lora:
      let lora = try LoRAFile(path: adapter.path, for: model)
      name = lora.file.modelName
      rank = lora.pairs.values.map { $0.b.dimensions[0] }.max()
      parts = lora.pairs.count
    case .controlVector:
      let vectors = try ControlVectors(
        [adapter], for: model, width: model.hyperparameter("embedding_length")?.integer ?? 0,
        layers: model.hyperparameter("block_count")?.integer ?? 0)
      name = try GGUFFile(path: adapter.path).modelName
      rank = nil
      parts = vectors.directions.count
    }
  }
}
