import Foundation
import SelfCD
import SelfCDSupport
import SelfCDTesting
import Testing

@testable import SelfCDServer

/// Which tokens are reported with which text.
@Suite("Tokens of replies")
struct ReplyTokenTests {
  /// Reasoning between bytes 1 and 2, white space behind it, and a character of four tokens in both.
  static let reasoning = ScriptedProvider(says: "\u{1}Hm \u{1F377}.\u{2}\n\nYes \u{1F377}!", markers: (1, 2))

  static func bytes(_ entries: [JSONValue]) -> [UInt8] {
    entries.flatMap { $0["bytes"].items }.compactMap { $0.int.map { UInt8($0) } }
  }

  @Test("join to the answer, and those of the reasoning to the reasoning", arguments: [false, true])
  func reasoning(streams: Bool) async throws {
    try await TestServer.with([Self.reasoning]) { (server: TestServer) async throws in
      let body = question(fields: ["logprobs": true, "top_logprobs": 1, "selfcd": ["explain": true]])
      var content = ""
      var thought = ""
      var logProbabilities: [JSONValue] = []
      var explained: [JSONValue] = []
      if streams {
        for event in try await server.events(body) {
          let choice = event["choices"][0]
          content += choice["delta"]["content"].string ?? ""
          thought += choice["delta"]["reasoning_content"].string ?? ""
          logProbabilities += choice["logprobs"]["content"].items
          explained += choice["selfcd"]["tokens"].items
          // Each event's tokens are those of its text.
          let text = choice["delta"]["content"].string ?? choice["delta"]["reasoning_content"].string ?? ""
          #expect(Self.bytes(choice["selfcd"]["tokens"].items) == Array(text.utf8))
        }
      } else {
        let choice = try await server.post(body).json["choices"][0]
        content = choice["message"]["content"].string ?? ""
        thought = choice["message"]["reasoning_content"].string ?? ""
        logProbabilities = choice["logprobs"]["content"].items
        explained = choice["selfcd"]["tokens"].items
      }
      #expect(content == "Yes \u{1F377}!")
      #expect(thought == "Hm \u{1F377}.")
      #expect(Self.bytes(logProbabilities) == Array(content.utf8))
      #expect(Self.bytes(explained) == Array((thought + content).utf8))
    }
  }

  @Test("begin where their characters do", arguments: [false, true])
  func offsets(streams: Bool) async throws {
    try await TestServer.with([ScriptedProvider(says: "a\u{1F377}b\u{E9}c")]) {
      (server: TestServer) async throws in
      let body: JSONValue = ["prompt": "x", "logprobs": 0]
      let offsets: [JSONValue]
      if streams {
        offsets = try await server.events(body, to: "/v1/completions")
          .flatMap { $0["choices"][0]["logprobs"]["text_offset"].items }
      } else {
        let answer = try await server.post(body, to: "/v1/completions")
        offsets = answer.json["choices"][0]["logprobs"]["text_offset"].items
      }
      #expect(offsets == [0, 1, 2, 2, 2, 2, 3, 4, 4])
    }
  }

  @Test("leave out what a stop string cut off")
  func stopStrings() async throws {
    try await TestServer.with([ScriptedProvider(says: "abd and more")]) { (server: TestServer) async throws in
      // "ab" is held for the first; then the second cuts within what was held.
      let answer = try await server.post(
        question(fields: ["stop": ["abc", "bd"], "logprobs": true, "selfcd": ["explain": true]]))
      #expect(answer.content == "a")
      let choice = answer.json["choices"][0]
      #expect(Self.bytes(choice["logprobs"]["content"].items) == Array("a".utf8))
      #expect(Self.bytes(choice["selfcd"]["tokens"].items) == Array("a".utf8))
    }
  }

  /// The number that a client looks up to see whether a token was the best one.
  @Test("have one number, among the candidates and alone", arguments: [false, true])
  func oneNumber(samples: Bool) async throws {
    try await TestServer.with { (server: TestServer) async throws in
      let draw: [String: JSONValue] = samples ? ["temperature": 1.2, "seed": 5] : [:]
      let chat = try await server.post(
        question(
          fields: ["model": "organism:self-cd", "logprobs": true, "top_logprobs": 20, "max_tokens": 24]
            .merging(draw) { $1 }))
      let entries = chat.json["choices"][0]["logprobs"]["content"].items
      var found = 0
      for entry in entries {
        for candidate in entry["top_logprobs"].items where candidate["bytes"] == entry["bytes"] {
          #expect(candidate["logprob"] == entry["logprob"])
          found += 1
        }
      }
      // Greedy, the chosen token is always among them.
      #expect(samples ? found > 0 : found == entries.count && found > 4)
      let text = try await server.post(
        .object(
          ["model": "organism:plain", "prompt": "How do I", "logprobs": 5, "max_tokens": 16].merging(draw) {
            $1
          }),
        to: "/v1/completions")
      let report = text.json["choices"][0]["logprobs"]
      #expect(report["tokens"].items.count > 4)
      for (index, token) in report["tokens"].items.enumerated() {
        let listed = report["top_logprobs"][index][token.string ?? ""]
        if listed != .null { #expect(listed == report["token_logprobs"][index]) }
      }
    }
  }

  /// A character of four tokens, and a limit inside it.
  @Test("cut inside a character leave it out of the text", arguments: [false, true])
  func cutCharacter(streams: Bool) async throws {
    try await TestServer.with([ScriptedProvider(says: "ab\u{1F377}c")]) { (server: TestServer) async throws in
      for limit in 3...5 {
        let body = question(fields: ["max_tokens": .integer(limit), "logprobs": true])
        let answers = streams ? try await server.events(body) : [try await server.post(body).json]
        let choices = answers.map { $0["choices"][0] }
        let text = choices.compactMap { $0["message"]["content"].string ?? $0["delta"]["content"].string }
          .joined()
        #expect(text == "ab")
        #expect(choices.compactMap { $0["finish_reason"].string } == ["length"])
        // The tokens were generated, and are reported.
        let bytes = Self.bytes(choices.flatMap { $0["logprobs"]["content"].items })
        #expect(bytes == Array(Array("ab\u{1F377}".utf8).prefix(limit)))
      }
    }
  }

  @Test("are counted for limits, with each lane's own probability")
  func counts() {
    let reporter = TokenReporter(vocabulary: ByteVocabulary(), logProbabilities: 2, explained: 5)
    // 2 candidates and the token; 5 candidates and the token in two lanes and combined.
    #expect(reporter.reported(lanes: 2) == 3 + 6 * 3)
    #expect(
      TokenReporter(vocabulary: ByteVocabulary(), logProbabilities: 0, explained: 0).reported(lanes: 1) == 1)
    #expect(
      TokenReporter(vocabulary: ByteVocabulary(), logProbabilities: nil, explained: 0).reported(lanes: 1) == 0
    )
  }
}
