import Foundation
import SelfCD
import SelfCDData
import SelfCDSupport

/// Where a question or a prompt comes from.
enum InputText {
  /// A chat from a JSON file: a list of `{"role", "content"}`, or an object with such a list under `messages`.
  ///
  /// - Throws: ``CommandError``, `ChatError`.
  static func chat(file: String) throws -> Chat {
    let data = Data(try read(file: file).utf8)
    let messages: [ChatMessage]
    do {
      messages =
        try (try? JSONDecoder().decode(Chat.self, from: data))?.messages
        ?? JSONDecoder().decode([ChatMessage].self, from: data)
    } catch {
      throw CommandError.invalid(
        """
        \(file) is not a chat: expected a JSON list of {"role": "system", "user" or "assistant", "content": text}.
        """)
    }
    let chat = Chat(messages: messages)
    try chat.validate()
    return chat
  }

  /// A question given as an argument, in a file, or on standard input.
  ///
  /// - Parameters:
  ///   - argument: `-` stands for standard input.
  /// - Throws: ``CommandError``.
  static func question(argument: String?, file: String?) throws -> String {
    if argument != nil, file != nil { throw CommandError.twoQuestions }
    let text: String
    if let file {
      text = try read(file: file)
    } else if let argument, argument != "-" {
      text = argument
    } else if argument == "-" || isatty(STDIN_FILENO) == 0 {
      text = try readStandardInput()
    } else {
      throw CommandError.noQuestion
    }
    let question = text.trimmingCharacters(in: .whitespacesAndNewlines)
    guard !question.isEmpty else { throw CommandError.noQuestion }
    return question
  }

  /// The text of a file; `-` stands for standard input.
  static func read(file: String) throws -> String {
    if file == "-" { return try readStandardInput() }
    let path = UserFolders.current.expand(file)
    let data: Data
    do {
      data = try Data(contentsOf: URL(filePath: path))
    } catch {
      throw CommandError.unreadableFile(path: file, reason: (error as NSError).localizedDescription)
    }
    return try self.text(data, of: file)
  }

  /// UTF-8, or UTF-16 that says so, without its byte order mark.
  private static func text(_ data: Data, of path: String) throws -> String {
    guard let bytes = try? TextEncoding.utf8([UInt8](data)),
      let text = String(validating: bytes, as: UTF8.self)
    else { throw CommandError.notText(path: path) }
    return text
  }

  private static func readStandardInput() throws -> String {
    try text(Data(try standardInput()), of: "Standard input")
  }

  /// All of standard input.
  /// - Throws: ``CommandError/unreadableFile(path:reason:)``.
  static func standardInput() throws -> [UInt8] {
    do {
      return [UInt8](try FileHandle.standardInput.readToEnd() ?? Data())
    } catch {
      throw CommandError.unreadableFile(
        path: "Standard input", reason: (error as NSError).localizedDescription)
    }
  }
}
