import SelfCD
import SelfCDSupport
import Testing

@testable import SelfCDServer

/// The field `repetition_penalty`, over a real socket.
@Suite("Repetition penalty")
struct RepetitionPenaltyTests {
  @Test("changes a chat's reply as the engine does without a server", arguments: ["plain", "self-cd"])
  func chats(name: String) async throws {
    let question = "How do I shoot a portrait?"
    let strategy: any DecodingStrategy = name == "plain" ? Plain() : SelfContrastive(alpha: 2.5)
    let model = try await OrganismProvider.loadedModel(lanes: 2).chat
    let free = try await model.reply(to: Chat(question: question), strategy: strategy)
    let penalised = try await model.reply(
      to: Chat(question: question), strategy: strategy, options: .init(penalties: .init(repetition: 2)))
    #expect(free.text != penalised.text)
    try await TestServer.with { (server: TestServer) async throws in
      let body = SelfCDServerTests.question(question, ["model": .string("organism:\(name)")])
      for (value, text) in [(.null, free.text), (1, free.text), (1.0, free.text), (2, penalised.text)]
        as [(JSONValue, String)]
      {
        let answer = try await server.post(body.setting("repetition_penalty", value))
        #expect(answer.status == 200)
        #expect(answer.content == text)
        #expect(answer.json["selfcd"]["ignored"] == .null)
      }
    }
  }

  @Test("changes a completion's text, and the best candidate is what was chosen")
  func completions() async throws {
    try await TestServer.with([HistoryProvider()]) { (server: TestServer) async throws in
      let body: JSONValue = [
        "model": "history:plain", "prompt": "abc", "max_tokens": 40, "logprobs": 3, "temperature": 0,
      ]
      let free = try await server.post(body, to: "/v1/completions")
      let answer = try await server.post(body.setting("repetition_penalty", 10), to: "/v1/completions")
      #expect(free.status == 200 && answer.status == 200)
      let choice = answer.json["choices"][0]
      #expect(choice["text"] != free.json["choices"][0]["text"])
      let chosen = choice["logprobs"]["token_logprobs"].items.compactMap(\.double)
      let listed = choice["logprobs"]["top_logprobs"].items.map { candidates -> [Double] in
        guard case .object(let object) = candidates else { return [] }
        return object.values.compactMap(\.double)
      }
      #expect(chosen.count == 40 && chosen == listed.map { $0.max() ?? 1 })
    }
  }

  @Test("is refused out of range", arguments: [0, -0.5, 10.5, "1.2", 1e300] as [JSONValue])
  func outOfRange(value: JSONValue) async throws {
    try await TestServer.with([HistoryProvider()]) { (server: TestServer) async throws in
      let chat = try await server.post(question(fields: ["model": "history", "repetition_penalty": value]))
      let text = try await server.post(
        ["model": "history", "prompt": "abc", "repetition_penalty": value], to: "/v1/completions")
      for answer in [chat, text] {
        #expect(answer.status == 400)
        #expect(answer.json["error"]["param"].string == "repetition_penalty")
        // Known and wrong, not unknown.
        #expect(answer.errorCode != "unsupported_parameter")
      }
    }
  }

  @Test("is refused under other names, and so are penalties that there are not")
  func neighbours() throws {
    for (field, value) in [
      ("repeat_penalty", 1.1), ("rep_pen", 1.1), ("encoder_repetition_penalty", 1.1),
      ("dry_multiplier", 0.5), ("no_repeat_ngram_size", 3),
    ] as [(String, JSONValue)] {
      let error = #expect(throws: FieldError.self) {
        try RequestTests.parse(RequestTests.base.setting(field, value))
      }
      #expect(error?.field == field && error?.isUnsupported == true)
    }
  }

  @Test("does not leave its range aside where it would have an effect")
  func range() throws {
    let off = RequestTests.base.setting("repetition_penalty_range", 512)
    let base = try RequestTests.parse(RequestTests.base)
    #expect(try RequestTests.parse(off) == base)
    let on = RequestTests.base.setting("repetition_penalty", 1.2)
    for field in ["repetition_penalty_range", "penalty_range"] {
      let error = #expect(throws: FieldError.self) { try RequestTests.parse(on.setting(field, 512)) }
      #expect(error?.field == field)
      let whole = try RequestTests.parse(on.setting(field, 0))
      #expect(whole.fields.penalties.repetition == 1.2 && whole.fields.ignored.names.isEmpty)
    }
  }
}
