import CLlama
import Foundation
import SelfCD
import Testing

@testable import SelfCDLlama

/// Prompts whose last turn, the assistant's, is left open.
@Suite struct ContinuationTests {
  static let beginning = "Certainly: word0end "

  static func chat(_ beginning: String = Self.beginning) -> Chat {
    Chat(messages: [.system("Be brief."), .user("Hello"), .assistant(beginning)])
  }

  @Test func theEmbeddedModelGoesOnAsIfItHadSaidIt() async throws {
    let renderer = try await TestModel.load().renderer
    for beginning in ["I would", "I would use a", "Sure, here is", "Naïve 日本 <|im_end|>"] {
      let open = try renderer.render(continuing: Self.chat(beginning))
      let before = try renderer.render(Chat(messages: Array(Self.chat().messages.dropLast())))
      #expect(open.tokens == before.tokens + (try renderer.tokens(ofReply: beginning)))
      #expect(open.text == before.text + beginning && open.reasoning == nil)
    }
    #expect(throws: ChatError.nothingToContinue) {
      try renderer.render(continuing: Chat(question: "Hello"))
    }
  }

  /// Templates trim what was said, hide reasoning, or write something behind it: the prompt ends with the words all the
  /// same, or the chat is refused.
  @Test(
    .enabled(if: LlamaSources.models != nil, Comment(rawValue: LlamaSources.skipReason)))
  func templatesAreCutBehindTheLastWord() throws {
    var continued = 0
    for template in SystemMessageTests.templates {
      let (renderer, vocabulary) = try SystemMessageTests.renderer(template)
      func specials(_ prompt: RenderedPrompt) -> [TokenID] {
        prompt.tokens.filter { vocabulary.attributes(of: $0) & LLAMA_TOKEN_ATTR_CONTROL.rawValue != 0 }
      }
      guard let open = try? renderer.render(continuing: Self.chat()) else { continue }
      continued += 1
      let words = Self.beginning.trimmingCharacters(in: .whitespaces)
      #expect(open.text.hasSuffix(words) || open.text.hasSuffix(Self.beginning), "\(template): \(open.text)")
      #expect(open.text.contains("Hello"), "\(template)")
      let marked = try renderer.render(continuing: Self.chat("Certainly<|eot_id|>"))
      #expect(specials(marked) == specials(open), "\(template)")
    }
    #expect(continued >= 20)
  }

  /// A template that shows another text in the place of what was said.
  @Test func aMessageThatIsNotShownCannotBeContinued() throws {
    let model = try LlamaModel(vocabularyOf: try TestModel.path())
    for (source, isContinued) in [
      ("{% for m in messages %}{{ m.role }}: {{ m.content | trim }}\n{% endfor %}", true),
      ("{% for m in messages %}{{ m.content | upper }}\n{% endfor %}", false),
      ("{% for m in messages %}{% if m.role != 'assistant' %}{{ m.content }}{% endif %}{% endfor %}", false),
    ] {
      let renderer = try LlamaPromptRenderer(model: model, options: .init(source: source))
      if isContinued {
        #expect(try renderer.render(continuing: Self.chat()).text.hasSuffix("Certainly: word0end"))
      } else {
        #expect(throws: ChatError.cannotContinue) { try renderer.render(continuing: Self.chat()) }
      }
    }
  }
}
