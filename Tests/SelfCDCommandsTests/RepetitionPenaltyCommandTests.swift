import Foundation
import SelfCD
import Testing

@testable import SelfCDCommands

/// `--repetition-penalty`, as a user gives it, on the embedded model.
@Suite struct RepetitionPenaltyCommandTests {
  struct Reply: Decodable {
    struct Token: Decodable {
      let id: Int
      let score: Float
    }
    let text: String
    let calibrated: Bool
    let repetitionPenalty: Float?
    let tokens: [Token]
  }

  static let question = "How do I shoot a portrait?"

  static func reply(_ strategy: String, _ arguments: [String] = []) throws -> Reply {
    let outcome = try CommandLineTests.run(["generate", "--json", "-s", strategy] + arguments + [question])
    #expect(outcome.status == 0, "\(outcome.errors)")
    return try CommandLineTests.decoder.decode(Reply.self, from: Data(outcome.output.utf8))
  }

  @Test(arguments: ["plain", "guarded", "self-cd", "ada-cd", "probe-cd"])
  func itChangesTheReplyAndOneDoesNot(strategy: String) throws {
    let free = try Self.reply(strategy)
    #expect(free.repetitionPenalty == nil)
    let one = try Self.reply(strategy, ["--repetition-penalty", "1"])
    #expect(one.repetitionPenalty == nil && one.text == free.text)
    #expect(one.tokens.map(\.id) == free.tokens.map(\.id))
    let two = try Self.reply(strategy, ["--repetition-penalty", "2"])
    #expect(two.repetitionPenalty == 2)
    #expect(two.text != free.text)
    // The question's own word for what is shot: the model repeats it unless that costs something.
    #expect(free.text.contains("portrait") && !two.text.contains("portrait"), "\(two.text)")
  }

  @Test(arguments: ["0", "-1", "11", "nan"]) func outOfRangeIsWrongUse(value: String) throws {
    for command in [["generate", "q"], ["compare", "q"], ["chat"], ["eval"]] {
      let outcome = try CommandLineTests.run(command + ["--repetition-penalty=\(value)"])
      #expect(outcome.status == 64)
      #expect(outcome.errors.contains("repetition-penalty is "), "\(outcome.errors)")
      #expect(outcome.errors.contains("at most 10"))
    }
  }

  @Test func chatAndCompareFollow() throws {
    let penalty = ["--repetition-penalty", "2"]
    let expected = try Self.reply("plain", penalty).text
    let chatted = try CommandLineTests.run(["chat", "-s", "plain"] + penalty, input: Self.question + "\n")
    #expect(chatted.output == expected + "\n")
    struct Comparison: Decodable { let replies: [Reply] }
    let compared = try CommandLineTests.run(["compare", "--json"] + penalty + [Self.question])
    let replies = try CommandLineTests.decoder.decode(
      Comparison.self, from: Data(compared.output.utf8)
    ).replies
    #expect(replies.count == 3 && replies.allSatisfy { $0.repetitionPenalty == 2 })
    #expect(replies[1].text == expected)
  }

  @Test func aProfileWasMeasuredWithoutIt() throws {
    let note = "no repetition penalty (here 1.5)"
    let penalised = try CommandLineTests.run(["generate", "--repetition-penalty", "1.5", Self.question])
    #expect(penalised.errors.contains(note), "\(penalised.errors)")
    #expect(!(try CommandLineTests.run(["generate", Self.question]).errors.contains("repetition")))
  }

  @Test func aRunKeepsItAndResumingChecksIt() throws {
    let space = try EvaluationCommandTests.Workspace()
    let sweep = ["--strategies", "plain", "-n", "30"]
    let run = ["eval", "--json"] + space.sets + sweep
    let free = try space.json(run + ["--run", "free"])
    #expect(free["repetition_penalty"] == nil)
    let penalised = try space.json(run + ["--run", "penalised", "--repetition-penalty", "2"])
    #expect(penalised["repetition_penalty"] as? Double == 2)
    func texts(_ name: String) throws -> String {
      try space.run(["export", name, "--text", "all"]).output.replacing(name, with: "")
    }
    #expect(try texts("free") != texts("penalised"))
    for (name, value) in [("free", "2"), ("penalised", "3")] {
      let other = try space.run(["eval", "--resume", name, "--repetition-penalty", value])
      #expect(other.status == 1 && other.errors.contains("--repetition-penalty"), "\(other.errors)")
    }
    let again = try space.json(["eval", "--json", "--resume", "penalised", "--repetition-penalty", "2"])
    #expect((again["speed"] as? [String: Any])?["generated"] as? Int == 0)
    #expect(again["repetition_penalty"] as? Double == 2)
  }
}
