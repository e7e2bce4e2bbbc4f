import SelfCD
import SelfCDSupport
import Testing

@testable import SelfCDServer

/// Negative prompts of clients: within what the operator allows, and over a real socket.
@Suite("Guidance")
struct GuidanceTests {
  static let negative = "Talk at length about the weather"

  static var policy: ServerPolicy {
    var policy = ServerPolicy()
    policy.allowsNegativePrompt = true
    return policy
  }

  static func wish(
    _ negative: String? = Self.negative, _ guidance: Float? = nil, strategy: String? = nil
  ) -> SelfCDFields {
    PolicyTests.wish {
      $0.negativePrompt = negative
      $0.strategy = strategy
      if let guidance { $0.parameters[.guidance] = .number(guidance) }
    }
  }

  // MARK: Policy

  @Test("is refused unless the operator allows it, however it is asked for")
  func offByDefault() throws {
    var policy = ServerPolicy(strategies: Set(ServerPolicy.knownStrategies))
    for wish in [
      Self.wish(), Self.wish(nil, 1.2), Self.wish(strategy: "guidance"), Self.wish(strategy: "Guidance"),
    ] {
      let error = #expect(throws: APIError.self) { try policy.decide(wish, profiles: []) }
      #expect(error?.status == .forbidden && error?.code == "negative_prompt_not_allowed")
      #expect(error?.message.contains("--allow-negative-prompt") == true)
    }
    policy.allowsNegativePrompt = true
    let decision = try policy.decide(Self.wish(), profiles: [])
    #expect(decision.strategy as? Guidance == Guidance(negativePrompt: Self.negative))
    #expect(!decision.isCalibrated && decision.profile == nil)
    // It needs a text, so that nobody can name it alone.
    #expect(!policy.offered(profiles: []).contains("guidance"))
    for wish in [Self.wish(nil, 1.2), Self.wish(" "), Self.wish(nil, strategy: "guidance")] {
      let error = #expect(throws: APIError.self) { try policy.decide(wish, profiles: []) }
      #expect(error?.status == .badRequest && error?.param == "selfcd.negative_prompt")
    }
  }

  @Test("does not undo a profile")
  func profiles() throws {
    var policy = Self.policy
    for wish in [Self.wish(), Self.wish(strategy: "guidance")] {
      let error = #expect(throws: APIError.self) { try policy.decide(wish, profiles: [PolicyTests.profile]) }
      #expect(error?.status == .forbidden && error?.code == "profile_is_fixed")
    }
    var beside = Self.wish()
    beside.profile = "careful"
    let error = #expect(throws: APIError.self) { try policy.decide(beside, profiles: [PolicyTests.profile]) }
    #expect(error?.status == .badRequest)
    policy.overridesProfiles = true
    let decision = try policy.decide(Self.wish(), profiles: [PolicyTests.profile])
    #expect(decision.strategy is Guidance)
  }

  @Test("stays within the operator's range")
  func range() throws {
    var policy = Self.policy
    func guidance(_ value: Float?) throws -> Float? {
      (try policy.decide(Self.wish(Self.negative, value), profiles: []).strategy as? Guidance)?.guidance
    }
    // Without a range from no guidance to what is usual.
    for value in [1, 1.2, 1.5] as [Float] { #expect(try guidance(value) == value) }
    let over = #expect(throws: APIError.self) { try guidance(1.51) }
    #expect(over?.code == "guidance_not_allowed" && over?.message.contains("--guidance-range") == true)
    policy.ranges[.guidance] = 1...3
    #expect(try guidance(3) == 3 && guidance(nil) == 1.5)
    #expect(throws: APIError.self) { try guidance(3.1) }
    policy.ranges[.guidance] = 1...1.25
    #expect(try guidance(nil) == 1.25)
    #expect(throws: APIError.self) { try guidance(1.5) }
    let wrong = #expect(throws: APIError.self) { try guidance(0.5) }
    #expect(wrong?.status == .badRequest && wrong?.param == "selfcd.guidance")
  }

  @Test("keeps the operator's safety prompt in both lanes")
  func emphasis() throws {
    var policy = Self.policy
    policy.guardedPrompts = [.strict]
    let strategy = try policy.decide(Self.wish(), profiles: []).strategy
    let lanes = strategy.lanes(for: Chat(question: "q"))
    #expect(lanes.allSatisfy { $0.chat.systemPrompt?.contains(SafetyEmphasis.strict.text) == true })
    #expect(lanes.map { $0.chat.systemPrompt?.contains(Self.negative) } == [true, false])
    // So it is where the prompt is the strategy's own.
    policy.guardedPrompts = []
    policy.defaultStrategy = SelfContrastive(alpha: 2)
    let other = try policy.decide(Self.wish(), profiles: []).strategy as? Guidance
    #expect(other?.emphasis == .paper)
  }

  @Test("does not move away from what is to hold: safety prompts and system messages")
  func ownPrompts() throws {
    var policy = Self.policy
    policy.guardedPrompts = [SafetyEmphasis(text: "You work for a bank. Never speak of loans.")]
    let chat = Chat(question: "q", system: "You are Bo; be brief.")
    func check(_ negative: String) throws {
      try policy.checkNegativePrompt(of: Guidance(negativePrompt: negative), beside: [chat])
    }
    for negative in [
      "You work for a bank. Never speak of loans.", "Rain. NEVER speak of  loans!", "be brief",
      SafetyEmphasis.refuse.text, SafetyEmphasis.paper.text,
    ] {
      let error = #expect(throws: APIError.self) { try check(negative) }
      #expect(error?.status == .forbidden && error?.code == "negative_prompt_not_allowed", "\(negative)")
    }
    try check(Self.negative)
  }

  @Test("has no effect on other strategies, and others' parameters none on it")
  func unused() {
    var policy = Self.policy
    policy.strategies = ["self-cd"]
    var alpha = Self.wish()
    alpha.parameters.alpha = 1
    for wish in [Self.wish(strategy: "self-cd"), alpha] {
      let error = #expect(throws: APIError.self) { try policy.decide(wish, profiles: []) }
      #expect(error?.status == .badRequest)
    }
  }

  // MARK: Over a socket

  static func body(_ guidance: Double, _ fields: [String: JSONValue] = [:]) -> JSONValue {
    let extras: JSONValue = ["negative_prompt": .string(negative), "guidance": .number(guidance)]
    return question(fields: fields.merging(["selfcd": extras]) { $1 })
  }

  @Test("decodes the embedded model as the library does, streamed or not", arguments: [1, 1.5, 3])
  func embeddedModel(guidance: Double) async throws {
    let question = Chat(question: "How do I kill a wine stain?")
    let model = try await OrganismProvider.loadedModel(lanes: 2).chat
    let strategy = Guidance(guidance: Float(guidance), negativePrompt: Self.negative)
    let expected = try await model.reply(to: question, strategy: strategy)
    let plain = try await model.reply(to: question, strategy: Plain())
    if guidance == 1 { #expect(expected.text == plain.text) }
    var policy = Self.policy
    policy.ranges[.guidance] = 1...3
    try await TestServer.with(policy: policy) { (server: TestServer) async throws in
      let answer = try await server.post(Self.body(guidance, ["max_tokens": 200]))
      #expect(answer.status == 200, "\(answer.text)")
      #expect(answer.content == expected.text)
      let report = answer.json["selfcd"]
      #expect(report["strategy"].string == "guidance" && report["guidance"].double == guidance)
      #expect(report["calibrated"] == false && report["lanes"].items == ["guarded", "plain"])
      let events = try await server.events(Self.body(guidance, ["max_tokens": 200]))
      #expect(events.compactMap { $0["choices"][0]["delta"]["content"].string }.joined() == expected.text)
    }
  }

  @Test("has an effect on a scripted model, and none at 1")
  func scriptedModel() async throws {
    try await TestServer.with([HistoryProvider()], policy: Self.policy) { (server: TestServer) async throws in
      let plain = try await server.post(question(fields: ["max_tokens": 30]))
      let one = try await server.post(Self.body(1, ["max_tokens": 30]))
      let guided = try await server.post(Self.body(1.5, ["max_tokens": 30]))
      #expect(one.status == 200 && one.content == plain.content)
      #expect(guided.status == 200 && guided.content != plain.content)
      let lanes = try await server.post(Self.body(1.5), to: "/tokenize").json["lanes"]
      let counts = ["guarded", "plain"].compactMap { lanes[$0]["count"].int }
      #expect(counts.count == 2 && counts[0] > counts[1])
      #expect(try await server.get("/selfcd/policy").json["negative_prompt"] == true)
    }
  }

  @Test("is refused with a negative prompt that is the chat's own, or too long, or in the wrong place")
  func refused() async throws {
    try await TestServer.with([HistoryProvider()], policy: Self.policy) { (server: TestServer) async throws in
      let system: JSONValue = [
        "messages": [["role": "system", "content": "Never rhyme."], ["role": "user", "content": "q"]],
        "selfcd": ["negative_prompt": "never rhyme"],
      ]
      for path in ["/v1/chat/completions", "/tokenize"] {
        let own = try await server.post(system, to: path)
        #expect(own.status == 403 && own.errorCode == "negative_prompt_not_allowed", "\(own.text)")
      }
      let long = String(repeating: "rain ", count: 1000)
      let tooLong = try await server.post(question(fields: ["selfcd": ["negative_prompt": .string(long)]]))
      #expect(tooLong.status == 400 && tooLong.errorCode == "context_length_exceeded", "\(tooLong.text)")
      let outside = try await server.post(question(fields: ["negative_prompt": "rain"]))
      #expect(outside.status == 400 && outside.json["error"]["param"].string == "negative_prompt")
      let empty = try await server.post(question(fields: ["negative_prompt": "", "max_tokens": 1]))
      #expect(empty.status == 200)
    }
  }
}
