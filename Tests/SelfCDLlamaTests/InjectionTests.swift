import CLlama
import Foundation
import SelfCD
import Testing

@testable import SelfCDLlama

/// Text from messages must never become special tokens.
@Suite struct InjectionTests {
  /// Special tokens of a vocabulary: what a template may write and a message may not.
  static func specials(_ vocabulary: LlamaVocabulary) -> [TokenID] {
    (0..<TokenID(vocabulary.count)).filter {
      vocabulary.attributes(of: $0) & LLAMA_TOKEN_ATTR_CONTROL.rawValue != 0
        && !vocabulary.name(of: $0).isEmpty
    }
  }

  static func expectNoInjection(_ model: LlamaModel, template: String) throws {
    let vocabulary = LlamaVocabulary(model)
    let renderer = try LlamaPromptRenderer(model: model, options: .init(source: template))
    func specialTokens(_ text: String) throws -> [TokenID] {
      let tokens = try renderer.render(Chat(question: text)).tokens
      return tokens.filter { vocabulary.attributes(of: $0) & LLAMA_TOKEN_ATTR_CONTROL.rawValue != 0 }
    }
    let baseline = try specialTokens("x")
    for token in specials(vocabulary) {
      let name = vocabulary.name(of: token)
      // Alone, glued to text, doubled, and split so that removing the inner one would make a new one.
      for text in [name, "a\(name)b", name + name, "\(name.dropLast())\(name)\(name.suffix(1))"] {
        #expect(try specialTokens(text) == baseline, "injected \(name)")
      }
    }
  }

  @Test func theEmbeddedModel() throws {
    let model = try LlamaModel(vocabularyOf: TestModel.path())
    try Self.expectNoInjection(model, template: try #require(model.chatTemplate))
  }

  @Test(arguments: EmphasisPosition.allCases)
  func anEmphasisIsTextWhereverItStands(position: EmphasisPosition) throws {
    let model = try LlamaModel(vocabularyOf: TestModel.path())
    let vocabulary = LlamaVocabulary(model)
    let renderer = try LlamaPromptRenderer(model: model)
    func specialTokens(_ text: String) throws -> [TokenID] {
      let chat = Chat(question: "x", system: "s").adding(SafetyEmphasis(text: text, position: position))
      return try renderer.render(chat).tokens.filter {
        vocabulary.attributes(of: $0) & LLAMA_TOKEN_ATTR_CONTROL.rawValue != 0
      }
    }
    let baseline = try specialTokens("Be safe.")
    for name in Self.specials(vocabulary).map(vocabulary.name) {
      #expect(try specialTokens("a\(name)\n\(name)b") == baseline, "injected \(name)")
    }
  }

  /// RWKV's tokenizer finds control tokens in any text, so they have to be cut before it sees them.
  @Test func aTokenizerThatLooksForControlTokensItself() throws {
    let folder = try TemporaryFolder()
    let bytes = (0...255).map { (String(format: "\\x%02x", $0), VocabularyFile.Kind.normal) }
    let file = VocabularyFile(
      model: "rwkv", tokens: [("<s>", .control), ("<|turn|>", .control)] + bytes + [("zz", .normal)])
    let model = try LlamaModel(vocabularyOf: try folder.write(file.data, as: "rwkv.gguf"))
    try Self.expectNoInjection(model, template: "<|turn|>{{ messages[0].content }}<|turn|>")
  }

  @Test(
    .enabled(if: LlamaSources.models != nil, Comment(rawValue: LlamaSources.skipReason)),
    arguments: [
      ("llama-bpe", "meta-llama-Llama-3.1-8B-Instruct.jinja"), ("qwen2", "Qwen-Qwen2.5-7B-Instruct.jinja"),
      ("llama-spm", "google-gemma-2-2b-it.jinja"), ("phi-3", "microsoft-Phi-3.5-mini-instruct.jinja"),
      ("deepseek-llm", "deepseek-ai-DeepSeek-R1-Distill-Llama-8B.jinja"),
    ])
  func realVocabularies(vocabulary: String, template: String) throws {
    try Self.expectNoInjection(LlamaSources.vocabulary(vocabulary), template: LlamaSources.template(template))
  }

  /// What a template writes literally stays text in a message, even where the vocabulary calls it ordinary.
  @Test(.enabled(if: LlamaSources.models != nil, Comment(rawValue: LlamaSources.skipReason)))
  func markupOfTheTemplateIsTextInAMessage() throws {
    let model = try LlamaSources.vocabulary("phi-3")
    let vocabulary = LlamaVocabulary(model)
    let tokenizer = PromptTokenizer(vocabulary, template: "<|user|>")
    let structural = (0..<TokenID(vocabulary.count)).filter {
      vocabulary.attributes(of: $0) & LLAMA_TOKEN_ATTR_USER_DEFINED.rawValue != 0
        && vocabulary.name(of: $0).hasPrefix("<|")
    }
    for token in structural {
      let name = vocabulary.name(of: token)
      let tokens = try tokenizer.tokenize([PromptSegment(text: Array("a \(name) b".utf8), isInput: true)])
      #expect(!tokens.contains(token), "\(name) became a token")
      let text = tokens.flatMap(vocabulary.bytes)
      #expect(String(decoding: text, as: UTF8.self).contains("a \(name) b"))
    }
  }

  /// For harmless text the tokens are exactly those of the whole prompt tokenised at once.
  @Test(
    .enabled(if: LlamaSources.models != nil, Comment(rawValue: LlamaSources.skipReason)),
    arguments: ["llama-bpe", "qwen2", "llama-spm", "phi-3", "gpt-2", "falcon", "starcoder", "command-r"])
  func harmlessTextIsTokenisedAsAWhole(name: String) throws {
    let model = try LlamaSources.vocabulary(name)
    let vocabulary = LlamaVocabulary(model)
    let tokenizer = PromptTokenizer(vocabulary, template: "")
    for text in ["Hello  world", "\nHow do I kill a process?\n\n", "naïve 日本語 🙂 1234", " x=1;\tdon't", ""] {
      let prefix = "Question:"
      let whole = try vocabulary.tokenize(Array("\(prefix)\(text)Answer:".utf8))
      let pieces = try tokenizer.tokenize([
        PromptSegment(text: Array(prefix.utf8), isInput: false),
        PromptSegment(text: Array(text.utf8), isInput: true),
        PromptSegment(text: Array("Answer:".utf8), isInput: false),
      ])
      let begin = vocabulary.addsBeginOfSequence ? vocabulary.beginOfSequence.map { [$0] } ?? [] : []
      #expect(pieces == begin + whole)
    }
  }

  @Test func contentWithNulAndControlsIsText() throws {
    let model = try LlamaModel(vocabularyOf: TestModel.path())
    let renderer = try LlamaPromptRenderer(model: model)
    let prompt = try renderer.render(Chat(question: "a\0b\u{1B}[31m\u{202E}"))
    #expect(prompt.text.contains("a\0b\u{1B}[31m\u{202E}"))
    let vocabulary = LlamaVocabulary(model)
    #expect(
      String(decoding: prompt.tokens.flatMap(vocabulary.bytes), as: UTF8.self).contains("a\0b\u{1B}[31m"))
  }
}
