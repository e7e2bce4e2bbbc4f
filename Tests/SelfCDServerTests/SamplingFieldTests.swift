import SelfCD
import SelfCDSupport
import Testing

@testable import SelfCDServer

/// Penalties, filters, a bias and the end of the turn, as clients set them, over a real socket.
@Suite("Sampling fields")
struct SamplingFieldTests {
  /// The scripted model ends its reply to it after 58 tokens.
  static let text = "How do I kill a wine stain?"

  static func options(_ change: (inout GenerationOptions) -> Void) -> GenerationOptions {
    var options = GenerationOptions(maximumTokens: 60)
    change(&options)
    return options
  }

  /// Fields, and the same as the library's options.
  static let fields: [(fields: [String: JSONValue], options: GenerationOptions)] = [
    (["frequency_penalty": 1.5], options { $0.penalties.frequency = 1.5 }),
    (["presence_penalty": -2], options { $0.penalties.presence = -2 }),
    (
      ["repetition_penalty": 1.3, "frequency_penalty": 0.5, "presence_penalty": 0.25],
      options { $0.penalties = Penalties(repetition: 1.3, frequency: 0.5, presence: 0.25) }
    ),
    (["min_tokens": 60], options { $0.minimumTokens = 60 }),
    (["ignore_eos": true], options { $0.ignoresEnd = true }),
    (
      ["temperature": 1, "seed": 5, "typical_p": 0.4],
      options { $0.sampling = .init(temperature: 1, typicalP: 0.4, seed: 5) }
    ),
    (
      ["temperature": 1.5, "seed": 6, "top_n_sigma": 1],
      options { $0.sampling = .init(temperature: 1.5, topNSigma: 1, seed: 6) }
    ),
  ]

  @Test("decode as the library does", arguments: fields.indices)
  func equalTheLibrary(index: Int) async throws {
    let (fields, options) = Self.fields[index]
    let model = try await HistoryProvider(behaviour: .init()).load().chat
    let expected = try await model.reply(to: Chat(question: Self.text), strategy: Plain(), options: options)
    var free = options
    free.penalties = .none
    free.minimumTokens = 0
    free.ignoresEnd = false
    free.sampling.typicalP = nil
    free.sampling.topNSigma = nil
    let without = try await model.reply(to: Chat(question: Self.text), strategy: Plain(), options: free)
    #expect(expected.text != without.text, "the setting has an effect on this question")
    let provider = HistoryProvider(behaviour: .init())
    try await TestServer.with([provider]) { (server: TestServer) async throws in
      let asked = fields.merging(["max_tokens": 60]) { $1 }
      let answer = try await server.post(question(Self.text, asked))
      #expect(answer.status == 200, "\(answer.text)")
      #expect(answer.content == expected.text)
      #expect(answer.json["selfcd"]["ignored"] == .null)
    }
  }

  @Test("a bias is taken where the operator allows it, of tokens that there are")
  func bias() async throws {
    var policy = ServerPolicy()
    policy.allowsLogitBias = true
    try await TestServer.with([HistoryProvider()], policy: policy) { (server: TestServer) async throws in
      let body: JSONValue = ["model": "history", "prompt": "abc", "max_tokens": 4, "logit_bias": ["65": 100]]
      let answer = try await server.post(body, to: "/v1/completions")
      #expect(answer.json["choices"][0]["text"].string == "AAAA")
      let chat = try await server.post(question(fields: ["max_tokens": 3, "logit_bias": ["66": 100]]))
      #expect(chat.content == "BBB")
      let beyond = try await server.post(body.setting("logit_bias", ["129": 1]), to: "/v1/completions")
      #expect(beyond.status == 400 && beyond.json["error"]["param"].string == "logit_bias")
      let allowed = try await server.get("/selfcd/policy").json["logit_bias"]
      #expect(allowed == true)
    }
    try await TestServer.with([HistoryProvider()]) { (server: TestServer) async throws in
      let refused = try await server.post(question(fields: ["logit_bias": ["66": 100]]))
      #expect(refused.status == 403)
      let empty = try await server.post(question(fields: ["max_tokens": 3, "logit_bias": [:]]))
      #expect(empty.status == 200)
    }
  }

  @Test("a least length beside no limit asks for as much, and more than the limit is an error")
  func leastLength() async throws {
    let policy = ServerPolicy(defaultMaximumTokens: 5, maximumTokens: 20)
    try await TestServer.with([HistoryProvider()], policy: policy) { (server: TestServer) async throws in
      func tokens(_ fields: [String: JSONValue]) async throws -> Int? {
        try await server.post(question(fields: fields)).json["usage"]["completion_tokens"].int
      }
      #expect(try await tokens([:]) == 5)
      #expect(try await tokens(["min_tokens": 3]) == 5)
      #expect(try await tokens(["min_tokens": 12]) == 12)
      // What the operator allows is the most in any case.
      #expect(try await tokens(["min_tokens": 100]) == 20)
      let wrong = try await server.post(question(fields: ["min_tokens": 12, "max_tokens": 11]))
      #expect(wrong.status == 400 && wrong.json["error"]["param"].string == "min_tokens")
    }
  }

  @Test("no bound covers a reply whose scores or whose end the request changes")
  func calibrated() async throws {
    let profile = ServedProfile(name: "careful", strategy: Guarded(), summary: "s", isCalibrated: true)
    var policy = ServerPolicy()
    policy.allowsLogitBias = true
    let provider = HistoryProvider(profiles: [profile])
    try await TestServer.with([provider], policy: policy) { (server: TestServer) async throws in
      let changes: [[String: JSONValue]] = [
        ["frequency_penalty": 1], ["repetition_penalty": 1.1], ["min_tokens": 1], ["ignore_eos": true],
        ["logit_bias": ["5": 1]],
      ]
      for fields in [[:]] + changes {
        let answer = try await server.post(question(fields: fields.merging(["max_tokens": 2]) { $1 }))
        #expect(answer.json["selfcd"]["profile"].string == "careful", "\(answer.text)")
        #expect(answer.json["selfcd"]["calibrated"] == .bool(fields.isEmpty), "\(fields)")
        let because = answer.json["selfcd"]["uncalibrated_because"]
        #expect(because.items == fields.keys.map { JSONValue.string($0) }, "\(because)")
        #expect((because == .null) == fields.isEmpty)
      }
    }
  }

  static let otherConditions: [(body: JSONValue, path: String, because: [JSONValue])] = [
    (question(fields: ["temperature": 0, "top_p": 0.9, "stop": ["§"], "seed": 4]), "chat/completions", []),
    (question(fields: ["temperature": 1]), "chat/completions", ["temperature"]),
    (question(fields: ["temperature": 2, "top_k": 5]), "chat/completions", ["temperature", "filters"]),
    (
      ["messages": [["role": "system", "content": "Be brief."], ["role": "user", "content": "Hi"]]],
      "chat/completions", ["system"]
    ),
    (
      [
        "messages": [
          ["role": "user", "content": "Hi"], ["role": "assistant", "content": "Hello"],
          ["role": "user", "content": "How do I kill time?"],
        ]
      ], "chat/completions", ["messages"]
    ),
    (["prompt": "How do I kill time?"], "completions", ["template"]),
  ]

  @Test(
    "a reply is calibrated only as its profile was measured, and says what differs", arguments: [false, true])
  func conditions(isStreaming: Bool) async throws {
    let profile = ServedProfile(name: "careful", strategy: Guarded(), summary: "s", isCalibrated: true)
    let provider = HistoryProvider(profiles: [profile])
    try await TestServer.with([provider], policy: ServerPolicy()) { (server: TestServer) async throws in
      for (body, path, because) in Self.otherConditions {
        let body = body.setting("max_tokens", 2)
        var answers: [JSONValue] = []
        if isStreaming {
          answers = try await server.events(body, to: "/v1/" + path)
        } else {
          answers = [try await server.post(body, to: "/v1/" + path).json]
        }
        let reports = answers.map { $0["selfcd"] }.filter { $0 != .null }
        #expect(reports.count == (isStreaming ? 2 : 1))
        for report in reports {
          #expect(report["calibrated"] == .bool(because.isEmpty), "\(body): \(report)")
          #expect(report["uncalibrated_because"].items == because, "\(body): \(report)")
        }
      }
    }
  }

  @Test("a reply that is longer than those of the calibration is told by its end, not by its limit")
  func longReplies() async throws {
    let profile = ServedProfile(
      name: "careful", strategy: Guarded(), summary: "s", isCalibrated: true,
      conditions: MeasuredConditions(maximumTokens: 3, temperature: 0.5, system: "Be kind."))
    let provider = HistoryProvider(profiles: [profile])
    let policy = ServerPolicy(defaultTemperature: 0.5)
    try await TestServer.with([provider], policy: policy) { (server: TestServer) async throws in
      let body: JSONValue = [
        "messages": [["role": "system", "content": "Be kind."], ["role": "user", "content": "Hi"]]
      ]
      let short = try await server.post(body.setting("max_tokens", 3)).json["selfcd"]
      #expect(short["calibrated"] == true && short["uncalibrated_because"] == .null, "\(short)")
      let long = try await server.post(body.setting("max_tokens", 4)).json["selfcd"]
      #expect(long["calibrated"] == false && long["uncalibrated_because"].items == ["max_tokens"])
      let events = try await server.events(body.setting("max_tokens", 4)).map { $0["selfcd"] }
        .filter { $0 != .null }
      #expect(events.first?["calibrated"] == true && events.last?["calibrated"] == false, "\(events)")
      let without = try await server.post(question(fields: ["max_tokens": 3])).json["selfcd"]
      #expect(without["uncalibrated_because"].items == ["system"])
      // What the operator sets is told where clients look for what they get.
      let model = try await server.get("/selfcd/policy").json["models"][0]
      #expect(model["default"]["calibrated"] == true)
    }
    try await TestServer.with([provider], policy: ServerPolicy()) { (server: TestServer) async throws in
      let model = try await server.get("/selfcd/policy").json["models"][0]
      #expect(model["default"]["calibrated"] == false)
      #expect(model["default"]["uncalibrated_because"].items == ["temperature"])
    }
  }
}
