import Foundation
import SelfCD
import SelfCDSupport
import Testing

@testable import SelfCDServer

/// What requests may say, without a server.
@Suite("Requests")
struct RequestTests {
  static let base: JSONValue = question(fields: ["model": "m"])

  static func parse(_ value: JSONValue, isStrict: Bool = false) throws -> ChatCompletionRequest {
    guard case .object(let object) = value else { throw FieldError("no object") }
    return try ChatCompletionRequest(object, isStrict: isStrict)
  }

  static let refused: [(String, JSONValue)] = [
    ("tools", [["type": "function"]]), ("functions", [["name": "f"]]), ("tool_choice", "required"),
    ("bad_words", ["x"]), ("typ_p", 0.5), ("nsigma", 1), ("min_new_tokens", 5), ("ban_eos_token", true),
    ("modalities", ["text", "audio"]), ("audio", ["voice": "x"]), ("reasoning_effort", "high"),
    ("web_search_options", [:]), ("repeat_penalty", 1.1),
    ("best_of", 3), ("chat_template_kwargs", ["enable_thinking": false]), ("add_generation_prompt", false),
    ("echo", true), ("stop_token_ids", [2]), ("guided_json", ["type": "object"]),
    ("mirostat", 2), ("dry_multiplier", 0.8), ("xtc_probability", 0.5), ("tfs", 0.9),
    ("use_beam_search", true), ("do_sample", false), ("safe_prompt", true), ("random_seed", 1),
    ("max_new_tokens", 20), ("num_return_sequences", 2), ("enable_thinking", true), ("prompt", "x"),
    ("extra_body", ["selfcd": ["strategy": "plain"]]), ("options", ["temperature": 1]),
    // What was meant to be under selfcd.
    ("alpha", 2), ("strategy", "plain"), ("guardedPrompt", "strict"), ("Alpha", 2), ("self_cd", [:]),
    ("selfcd_strategy", "plain"),
  ]

  @Test("refuse by name what is not built", arguments: refused)
  func unsupported(field: String, value: JSONValue) throws {
    let error = #expect(throws: FieldError.self) { try Self.parse(Self.base.setting(field, value)) }
    #expect(error?.field == field)
    #expect(error?.isUnsupported == true)
    #expect(error?.message.contains("'\(field)'") == true)
  }

  static let neutral: [(String, JSONValue)] = [
    ("tools", []), ("tool_choice", "none"), ("parallel_tool_calls", true),
    ("response_format", ["type": "text"]), ("response_format", [:]), ("json_schema", [:]),
    ("logit_bias", [:]), ("logit_bias", []), ("logit_bias", ["5": 0]), ("typical_p", 1),
    ("frequency_penalty", 0), ("presence_penalty", 0.0), ("store", false),
    ("modalities", ["text"]), ("service_tier", "auto"), ("user", "u"), ("metadata", ["a": "b"]),
    ("stop", .null),
    ("tools", .null), ("wibble", .null), ("logprobs", false), ("n", 1), ("top_logprobs", 0),
    ("top_k", 0), ("top_k", -1), ("stop", ""), ("stop", [""]), ("stop", []), ("max_tokens", -1),
    ("max_completion_tokens", -1), ("stream_options", ["include_obfuscation": false]),
    ("repetition_penalty", 1.0), ("min_tokens", 0), ("min_tokens", false), ("ignore_eos", false),
    ("best_of", 1),
    ("chat_template_kwargs", [:]), ("continue_final_message", false), ("echo", false), ("stop_token_ids", []),
    ("mirostat", 0), ("mirostat_tau", 5), ("dry_multiplier", 0), ("dry_base", 1.75), ("top_n_sigma", -1),
    ("do_sample", true), ("use_beam_search", false), ("grammar", ""), ("verbosity", "medium"),
    ("n_predict", -1), ("prompt_cache_retention", "24h"),
  ]

  @Test("accept what asks for nothing", arguments: neutral)
  func harmless(field: String, value: JSONValue) throws {
    let request = try Self.parse(Self.base.setting(field, value))
    let base = try Self.parse(Self.base)
    #expect(request == base)
  }

  /// Nothing about the reply changes, and the response says what was left aside.
  static let leftAside: [(String, JSONValue, [String])] = [
    ("wibble", 1, ["wibble"]), ("store", true, ["store"]), ("service_tier", "flex", ["service_tier"]),
    ("prediction", ["type": "content"], ["prediction"]), ("reasoning_effort", "none", ["reasoning_effort"]),
    ("enable_thinking", false, ["enable_thinking"]), ("samplers", ["top_k"], ["samplers"]),
    (
      "stream_options", ["continuous_usage_stats": true, "x": 1],
      ["stream_options.continuous_usage_stats", "stream_options.x"]
    ),
    (String(repeating: "é", count: 500), 1, [String(repeating: "é", count: 64)]),
  ]

  @Test("leave aside what they do not know, and say so", arguments: leftAside)
  func unknown(field: String, value: JSONValue, named: [String]) throws {
    let body = Self.base.setting(field, value)
    let request = try Self.parse(body)
    #expect(request.fields.ignored.names == named)
    var fields = request.fields
    fields.ignored = IgnoredFields()
    let base = try Self.parse(Self.base)
    #expect(fields == base.fields && request.chat == base.chat)
    let error = #expect(throws: FieldError.self) { try Self.parse(body, isStrict: true) }
    #expect(error?.isUnsupported == true)
  }

  @Test("name a bounded number of fields, and those of messages once")
  func boundedNames() throws {
    var body = Self.base
    for index in 0..<1000 { body = body.setting("field\(index)", 1) }
    let names = try Self.parse(body).fields.ignored
    #expect(names.names.count == IgnoredFields.mostNames)
    #expect(names.labels == ["other"])
    let messages: [JSONValue] = (0..<50).map {
      ["role": "user", "content": [["type": "text", "text": "x", "y": 1]], "id": .integer($0), "z": 1]
    }
    let ignored = try Self.parse(["messages": .array(messages)]).fields.ignored
    #expect(ignored.names == ["messages[].content[].y", "messages[].id", "messages[].z"])
    #expect(ignored.labels == ["messages[].id", "other"])
  }

  @Test("read values at their limits")
  func limits() throws {
    func seed(_ value: JSONValue) throws -> UInt64? {
      try Self.parse(Self.base.setting("seed", value)).fields.seed
    }
    #expect(try seed(-1) == .max)
    #expect(try seed(.integer(.max)) == 1 << 63 - 1)
    #expect(try seed(.number(0x1p63)) == 1 << 63)
    let text = #"{"seed": 18446744073709551615, "messages": [{"role": "user", "content": "x"}]}"#
    #expect(try ChatCompletionRequest(JSONDocument.object(Array(text.utf8))).fields.seed == .max)
    let beyond = #expect(throws: FieldError.self) { try seed(.number(0x1p65)) }
    #expect(beyond?.message.contains("18446744073709551615") == true)
    let greedy = try Self.parse(Self.base.setting("top_p", 0).setting("temperature", 1)).fields
    #expect(greedy.temperature == 0 && greedy.topP == nil)
    let stops = try Self.parse(Self.base.setting("stop", ["", "a", ""])).fields.stop
    #expect(stops == ["a"])
  }

  static let wrong: [(String, JSONValue)] = [
    ("n", 0), ("n", 1.5), ("n", "2"), ("n", 1e300), ("temperature", -1), ("temperature", "hot"),
    ("top_p", -0.1),
    ("top_p", 2), ("top_k", -2), ("max_tokens", 0), ("max_tokens", -5), ("seed", 0.5), ("stream", "yes"),
    ("stop", 5), ("stop", [1]), ("top_logprobs", 3), ("messages", []), ("messages", "hi"),
    ("messages", [5]), ("messages", [["role": "user"]]), ("messages", [["role": "judge", "content": "x"]]),
    ("messages", [["role": "user", "content": 5]]), ("messages", [["role": "assistant", "content": " "]]),
    ("messages", [["role": "user", "content": [["type": "image_url"]]]]),
    ("messages", [["role": "tool", "content": "x"]]),
    ("messages", [["role": "user", "content": "x", "tool_calls": [["id": "1"]]]]),
    ("messages", [["role": "user", "content": "x", "prefix": true]]),
    (
      "messages",
      [["role": "assistant", "content": "y", "partial": true], ["role": "user", "content": "x"]]
    ),
    ("messages", [["role": "user", "content": "x"], ["role": "assistant", "content": "y", "prefix": 1]]),
    ("continue_final_message", true), ("continue_final_message", "yes"),
    ("frequency_penalty", 2.5), ("presence_penalty", -2.1), ("presence_penalty", "1"), ("typical_p", 0),
    ("typical_p", 1.5), ("top_n_sigma", -2), ("min_tokens", -1), ("ignore_eos", 1), ("logit_bias", [1]),
    ("logit_bias", ["hello": 1]), ("logit_bias", ["-1": 1]), ("logit_bias", ["5": 101]),
    ("logit_bias", ["5": "1"]),
    ("stream_options", 5), ("selfcd", 5), ("selfcd", ["alpha": "2"]),
    ("selfcd", ["strength": 2]), ("selfcd", ["steps": 0]), ("selfcd", ["candidates": 2]), ("model", 5),
  ]

  @Test("say what is wrong", arguments: wrong)
  func invalid(field: String, value: JSONValue) throws {
    let error = #expect(throws: FieldError.self) { try Self.parse(Self.base.setting(field, value)) }
    #expect(error?.field?.hasPrefix(field) == true)
  }

  @Test("read messages as chats")
  func messages() throws {
    let chat = try Self.parse([
      "messages": [
        ["role": "developer", "content": "A"], ["role": "system", "content": "B"],
        ["role": "user", "content": [["type": "text", "text": "c"], ["type": "text", "text": "d"]]],
        ["role": "assistant", "content": "e", "tool_calls": [], "refusal": .null, "reasoning_content": "r"],
        ["role": "user", "content": "f"], ["role": "system", "content": "g"],
      ]
    ]).chat
    #expect(chat.messages == [.system("A\n\nB"), .user("cd"), .assistant("e"), .user("f"), .system("g")])
  }

  /// What clients keep beside a message and send along; none of it is worth a word in the response.
  @Test("read messages with what clients add to them")
  func messageFields() throws {
    let request = try Self.parse(
      [
        "messages": [
          [
            "role": "user", "name": "bob",
            "content": [["type": "text", "text": "a", "cache_control": ["type": "ephemeral"]]],
          ],
          [
            "role": "assistant", "content": "b", "reasoning": "r", "reasoning_details": [["text": "r"]],
            "prefix": false, "annotations": [], "refusal": .null,
          ],
          ["role": "assistant", "content": .null], ["role": "user", "content": "c", "cache_control": [:]],
        ]
      ], isStrict: true)
    #expect(request.chat.messages == [.user("a"), .assistant("b"), .assistant(""), .user("c")])
    #expect(request.fields.ignored.names.isEmpty)
  }

  /// Each way in which clients ask for the assistant's message to be continued, and the field that does so.
  static let continued: [(fields: [String: JSONValue], mark: String?, continuation: String?)] = [
    ([:], nil, "messages"), (["continue_final_message": true], nil, "continue_final_message"),
    (["add_generation_prompt": false], nil, "add_generation_prompt"),
    (["continue_final_message": true, "add_generation_prompt": false], nil, "continue_final_message"),
    (["add_generation_prompt": true], nil, "messages"), ([:], "prefix", "messages[1].prefix"),
    (["continue_final_message": true], "partial", "messages[1].partial"),
  ]

  @Test("see when the assistant's own message is to be continued", arguments: continued.indices)
  func continuations(index: Int) throws {
    let (fields, mark, continuation) = Self.continued[index]
    var last: JSONValue = ["role": "assistant", "content": "b "]
    if let mark { last = last.setting(mark, true) }
    let body = JSONValue.object(
      fields.merging(["messages": [["role": "user", "content": "a"], last]]) { $1 })
    let request = try Self.parse(body, isStrict: true)
    #expect(request.asked.continuation == continuation)
    // White space at the end is the client's own.
    #expect(request.chat.messages == [.user("a"), .assistant("b ")])
    #expect(try Self.parse(Self.base).asked.continuation == nil)
  }

  @Test("say why an assistant's message cannot be continued")
  func contradictions() throws {
    let chat: JSONValue = [
      "messages": [["role": "user", "content": "a"], ["role": "assistant", "content": "b"]]
    ]
    let both = chat.setting("continue_final_message", true).setting("add_generation_prompt", true)
    let error = #expect(throws: FieldError.self) { try Self.parse(both) }
    #expect(error?.field == "add_generation_prompt")
    let neither = #expect(throws: FieldError.self) {
      try Self.parse(chat.setting("continue_final_message", false))
    }
    #expect(neither?.message == ChatError.endsWithAssistant.description)
  }

  @Test("take one text or several")
  func prompts() throws {
    func parse(_ prompt: JSONValue) throws -> [String] {
      try CompletionRequest(["prompt": prompt, "logprobs": false]).prompts
    }
    #expect(try parse("a") == ["a"])
    #expect(try parse(["a", "b"]) == ["a", "b"])
    for wrong in ["", [], ["a", ""], [1, 2], [[1, 2]], 5] as [JSONValue] {
      #expect(throws: FieldError.self) { try parse(wrong) }
    }
  }

  @Test(
    "read bodies that are no JSON object",
    arguments: [
      [], Array("nope".utf8), Array("[1]".utf8), Array("{\"a\":}".utf8), [0xFF, 0xFE],
      Array("{\"a\":\"\\ud800\"}".utf8),
      Array(String(repeating: "[", count: 100_000).utf8), Array("{\"a\":1e999}".utf8),
      [0x7B, 0x22, 0xC3, 0x22, 0x7D],
    ] as [[UInt8]])
  func documents(bytes: [UInt8]) {
    #expect(throws: FieldError.self) { try JSONDocument.object(bytes) }
  }

  /// Bodies are mutated at random: whatever comes, it is read or refused.
  @Test("survive damaged bodies")
  func fuzz() throws {
    var generator = SplitMix64(seed: 7)
    let body = Self.base.setting("stop", ["a"]).setting("selfcd", ["alpha": 2, "strategy": "self-cd"])
      .setting("logprobs", true).setting("temperature", 0.5)
    let source = Array(try JSONEncoder().encode(body))
    let pieces: [[UInt8]] = [
      "{", "}", "[", "]", "\"", "null", "1e308", "-", "\\u0000", "true", ",", ":", "9",
    ]
    .map { Array($0.utf8) }
    var refused = 0
    for _ in 0..<3000 {
      var bytes = source
      for _ in 0..<Int.random(in: 1...4, using: &generator) {
        let position = Int.random(in: 0..<bytes.count, using: &generator)
        switch Int.random(in: 0..<4, using: &generator) {
        case 0: bytes[position] = UInt8.random(in: 0...255, using: &generator)
        case 1: bytes.removeSubrange(position..<min(bytes.count, position + 3))
        case 2: bytes.insert(contentsOf: pieces.randomElement(using: &generator) ?? [], at: position)
        default: bytes.insert(contentsOf: bytes[position..<min(bytes.count, position + 20)], at: position)
        }
        if bytes.isEmpty { break }
      }
      do {
        _ = try ChatCompletionRequest(try JSONDocument.object(bytes))
      } catch {
        refused += 1
      }
    }
    #expect(refused > 1500)
  }
}
