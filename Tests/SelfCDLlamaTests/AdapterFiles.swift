import CLlama
import Foundation
import Testing

@testable import SelfCDLlama

/// Writes adapters, and models with adapters merged into their weights, by ggml's own writer.
enum AdapterFiles {
  /// Numbers in −1 ..< 1 that depend on the seed alone.
  static func noise(_ count: Int, seed: String) -> [Float] {
    TinyModel.values(.init(name: seed, shape: [count], scale: 1, offset: 0))
  }

  /// A tensor to write: its dimensions, the length of a row first.
  struct Matrix {
    var name: String
    var dimensions: [Int]
    var values: [Float]
    /// One of four bytes a number, whose bits the values are, or f16, to which they are converted.
    var type = GGML_TYPE_F32
  }

  /// A LoRA adapter of just these tensors.
  static func lora(matrices: [Matrix], to path: String) throws {
    try write(matrices, to: path, metadata: markAsLoRA)
  }

  /// A difference of one matrix.
  struct Change {
    let tensor: String
    let input: Int
    let output: Int
    let rank: Int

    /// rank × input.
    var a: [Float] { AdapterFiles.noise(rank * input, seed: tensor + ".a") }
    /// output × rank.
    var b: [Float] { AdapterFiles.noise(output * rank, seed: tensor + ".b") }
  }

  /// A LoRA adapter of the changes.
  static func lora(
    _ changes: [Change], alpha: Float = 4, architecture: String = "llama", to path: String,
    edit: (OpaquePointer) -> Void = { _ in }
  ) throws {
    let matrices = changes.flatMap { change in
      [
        Matrix(
          name: change.tensor + ".lora_a", dimensions: [change.input, change.rank], values: change.a),
        Matrix(
          name: change.tensor + ".lora_b", dimensions: [change.rank, change.output], values: change.b),
      ]
    }
    try write(matrices, to: path) { file in
      markAsLoRA(file)
      gguf_set_val_str(file, "general.architecture", architecture)
      gguf_set_val_f32(file, "adapter.lora.alpha", alpha)
      edit(file)
    }
  }

  /// A LoRA adapter of rank 1 of the embeddings, whose factors are stored the other way round.
  static func embeddingLoRA(vocabulary: Int, width: Int, to path: String) throws {
    let name = "token_embd.weight"
    let matrices = [
      Matrix(
        name: name + ".lora_a", dimensions: [1, vocabulary], values: noise(vocabulary, seed: "embedding.a")),
      Matrix(name: name + ".lora_b", dimensions: [1, width], values: noise(width, seed: "embedding.b")),
    ]
    try write(matrices, to: path, metadata: markAsLoRA)
  }

  private static func markAsLoRA(_ file: OpaquePointer) {
    gguf_set_val_str(file, "general.type", "adapter")
    gguf_set_val_str(file, "general.architecture", "llama")
    gguf_set_val_str(file, "adapter.type", "lora")
    gguf_set_val_f32(file, "adapter.lora.alpha", 4)
  }

  /// A control vector with these layers.
  static func controlVector(
    _ layers: [Int], width: Int, size: Float = 1, architecture: String = "llama", to path: String
  ) throws {
    let matrices = layers.map { layer in
      Matrix(
        name: "direction.\(layer)", dimensions: [width],
        values: noise(width, seed: "direction.\(layer)").map { size * $0 })
    }
    try controlVector(matrices: matrices, architecture: architecture, to: path)
  }

  /// A control vector of just these tensors.
  static func controlVector(matrices: [Matrix], architecture: String = "llama", to path: String) throws {
    try write(matrices, to: path) { file in
      gguf_set_val_str(file, "general.architecture", "controlvector")
      gguf_set_val_str(file, "controlvector.model_hint", architecture)
    }
  }

  /// The model with `scale · alpha / rank · B A` added to its matrices.
  static func merge(
    _ changes: [Change], alpha: Float = 4, scale: Float, into model: String, to path: String
  ) throws {
    var tensors: OpaquePointer?
    let opened = withUnsafeMutablePointer(to: &tensors) {
      gguf_init_from_file(model, gguf_init_params(no_alloc: false, ctx: $0))
    }
    let source = try #require(opened)
    defer { gguf_free(source) }
    let context = try #require(tensors)
    defer { ggml_free(context) }
    let file = try #require(gguf_init_empty())
    defer { gguf_free(file) }
    gguf_set_kv(file, source)
    for index in 0..<gguf_get_n_tensors(source) {
      gguf_add_tensor(file, try #require(ggml_get_tensor(context, gguf_get_tensor_name(source, index))))
    }
    for change in changes {
      let tensor = try #require(ggml_get_tensor(context, change.tensor))
      try #require(tensor.pointee.type == GGML_TYPE_F32)
      let values = tensor.pointee.data.assumingMemoryBound(to: Float.self)
      let (a, b) = (change.a, change.b)
      for row in 0..<change.output {
        for column in 0..<change.input {
          let product = (0..<change.rank).reduce(Float(0)) {
            $0 + b[row * change.rank + $1] * a[$1 * change.input + column]
          }
          values[row * change.input + column] += scale * alpha / Float(change.rank) * product
        }
      }
    }
    try #require(gguf_write_to_file(file, path, false))
  }

  private static func write(
    _ matrices: [Matrix], to path: String, metadata: (OpaquePointer) -> Void
  ) throws {
    let file = try #require(gguf_init_empty())
    defer { gguf_free(file) }
    metadata(file)
    let bytes = matrices.reduce(1 << 16) { $0 + 4 * $1.values.count + 4096 }
    let context = try #require(ggml_init(.init(mem_size: bytes, mem_buffer: nil, no_alloc: false)))
    defer { ggml_free(context) }
    for matrix in matrices {
      let sizes = matrix.dimensions.map(Int64.init)
      let tensor = try #require(ggml_new_tensor(context, matrix.type, Int32(sizes.count), sizes))
      ggml_set_name(tensor, matrix.name)
      if matrix.type == GGML_TYPE_F16 {
        let target = tensor.pointee.data.assumingMemoryBound(to: ggml_fp16_t.self)
        ggml_fp32_to_fp16_row(matrix.values, target, Int64(matrix.values.count))
      } else {
        matrix.values.withUnsafeBytes { source in
          if let base = source.baseAddress { memcpy(tensor.pointee.data, base, source.count) }
        }
      }
      gguf_add_tensor(file, tensor)
    }
    try #require(gguf_write_to_file(file, path, false))
  }
}
