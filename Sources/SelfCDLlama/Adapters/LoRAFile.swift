import Foundation
import SelfCD

/// A LoRA adapter, checked against the model before libllama sees the file, which aborts the process where a key has
/// another type than it expects, and reads beyond buffers where a factor has another shape.
///
/// Format: llama.cpp's `convert_lora_to_gguf.py`: pairs of `NAME.lora_a` (input × rank) and `NAME.lora_b`
/// (rank × output), to be applied as W + scale · alpha / rank · B A.
struct LoRAFile: Sendable {
  /// The two factors of one matrix.
  struct Pair: Hashable, Sendable {
    var a: GGUFTensor
    var b: GGUFTensor
  }

  let file: GGUFFile
  /// The scaling numerator; 0 where none is wanted.
  let alpha: Float
  /// By the name of the matrix they change.
  let pairs: [String: Pair]

  /// - Throws: ``AdapterError``, ``ModelFileError``.
  init(path: String, for model: GGUFFile) throws {
    let file = try GGUFFile(path: path)
    self.file = file
    let type = file.metadata["general.type"]?.string
    guard type == "adapter" else {
      let found = type.map { "it holds a '\($0)'" } ?? "its header does not say that it is an adapter"
      throw AdapterError.notAnAdapter(path: path, expected: .lora, found: found)
    }
    let kind = file.metadata["adapter.type"]?.string
    guard kind == "lora" else {
      throw AdapterError.notAnAdapter(
        path: path, expected: .lora, found: "it is an adapter of the type '\(kind ?? "unknown")'")
    }
    guard let architecture = file.architecture else {
      throw ModelFileError.malformed(path: path, reason: "it does not name the architecture it is for")
    }
    guard architecture == model.architecture else {
      throw AdapterError.otherArchitecture(
        path: path, adapter: architecture, model: model.architecture ?? "unknown")
    }
    guard !file.metadata.keys.contains(where: { $0.hasPrefix("adapter.alora.") }) else {
      throw AdapterError.unsupported(
        path: path, reason: "it is an activated LoRA, which is in force from certain tokens on only")
    }
    switch file.metadata["adapter.lora.alpha"] {
    case nil: alpha = 0
    case .number(let value)? where file.isSinglePrecision("adapter.lora.alpha") && value.isFinite:
      alpha = Float(value)
    default: throw ModelFileError.malformed(path: path, reason: "its adapter.lora.alpha is no 32-bit number")
    }
    pairs = try Self.pairs(of: file)
    let shapes = try Self.shapes(of: model)
    // libllama applies it to the output too where the two are one matrix, the wrong way round, and aborts.
    if let name = pairs.keys.first(where: { $0.hasSuffix("token_embd.weight") }),
      shapes["output.weight"] == nil
    {
      throw AdapterError.unsupported(
        path: path, reason: "it changes '\(name)', which is the model's output matrix too")
    }
    for (name, pair) in pairs { try Self.check(pair, name, against: shapes[name], path: path) }
    try Self.checkNumbers(of: file)
  }

  private static func pairs(of file: GGUFFile) throws -> [String: Pair] {
    var first: [String: GGUFTensor] = [:]
    var second: [String: GGUFTensor] = [:]
    for tensor in file.tensors {
      if tensor.name.hasSuffix(".lora_a") {
        first[String(tensor.name.dropLast(7))] = tensor
      } else if tensor.name.hasSuffix(".lora_b") {
        second[String(tensor.name.dropLast(7))] = tensor
      } else {
        throw AdapterError.unsupported(
          path: file.path, reason: "its tensor '\(tensor.name)' is no factor of a matrix")
      }
    }
    for name in Set(first.keys).symmetricDifference(second.keys).sorted() {
      throw ModelFileError.malformed(
        path: file.path, reason: "one of the two factors of '\(name)' is missing")
    }
    guard !first.isEmpty else {
      throw AdapterError.notAnAdapter(path: file.path, expected: .lora, found: "it has no tensors")
    }
    return first.reduce(into: [:]) { pairs, entry in
      if let b = second[entry.key] { pairs[entry.key] = Pair(a: entry.value, b: b) }
    }
  }

  /// Over all parts of a split model.
  private static func shapes(of model: GGUFFile) throws -> [String: [Int]] {
    Dictionary(
      try model.parts().flatMap(\.tensors).map { ($0.name, $0.dimensions) },
      uniquingKeysWith: { first, _ in first })
  }

  /// One number that is not finite makes every logit such. The factors have to be of the types and shapes that
  /// `check` lets pass; they are read one at a time.
  private static func checkNumbers(of file: GGUFFile) throws {
    let weights = try WeightFile(file)
    for tensor in file.tensors {
      guard let values = weights.values(tensor.name) else {
        throw ModelFileError.malformed(path: file.path, reason: "'\(tensor.name)' cannot be read")
      }
      guard values.allSatisfy(\.isFinite) else {
        throw ModelFileError.malformed(
          path: file.path, reason: "'\(tensor.name)' has a number that is not finite")
      }
    }
  }

  /// What llama.cpp's converter writes.
  private static let readableTypes: Set = ["f32", "f16", "bf16", "q8_0"]

  private static func check(_ pair: Pair, _ name: String, against shape: [Int]?, path: String) throws {
    guard let shape else {
      throw AdapterError.doesNotFit(path: path, reason: "the model has no tensor '\(name)'")
    }
    func size(_ tensor: GGUFTensor, _ index: Int) -> Int {
      tensor.dimensions.count > index ? tensor.dimensions[index] : 1
    }
    let rows = shape.count > 1 ? shape[1] : 1
    // The embedding's factors are stored the other way round, as libllama looks them up.
    let isEmbedding = name.hasSuffix("token_embd.weight")
    let fits =
      isEmbedding
      ? size(pair.b, 1) == shape[0] && size(pair.a, 1) == rows && size(pair.a, 0) == size(pair.b, 0)
      : pair.a.dimensions[0] == shape[0] && size(pair.b, 1) == rows && size(pair.a, 1) == size(pair.b, 0)
    // libllama compares two dimensions only; a factor of another depth or of whole numbers would end the process or
    // read beyond a buffer (`ggml_mul_mat_id` has no check in release builds).
    let depths = (2..<max(2, shape.count, pair.a.dimensions.count, pair.b.dimensions.count)).allSatisfy {
      index in
      let wanted = shape.count > index ? shape[index] : 1
      return size(pair.a, index) == wanted && size(pair.b, index) == wanted
    }
    for factor in [pair.a, pair.b] where !readableTypes.contains(factor.type) {
      throw AdapterError.unsupported(
        path: path, reason: "'\(factor.name)' is of type \(factor.type); factors are f32, f16, bf16 or q8_0")
    }
    guard fits, depths else {
      func text(_ dimensions: [Int]) -> String { dimensions.map(String.init).joined(separator: " × ") }
      throw AdapterError.doesNotFit(
        path: path,
        reason: "its factors \(text(pair.a.dimensions)) and \(text(pair.b.dimensions)) make no difference of "
          + "'\(name)', which is \(text(shape))")
    }
  }
}
