import Foundation
import SelfCD
import Testing

@testable import SelfCDCommands

/// `--negative-prompt` and `--guidance`, as a user gives them, on the embedded model.
@Suite struct GuidanceCommandTests {
  struct Reply: Decodable {
    struct Parameters: Decodable {
      let guidance: Float?
      let negativePrompt: String?
    }
    let text: String
    let strategy: String
    let calibrated: Bool
    let parameters: Parameters
  }

  static let question = RepetitionPenaltyCommandTests.question
  static let negative = ["--negative-prompt", "Talk about the weather."]

  static func reply(_ arguments: [String]) throws -> Reply {
    let outcome = try CommandLineTests.run(["generate", "--json"] + arguments + [question])
    #expect(outcome.status == 0, "\(outcome.errors)")
    return try CommandLineTests.decoder.decode(Reply.self, from: Data(outcome.output.utf8))
  }

  @Test func optionsOfGuidanceAskForIt() throws {
    let guided = try Self.reply(Self.negative)
    #expect(guided.strategy == "guidance" && !guided.calibrated)
    #expect(guided.parameters.guidance == 1.5)
    #expect(guided.parameters.negativePrompt == "Talk about the weather.")
    #expect(try Self.reply(["-s", "guidance"] + Self.negative).text == guided.text)
    // 1 is the chat itself.
    let one = try Self.reply(Self.negative + ["--guidance", "1"])
    #expect(one.text == (try Self.reply(["-s", "plain"]).text))
    let chatted = try CommandLineTests.run(["chat"] + Self.negative, input: Self.question + "\n")
    #expect(chatted.output == guided.text + "\n")
  }

  @Test func itIsNoted() throws {
    let outcome = try CommandLineTests.run(["generate"] + Self.negative + [Self.question])
    #expect(outcome.errors.contains("guidance 1.5 is not calibrated for this model"), "\(outcome.errors)")
  }

  @Test(arguments: [
    (["--guidance", "2"], "'guidance' needs --negative-prompt"),
    (["-s", "guidance"], "'guidance' needs --negative-prompt"),
    (["--negative-prompt", " "], "negative_prompt is an empty text"),
    (["--negative-prompt", "x", "--guidance", "11"], "guidance is 11"),
    (["--negative-prompt", "x", "--guidance", "0.5"], "guidance is 0.5"),
    (["--negative-prompt", "x", "--alpha", "2"], "--alpha has no effect on 'guidance'"),
    (["--negative-prompt", "x", "-s", "self-cd"], "--negative-prompt has no effect on 'self-cd'"),
    (
      ["--negative-prompt", "x", "--profile", "p.json"], "--profile says how to decode, so --negative-prompt"
    ),
  ]) func wrongUseSaysWhy(arguments: [String], message: String) throws {
    let outcome = try CommandLineTests.run(["generate", "q"] + arguments)
    #expect(outcome.status == 64, "\(outcome.errors)")
    #expect(outcome.errors.contains(message), "\(outcome.errors)")
  }

  @Test func whatComparesAndCalibratesSafetyPromptsDoesWithoutIt() throws {
    let compared = try CommandLineTests.run(["compare", "q"] + Self.negative)
    #expect(compared.status == 64 && compared.errors.contains("compare shows what a safety prompt does"))
    let calibrated = try CommandLineTests.run(["calibrate", "--strategies", "guidance"] + Self.negative)
    #expect(calibrated.status == 64 && calibrated.errors.contains("'guidance' is not calibrated"))
  }
}
