import Foundation

/// Refuses, before libllama sees the file, what it would crash on or what cannot chat.
enum ModelGuard {
  /// - Throws: ``ModelFileError``, ``LlamaError/unsupportedModel(path:reason:)``.
  static func check(_ file: GGUFFile) throws {
    guard let architecture = file.architecture else {
      throw ModelFileError.malformed(path: file.path, reason: "it does not name its architecture")
    }
    // The first part of a split model may hold metadata only.
    guard try file.parts().contains(where: { !$0.tensors.isEmpty }) else {
      throw LlamaError.unsupportedModel(path: file.path, reason: "it holds a vocabulary but no weights")
    }
    if architecture == "clip" || architecture.hasPrefix("mmproj") {
      throw LlamaError.unsupportedModel(
        path: file.path, reason: "it is an image encoder that goes with a chat model")
    }
    // Quotients and array sizes are made of these; libllama divides by some without looking.
    let limits: [(String, ClosedRange<Int>)] = [
      ("block_count", 1...512),
      ("embedding_length", 1...(1 << 20)),
      ("context_length", 1...(1 << 30)),
      ("feed_forward_length", 0...(1 << 24)),
      ("attention.head_count", 0...4096),
      ("attention.head_count_kv", 0...4096),
      ("attention.key_length", 1...65_536),
      ("attention.value_length", 1...65_536),
      ("rope.dimension_count", 0...65_536),
      ("expert_count", 0...4096),
      ("expert_used_count", 0...4096),
      ("attention.sliding_window", 0...(1 << 30)),
      ("vocab_size", 1...(1 << 24)),
    ]
    for (name, range) in limits {
      switch file.hyperparameter(name) {
      case nil: continue
      case .integer(let value)?: try check(file, name, [value], range)
      case .integers(let values)?: try check(file, name, values, range)
      default:
        throw ModelFileError.malformed(path: file.path, reason: "\(architecture).\(name) is not a number")
      }
    }
    try checkHeads(file)
    try checkVocabulary(file)
  }

  /// libllama asserts that token texts differ, and throws through C when byte tokens are missing.
  ///
  /// - Throws: as ``check(_:)``.
  static func checkVocabulary(_ file: GGUFFile) throws {
    let kind = file.metadata["tokenizer.ggml.model"]?.string ?? "none"
    guard !["none", "no_vocab"].contains(kind),
      case .strings(let tokens)? = file.metadata["tokenizer.ggml.tokens"]
    else { throw LlamaError.unsupportedModel(path: file.path, reason: "it has no vocabulary") }
    // It reads them as C strings and names empty ones itself; hybrid DNA vocabularies repeat texts on purpose.
    let distinct = Set(
      tokens.enumerated().map { index, text in
        let read = text.prefix { $0 != 0 }
        return read.isEmpty ? Data("[EMPTY_\(index)]".utf8) : Data(read)
      })
    guard distinct.count == tokens.count || kind == "hybriddna" else {
      throw ModelFileError.malformed(path: file.path, reason: "two of its tokens have the same text")
    }
    if kind == "llama" {
      let missing = (0...255 as ClosedRange<UInt8>).first {
        !distinct.contains(Data(String(format: "<0x%02X>", Int($0)).utf8)) && !distinct.contains(Data([$0]))
      }
      if let missing {
        throw ModelFileError.malformed(
          path: file.path,
          reason: "its vocabulary has no token for the byte \(missing), which its tokenizer needs")
      }
    }
  }

  private static func check(_ file: GGUFFile, _ name: String, _ values: [Int], _ range: ClosedRange<Int>)
    throws
  {
    if let value = values.first(where: { !range.contains($0) }) {
      throw ModelFileError.malformed(path: file.path, reason: "its \(name) is \(value)")
    }
  }

  private static func checkHeads(_ file: GGUFFile) throws {
    guard let embedding = file.hyperparameter("embedding_length")?.integer,
      let heads = file.hyperparameter("attention.head_count")?.integer, heads > 0
    else { return }
    if file.hyperparameter("attention.key_length") == nil, embedding % heads != 0 {
      throw ModelFileError.malformed(
        path: file.path, reason: "its \(heads) attention heads do not divide its width of \(embedding)")
    }
    if let kvHeads = file.hyperparameter("attention.head_count_kv")?.integer, kvHeads > 0,
      heads % kvHeads != 0
    {
      throw ModelFileError.malformed(
        path: file.path, reason: "its \(heads) attention heads do not share \(kvHeads) key-value heads evenly"
      )
    }
  }
}
