import Foundation
import Testing

/// `--emphasis-position`, on the embedded model.
@Suite struct EmphasisPositionCommandTests {
  static let system = String(repeating: "Answer from the manual. ", count: 6)
  static let question = "How do I kill a wine stain on a white shirt?"

  static func generate(
    _ arguments: [String], environment: [String: String] = [:]
  ) throws -> (parameters: [String: Any], usage: [String: Any], text: String?) {
    let outcome = try CommandLineTests.run(
      ["generate", "-s", "self-cd", "--alpha", "1.5", "--system", system, "-n", "4", "--json"] + arguments
        + [question],
      environment: environment)
    #expect(outcome.status == 0, "\(outcome.errors)")
    let object = try #require(
      try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any])
    let parameters = try #require(object["parameters"] as? [String: Any])
    let usage = try #require(object["usage"] as? [String: Any])
    return (parameters, usage, object["text"] as? String)
  }

  @Test func theLaterItStandsTheMoreTheLanesShare() throws {
    var computed: [Int] = []
    for position in ["start", "after-system", "last-turn"] {
      let (parameters, usage, _) = try Self.generate(["--emphasis-position", position])
      let emphasis = try #require(parameters["emphasis"] as? [String: Any])
      // What is usual is not said.
      #expect(emphasis["position"] as? String == (position == "start" ? nil : position))
      let guarded = try #require(usage["guarded_prompt_tokens"] as? Int)
      let plain = try #require(usage["plain_prompt_tokens"] as? Int)
      let own = try #require(usage["prefilled_tokens"] as? Int)
      #expect(own <= guarded + plain)
      computed.append(own)
    }
    #expect(computed[0] > computed[1] && computed[1] > computed[2], "\(computed)")
  }

  @Test func theEnvironmentGivesItWhereNoOptionDoes() throws {
    let environment = ["SELFCD_EMPHASIS_POSITION": "last-turn"]
    let asked = try Self.generate(["--emphasis-position", "last-turn"])
    let usual = try Self.generate([], environment: environment)
    #expect(NSDictionary(dictionary: usual.parameters) == NSDictionary(dictionary: asked.parameters))
    #expect(usual.text == asked.text)
    let start = try Self.generate(["--emphasis-position", "start"], environment: environment)
    #expect((start.parameters["emphasis"] as? [String: Any])?["position"] == nil)
    let wrong = try CommandLineTests.run(
      ["generate", "-s", "guarded", Self.question], environment: ["SELFCD_EMPHASIS_POSITION": "middle"])
    #expect(wrong.status == 64 && wrong.errors.contains("SELFCD_EMPHASIS_POSITION"), "\(wrong.errors)")
  }

  /// The guarded column of `compare` is the guarded lane of its contrast: α 0 is that lane.
  @Test func compareShowsTheLaneThatIsContrasted() throws {
    let outcome = try CommandLineTests.run(
      [
        "compare", "--alpha", "0", "--emphasis-position", "last-turn", "--step-mode", "separate", "--json",
        "-n", "12", Self.question,
      ])
    #expect(outcome.status == 0, "\(outcome.errors)")
    let object = try #require(
      try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any])
    let replies = try #require(object["replies"] as? [[String: Any]])
    func text(_ strategy: String) -> String? {
      replies.first { $0["strategy"] as? String == strategy }?["text"] as? String
    }
    #expect(text("guarded") != nil && text("guarded") == text("self-cd"))
  }

  @Test func itIsRefusedWhereItHasNoEffect() throws {
    for (arguments, mentions) in [
      (["generate", "-s", "plain"], "has no effect on 'plain'"),
      (["generate", "-m", "organism-unbiased"], "has no effect on 'plain'"),
      (["generate", "--profile", "p.json"], "--emphasis-position"),
    ] {
      let outcome = try CommandLineTests.run(arguments + ["--emphasis-position", "last-turn", Self.question])
      #expect(outcome.status == 64 && outcome.errors.contains(mentions), "\(arguments): \(outcome.errors)")
    }
  }
}
