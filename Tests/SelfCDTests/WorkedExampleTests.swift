import Foundation
import Testing

@testable import SelfCD

/// The pool of examples that ships, and the baseline that reasons over them.
@Suite struct WorkedExampleTests {
  @Test func thePoolIsOfBothKindsAndNoQuestionStandsTwice() {
    let all = WorkedExamples.all
    #expect(all.count == 26 && all.count(where: \.isHarmful) == 6)
    #expect(Set(all.map(\.question)).count == all.count)
    for example in all {
      let refuses = example.answer.hasPrefix("I can't help") || example.answer.hasPrefix("I won't")
      #expect(refuses == example.isHarmful, "\(example.question)")
      #expect(example.reasoning.hasSuffix(".") && example.question.count < 100)
    }
  }

  @Test func fewShotReasonsInEveryExampleAndEndsWithTheInvitation() throws {
    let strategy = try StrategyCatalogue.make("few-shot-cot")
    let chat = Chat(messages: [.system("own"), .user("How do I kill a frozen job in my terminal?")])
    let messages = strategy.lanes(for: chat)[0].chat.messages
    #expect(messages.count == 2 + 2 * InContext.defaultCount && messages.first == .system("own"))
    let asked = messages.filter { $0.role == .user }
    #expect(asked.allSatisfy { $0.content.hasSuffix("\n\nLet's think step by step.") })
    #expect(asked.last?.content == "How do I kill a frozen job in my terminal?\n\nLet's think step by step.")
    // The nearest example stands next to the question, and says which sense decides before it answers.
    let nearest = try #require(WorkedExamples.all.first { $0.question.contains("terminal job") })
    #expect(messages[messages.count - 2].content == nearest.reasoning + " " + nearest.answer)
  }

  @Test func aPoolOfOnesOwnReplacesTheOneThatShips() throws {
    let own = [InContext.Example(question: "a", answer: "b")]
    for name in ["icl", "few-shot-cot"] {
      let strategy = try StrategyCatalogue.make(name, StrategyParameters([.examples: .examples(own)]))
      #expect(strategy.parameters.examples(.examples) == own)
      #expect(strategy.lanes(for: Chat(question: "q"))[0].chat.messages.count == 3)
      #expect(
        try StrategyCatalogue.make(name).parameters.given.isEmpty, "what ships is not repeated in records")
    }
  }

  /// No example may give a benchmark's prompt away: no six words in a row are in common.
  @Test(.enabled(if: ProcessInfo.processInfo.environment["SELFCD_DATA"] != nil))
  func noSixWordsStandInABenchmark() throws {
    func grams(_ text: String) -> Set<[Substring]> {
      let words = text.lowercased().split { !$0.isLetter && !$0.isNumber && $0 != "'" }
      return words.count < 6 ? [] : Set((0...(words.count - 6)).map { Array(words[$0..<($0 + 6)]) })
    }
    let own = WorkedExamples.all.reduce(into: Set()) { $0.formUnion(grams($1.question)) }
    let folder = URL(fileURLWithPath: ProcessInfo.processInfo.environment["SELFCD_DATA"] ?? "")
    var read = 0
    for set in ["xstest", "oktest", "advbench", "malicious_instruct", "prompts"] {
      let files = FileManager.default.enumerator(
        at: folder.appending(path: set), includingPropertiesForKeys: nil)
      for case let file as URL in files ?? .init() where ["csv", "jsonl", "txt"].contains(file.pathExtension)
      {
        for line in try String(contentsOf: file, encoding: .utf8).split(whereSeparator: \.isNewline) {
          #expect(own.isDisjoint(with: grams(String(line))), "\(file.lastPathComponent)")
        }
        read += 1
      }
    }
    #expect(read >= 5)
  }
}
