import SelfCD

/// A piece of a rendered prompt: the template's own text, or text from a message.
public struct PromptSegment: Sendable, Hashable {
  /// The piece's bytes, which need not end with a whole character.
  public let text: [UInt8]
  /// From a message or another input, so nothing in it may become a special token.
  public let isInput: Bool

  /// Makes a piece; `isInput` decides whether special tokens are looked for in it.
  public init(text: [UInt8], isInput: Bool) {
    self.text = text
    self.isInput = isInput
  }
}

/// Turns rendered prompts into tokens as the model's own tokenizer does, with one difference: only text that the
/// template itself wrote can become a special token.
///
/// Text between special tokens is tokenised in one run, across the border of template and message, so that a
/// harmless prompt gets exactly the tokens it had in training.
public struct PromptTokenizer: Sendable {
  private struct Special {
    let token: TokenID
    let text: [UInt8]
    let stripsLeft: Bool
    let stripsRight: Bool
  }

  private let vocabulary: LlamaVocabulary
  /// By first byte, longest first.
  private let specials: [UInt8: [Special]]
  /// Texts that libllama turns into single tokens even where special tokens are not wanted.
  private let structural: [UInt8: [[UInt8]]]

  // libllama's token attributes.
  private static let unknown: UInt32 = 1 << 0
  private static let control: UInt32 = 1 << 3
  private static let userDefined: UInt32 = 1 << 4
  private static let stripsLeft: UInt32 = 1 << 7
  private static let stripsRight: UInt32 = 1 << 8

  /// - Parameters:
  ///   - vocabulary: the model's vocabulary.
  ///   - template: the chat template's source; what it writes literally is structure, not text.
  public init(_ vocabulary: LlamaVocabulary, template: String) {
    self.vocabulary = vocabulary
    var specials: [UInt8: [Special]] = [:]
    var structural: [UInt8: [[UInt8]]] = [:]
    for id in 0..<TokenID(vocabulary.count) {
      let attributes = vocabulary.attributes(of: id)
      guard attributes & (Self.control | Self.userDefined | Self.unknown) != 0 else { continue }
      let name = vocabulary.name(of: id)
      let text = Array(name.utf8)
      guard let first = text.first else { continue }
      specials[first, default: []].append(
        Special(
          token: id, text: text, stripsLeft: attributes & Self.stripsLeft != 0,
          stripsRight: attributes & Self.stripsRight != 0))
      let isText = attributes & Self.userDefined != 0
      if isText
        ? Self.isMarkup(name) || Self.isWritten(name, by: template) : vocabulary.findsControlTokensInText
      {
        structural[first, default: []].append(text)
      }
    }
    self.specials = specials.mapValues { $0.sorted { $0.text.count > $1.text.count } }
    self.structural = structural.mapValues { $0.sorted { $0.count > $1.count } }
  }

  private static func isMarkup(_ name: String) -> Bool {
    name.hasPrefix("<|") && name.hasSuffix("|>") || name.hasPrefix("<｜") && name.hasSuffix("｜>")
  }

  private static func isWritten(_ name: String, by template: String) -> Bool {
    name.contains { !$0.isWhitespace } && name.count > 1 && template.contains(name)
  }

  /// Tokens of a text as if the template had written it, without what may come before a prompt.
  func templateTokens(_ text: String) throws -> [TokenID] {
    try tokensWithoutBegin(text, isInput: false)
  }

  /// Tokens of a text that a model is made to say, behind a prompt; none of them is special.
  func replyTokens(_ text: String) throws -> [TokenID] {
    try tokensWithoutBegin(text, isInput: true)
  }

  private func tokensWithoutBegin(_ text: String, isInput: Bool) throws -> [TokenID] {
    let tokens = try tokenize([PromptSegment(text: Array(text.utf8), isInput: isInput)])
    return vocabulary.addsBeginOfSequence && tokens.first == vocabulary.beginOfSequence
      ? Array(tokens.dropFirst()) : tokens
  }

  /// - Throws: ``LlamaError/tokenizationFailed(reason:)``.
  public func tokenize(_ segments: [PromptSegment]) throws -> [TokenID] {
    var text: [UInt8] = []
    var isInput: [Bool] = []
    for segment in segments {
      text += segment.text
      isInput += Array(repeating: segment.isInput, count: segment.text.count)
    }
    var tokens: [TokenID] = []
    var runStart = 0
    var position = 0
    var stripsLeading = false

    func flush(to end: Int, stripsTrailing: Bool) throws {
      var run = text[runStart..<end]
      if stripsLeading { run = run.drop(while: Self.isSpace) }
      if stripsTrailing { while let last = run.last, Self.isSpace(last) { run = run.dropLast() } }
      tokens += try ordinaryTokens(Array(run))
    }

    while position < text.count {
      guard !isInput[position], let special = special(at: position, in: text, isInput) else {
        position += 1
        continue
      }
      try flush(to: position, stripsTrailing: special.stripsLeft)
      tokens.append(special.token)
      position += special.text.count
      runStart = position
      stripsLeading = special.stripsRight
    }
    try flush(to: text.count, stripsTrailing: false)
    if vocabulary.addsBeginOfSequence, let begin = vocabulary.beginOfSequence, tokens.first != begin {
      tokens.insert(begin, at: 0)
    }
    return tokens
  }

  private static func isSpace(_ byte: UInt8) -> Bool { byte == 32 || (9...13).contains(byte) }

  private func special(at position: Int, in text: [UInt8], _ isInput: [Bool]) -> Special? {
    specials[text[position]]?.first { special in
      let end = position + special.text.count
      return end <= text.count && text[position..<end].elementsEqual(special.text)
        && !isInput[position..<end].contains(true)
    }
  }

  /// Tokens of a run without special tokens. Structure that libllama would still see in it is cut behind its first
  /// byte, so that it stays text.
  private func ordinaryTokens(_ run: [UInt8]) throws -> [TokenID] {
    var tokens: [TokenID] = []
    var start = 0
    for position in run.indices {
      let isStructure = structural[run[position]]?.contains { text in
        position + text.count <= run.count && run[position..<(position + text.count)].elementsEqual(text)
      }
      guard isStructure == true else { continue }
      var cut = position + 1
      // Not inside a character.
      while cut < run.count, run[cut] & 0b1100_0000 == 0b1000_0000 { cut += 1 }
      tokens += try self.tokens(of: Array(run[start..<cut]), continuing: start > 0)
      start = cut
    }
    return tokens + (try self.tokens(of: Array(run[start...]), continuing: start > 0))
  }

  /// - Parameter continuing: whether text comes right before, so that no space may be put in front.
  private func tokens(of text: [UInt8], continuing: Bool) throws -> [TokenID] {
    guard continuing, vocabulary.isSentencePiece else { return try vocabulary.tokenize(text) }
    // SentencePiece puts a space before every text; behind a line break, which never merges, there is none.
    let lead: [UInt8] = [10]
    let leadTokens = try vocabulary.tokenize(lead)
    let all = try vocabulary.tokenize(lead + text)
    return all.starts(with: leadTokens)
      ? Array(all.dropFirst(leadTokens.count)) : try vocabulary.tokenize(text)
  }
}
