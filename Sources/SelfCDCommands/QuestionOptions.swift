import ArgumentParser
import SelfCD

/// What is to be answered: a question, or a whole chat.
struct QuestionOptions: ParsableArguments {
  @Argument(help: "The question; '-' reads standard input.")
  var question: String?

  @Option(name: [.short, .long], help: .init("A file with the question.", valueName: "path"))
  var file: String?

  @Option(
    help: .init(
      "A JSON file with a whole chat, a list of {role, content} that ends with the user's turn.",
      valueName: "path"))
  var messages: String?

  func validate() throws {
    if messages != nil, question != nil || file != nil {
      throw ValidationError("Give a question or --messages, not both.")
    }
  }

  /// - Parameter system: the caller's own system prompt, unless the chat brings one.
  /// - Throws: ``CommandError``, `ChatError`.
  func chat(system: String?) throws -> Chat {
    guard let messages else {
      return Chat(question: try InputText.question(argument: question, file: file), system: system)
    }
    let chat = try InputText.chat(file: messages)
    guard let system else { return chat }
    guard chat.systemPrompt == nil else {
      throw CommandError.invalid("\(messages) has a system prompt already; leave out --system.")
    }
    return chat.replacingSystemPrompt(with: system)
  }
}
