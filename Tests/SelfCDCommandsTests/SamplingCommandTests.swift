import Foundation
import SelfCD
import Testing

@testable import SelfCDCommands

/// Penalties, filters, a bias and the end of the turn, as a user gives them, on the embedded model.
@Suite struct SamplingCommandTests {
  typealias Reply = RepetitionPenaltyCommandTests.Reply

  static func reply(_ arguments: [String]) throws -> Reply {
    try RepetitionPenaltyCommandTests.reply("plain", arguments)
  }

  @Test func theEndOfTheTurnIsMoved() throws {
    let free = try Self.reply([])
    let count = free.tokens.count
    try #require(count < 150)
    let longer = try Self.reply(["--min-tokens", "\(count + 5)"])
    #expect(longer.tokens.count >= count + 5 && longer.text.hasPrefix(free.text))
    #expect(try Self.reply(["--ignore-eos", "-n", "170"]).tokens.count == 170)
  }

  @Test func aBiasForcesAndBansTokens() throws {
    let free = try Self.reply(["-n", "8"])
    let first = try #require(free.tokens.first?.id)
    let banned = try Self.reply(["-n", "8", "--logit-bias", "\(first)=-100"])
    #expect(!banned.tokens.contains { $0.id == first })
    let forced = try Self.reply(["-n", "3", "--logit-bias", "\(first)=100"])
    #expect(forced.tokens.map(\.id) == [first, first, first])
    // Of two numbers for one token the last holds.
    let both = ["--logit-bias", "\(first)=100", "--logit-bias", "\(first)=-100"]
    #expect(try Self.reply(["-n", "8"] + both).text == banned.text)
  }

  @Test func penaltiesAndFiltersChangeReplies() throws {
    let free = try Self.reply([])
    // The first token that was said before: the model is so sure of it that it is chosen all the same.
    let repeated = try #require(
      free.tokens.indices.first { index in
        free.tokens[..<index].contains { $0.id == free.tokens[index].id }
      })
    for (penalty, loss) in [("--frequency-penalty", 2), ("--presence-penalty", 1)] as [(String, Float)] {
      let penalised = try Self.reply([penalty, "\(loss)"])
      try #require(penalised.tokens.count > repeated)
      #expect(penalised.tokens[repeated].id == free.tokens[repeated].id)
      #expect(abs(free.tokens[repeated].score - penalised.tokens[repeated].score - loss) < 1e-3)
      #expect(penalised.tokens[..<repeated].map(\.score) == free.tokens[..<repeated].map(\.score))
    }
    let drawn = ["--temperature", "2", "--seed", "3"]
    let wild = try Self.reply(drawn)
    for filter in [["--typical-p", "0.3"], ["--top-n-sigma", "0.5"]] {
      #expect(try Self.reply(drawn + filter).text != wild.text, "\(filter)")
    }
    let outcome = try CommandLineTests.run(
      ["generate", "--json", "-s", "plain", "--frequency-penalty", "2", "--presence-penalty", "0.5", "q"])
    #expect(
      outcome.output.contains("\"frequency_penalty\"") && outcome.output.contains("\"presence_penalty\""))
    #expect(!outcome.output.contains("\"repetition_penalty\""))
  }

  @Test(arguments: [
    (["--frequency-penalty", "3"], "frequency-penalty is 3"),
    (["--presence-penalty=-2.5"], "presence-penalty is -2.5"),
    (["--typical-p", "0"], "typical-p is 0"), (["--top-n-sigma", "0"], "top-n-sigma is 0"),
    (["--min-tokens", "-1"], "--min-tokens"), (["--min-tokens", "50", "-n", "40"], "--min-tokens is 50"),
    (["--logit-bias", "5"], "--logit-bias is '5'"), (["--logit-bias", "5=101"], "--logit-bias is '5=101'"),
    (["--logit-bias", "wine=1"], "TOKEN=NUMBER"),
  ]) func wrongValuesAreWrongUse(arguments: [String], message: String) throws {
    for command in [["generate", "q"], ["compare", "q"], ["chat"]] {
      let outcome = try CommandLineTests.run(command + arguments)
      #expect(outcome.status == 64, "\(outcome.errors)")
      #expect(outcome.errors.contains(message), "\(outcome.errors)")
    }
  }

  @Test func aProfileWasMeasuredWithoutThem() throws {
    let arguments = [
      "--frequency-penalty", "0.5", "--logit-bias", "5=1", "--min-tokens", "2",
    ]
    let outcome = try CommandLineTests.run(
      ["generate"] + arguments + [RepetitionPenaltyCommandTests.question])
    for note in [
      "no frequency penalty (here 0.5)", "no bias on tokens (here on 1 token)", "not before 2 tokens",
    ] {
      #expect(outcome.errors.contains(note), "\(outcome.errors)")
    }
  }
}
