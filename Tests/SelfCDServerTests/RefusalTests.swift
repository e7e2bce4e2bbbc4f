import SelfCD
import SelfCDSupport
import Testing

@testable import SelfCDServer

/// What the operator could allow, and what clients are told of it.
@Suite("Refusals")
struct RefusalTests {
  static let refused: [(fields: [String: JSONValue], code: String, option: String)] = [
    (["selfcd": ["strategy": "helpful"]], "strategy_not_allowed", "--allow helpful"),
    (["selfcd": ["strategy": "self-cd", "alpha": 9]], "alpha_not_allowed", "--alpha-range"),
    (["selfcd": ["strategy": "self-cd", "beta": 0.5]], "beta_not_allowed", "--beta-range"),
    (
      ["selfcd": ["strategy": "guarded", "guarded_prompt": "Be kind to all."]], "guarded_prompt_not_allowed",
      "--allow-own-guarded-prompt"
    ),
    (["logprobs": true], "logprobs_not_allowed", "--no-logprobs"),
    (["selfcd": ["explain": true]], "explain_not_allowed", "--no-explain"),
    (["logit_bias": ["5": 1]], "logit_bias_not_allowed", "--allow-logit-bias"),
    (["grammar": "root ::= \"a\""], "grammar_not_allowed", "--allow-grammar"),
    (["n": 99], "too_many_choices", "--max-choices"), (["model": "gpt-4o"], "model_not_found", "--name"),
  ]

  @Test("name the operator's option", arguments: refused.indices)
  func options(index: Int) async throws {
    let (fields, code, option) = Self.refused[index]
    let policy = ServerPolicy(
      strategies: ["self-cd"], allowsExplanations: false, allowsLogProbabilities: false)
    try await TestServer.with([HistoryProvider()], policy: policy) { (server: TestServer) async throws in
      let answer = try await server.post(question(fields: fields))
      #expect(answer.errorCode == code)
      #expect(answer.json["error"]["message"].string?.contains(option) == true, "\(answer.text)")
    }
  }

  @Test("offer the nearest name for a slip of the pen under 'selfcd'")
  func slips() async throws {
    try await TestServer.with([HistoryProvider()]) { (server: TestServer) async throws in
      for (field, offered) in [
        ("stratgy", "strategy"), ("alph", "alpha"), ("guardedPrompt", "guarded_prompt"),
      ] {
        let answer = try await server.post(question(fields: ["selfcd": .object([field: 1])]))
        #expect(answer.status == 400)
        #expect(
          answer.json["error"]["message"].string
            == "'selfcd.\(field)' is not known to this server. Did you mean '\(offered)'?")
      }
      let far = try await server.post(question(fields: ["selfcd": ["zzzzzz": 1]]))
      #expect(far.json["error"]["message"].string == "'selfcd.zzzzzz' is not known to this server.")
    }
  }

  @Test("leave what the operator is told clients may choose")
  func choices() async throws {
    let policy = ServerPolicy(strategies: ["self-cd"], ranges: [.alpha: 0...3])
    try await TestServer.with([HistoryProvider()], policy: policy) { (server: TestServer) async throws in
      let choices = try #require(server.server.choices.first)
      #expect(choices.model == "history" && choices.profiles == [] && server.server.hasPlayground)
      let offered = Dictionary(uniqueKeysWithValues: choices.strategies.map { ($0.name, $0.alpha) })
      #expect(offered["self-cd"] == 0...3)
      for name in ServerPolicy.knownStrategies {
        let body = question(fields: ["max_tokens": 1, "selfcd": ["strategy": .string(name)]])
        #expect(try await server.post(body).status == (offered[name] == nil ? 403 : 200), "\(name)")
      }
    }
  }
}
