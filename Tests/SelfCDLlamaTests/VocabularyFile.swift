import Foundation

/// Writes a GGUF file with a vocabulary and nothing else, for tokenizers of which no file is at hand.
struct VocabularyFile {
  /// libllama's token types.
  enum Kind: Int32 {
    case normal = 1
    case control = 3
  }

  let model: String
  let tokens: [(text: String, kind: Kind)]

  var data: Data {
    var pairs: [Data] = [
      pair("general.architecture", type: 8, Self.text("llama")),
      pair("tokenizer.ggml.model", type: 8, Self.text(model)),
      pair(
        "tokenizer.ggml.tokens", type: 9,
        Self.number(UInt32(8)) + Self.number(UInt64(tokens.count))
          + tokens.map { Self.text($0.text) }.joined()),
      pair(
        "tokenizer.ggml.token_type", type: 9,
        Self.number(UInt32(5)) + Self.number(UInt64(tokens.count))
          + tokens.map { Self.number($0.kind.rawValue) }.joined()
      ),
    ]
    for name in [
      "context_length", "embedding_length", "block_count", "attention.head_count", "feed_forward_length",
      "rope.dimension_count",
    ] { pairs.append(pair("llama.\(name)", type: 4, Self.number(UInt32(8)))) }
    pairs.append(pair("llama.attention.layer_norm_rms_epsilon", type: 6, Self.number(Float(1e-5).bitPattern)))
    for name in ["bos", "eos", "eot", "unknown", "padding"] {
      pairs.append(pair("tokenizer.ggml.\(name)_token_id", type: 4, Self.number(UInt32(0))))
    }
    return Data("GGUF".utf8) + Self.number(UInt32(3)) + Self.number(UInt64(0))
      + Self.number(UInt64(pairs.count))
      + pairs.joined()
  }

  private func pair(_ key: String, type: UInt32, _ value: Data) -> Data {
    Self.text(key) + Self.number(type) + value
  }

  private static func text(_ text: String) -> Data { number(UInt64(text.utf8.count)) + Data(text.utf8) }

  private static func number(_ value: some FixedWidthInteger) -> Data {
    withUnsafeBytes(of: value.littleEndian) { Data($0) }
  }
}
