import CLlama
import Foundation
import SelfCD

/// A model's adapters as libllama holds them; freed with the model.
///
/// They belong to the model and not to a context, so that whatever looks into the model sees the same function as
/// the engine that runs it. Unchecked: the handles are only read once they are loaded.
struct AppliedAdapters: @unchecked Sendable {
  /// A LoRA adapter in force.
  struct LoRA {
    let file: LoRAFile
    let scale: Float
    let handle: OpaquePointer
  }

  let loras: [LoRA]
  let vectors: ControlVectors
  private let width: Int
  private let layers: Int

  static let none = AppliedAdapters()

  private init() {
    loras = []
    vectors = ControlVectors()
    width = 0
    layers = 0
  }

  /// Checks and loads the files.
  /// - Throws: ``AdapterError``, ``ModelFileError``.
  init(_ adapters: [ModelAdapter], model: OpaquePointer, file: GGUFFile) throws {
    width = Int(llama_model_n_embd(model))
    layers = Int(llama_model_n_layer(model))
    vectors = try ControlVectors(adapters, for: file, width: width, layers: layers)
    loras = try adapters.filter { $0.kind == .lora }.map { adapter in
      let header = try LoRAFile(path: adapter.path, for: file)
      let (handle, complaints) = LlamaRuntime.complaints { llama_adapter_lora_init(model, adapter.path) }
      guard let handle else { throw AdapterError.refused(path: adapter.path, reason: complaints) }
      return LoRA(file: header, scale: adapter.scale, handle: handle)
    }
  }

  /// Puts the adapters in force in a context of the model.
  /// - Throws: ``AdapterError/notApplied(kind:)``.
  func apply(to context: OpaquePointer) throws(AdapterError) {
    if !loras.isEmpty {
      var handles = loras.map { Optional($0.handle) }
      var scales = loras.map(\.scale)
      guard llama_set_adapters_lora(context, &handles, handles.count, &scales) == 0 else {
        throw .notApplied(kind: .lora)
      }
    }
    if let first = vectors.directions.keys.min(), let last = vectors.directions.keys.max() {
      let data = vectors.data(width: width, layers: layers)
      guard
        llama_set_adapter_cvec(context, data, data.count, Int32(width), Int32(first), Int32(last)) == 0
      else { throw .notApplied(kind: .controlVector) }
    }
  }
}
