import CLlama
import SelfCD

/// A loaded model's vocabulary. Every id is checked first: libllama aborts on some that are out of range.
public struct LlamaVocabulary: Vocabulary {
  private let model: LlamaModel
  /// Entries of the vocabulary, the length of a row of logits.
  public let count: Int

  /// The vocabulary of a loaded model, which it keeps alive.
  public init(_ model: LlamaModel) {
    self.model = model
    count = model.vocabularySize
  }

  private func contains(_ token: TokenID) -> Bool { token >= 0 && token < count }

  /// Whether the model ends its turn with this token; a model may have several such tokens. `false` out of range.
  public func isEndOfGeneration(_ token: TokenID) -> Bool {
    contains(token) && llama_vocab_is_eog(model.vocab, token)
  }

  /// What the token writes: bytes, which need not be whole characters. Empty for control tokens and out of range.
  public func bytes(of token: TokenID) -> [UInt8] {
    guard contains(token) else { return [] }
    var buffer = [CChar](repeating: 0, count: 64)
    var length = llama_token_to_piece(model.vocab, token, &buffer, Int32(buffer.count), 0, false)
    if length < 0 {
      buffer = [CChar](repeating: 0, count: Int(-length))
      length = llama_token_to_piece(model.vocab, token, &buffer, Int32(buffer.count), 0, false)
    }
    return buffer.prefix(max(0, Int(length))).map(UInt8.init(bitPattern:))
  }

  /// What the vocabulary calls a token, control tokens included.
  public func name(of token: TokenID) -> String {
    guard contains(token), let text = llama_vocab_get_text(model.vocab, token) else { return "" }
    return String(cString: text)
  }

  func attributes(of token: TokenID) -> UInt32 {
    contains(token) ? llama_vocab_get_attr(model.vocab, token).rawValue : 0
  }

  /// The token that begins a sequence; `nil` where the model has none.
  public var beginOfSequence: TokenID? { checked(llama_vocab_bos(model.vocab)) }
  /// The token that ends a sequence; `nil` where the model has none. Chats may end with another one.
  public var endOfSequence: TokenID? { checked(llama_vocab_eos(model.vocab)) }
  var addsBeginOfSequence: Bool { llama_vocab_get_add_bos(model.vocab) }
  /// Tokens that are white space and nothing else.
  var blanks: Set<TokenID> {
    Set(
      (0..<TokenID(count)).filter { token in
        let bytes = bytes(of: token)
        return !bytes.isEmpty && !bytes.contains { !($0 == 32 || (9...13).contains($0)) }
      })
  }

  /// Whether the tokenizer looks for control tokens in any text, whatever it is told (RWKV, PLaMo-2).
  var findsControlTokensInText: Bool {
    ![LLAMA_VOCAB_TYPE_SPM, LLAMA_VOCAB_TYPE_BPE, LLAMA_VOCAB_TYPE_WPM, LLAMA_VOCAB_TYPE_UGM]
      .contains(llama_vocab_type(model.vocab))
  }

  var isSentencePiece: Bool { llama_vocab_type(model.vocab) == LLAMA_VOCAB_TYPE_SPM }

  private func checked(_ token: TokenID) -> TokenID? { contains(token) ? token : nil }

  /// Tokens of ordinary text: nothing in it is read as a control token.
  ///
  /// - Throws: ``LlamaError/tokenizationFailed(reason:)``.
  func tokenize(_ text: [UInt8]) throws -> [TokenID] {
    guard !text.isEmpty else { return [] }
    guard let length = Int32(exactly: text.count) else {
      throw LlamaError.tokenizationFailed(reason: "a text of \(text.count) bytes is too long")
    }
    return try text.withUnsafeBytes { bytes in
      let characters = bytes.bindMemory(to: CChar.self).baseAddress
      var tokens = [TokenID](repeating: 0, count: text.count + 2)
      var count = llama_tokenize(model.vocab, characters, length, &tokens, Int32(tokens.count), false, false)
      if count < 0, count != .min {
        tokens = [TokenID](repeating: 0, count: Int(-count))
        count = llama_tokenize(model.vocab, characters, length, &tokens, Int32(tokens.count), false, false)
      }
      guard count >= 0 else { throw LlamaError.tokenizationFailed(reason: "libllama returned \(count)") }
      return Array(tokens.prefix(Int(count)))
    }
  }
}
