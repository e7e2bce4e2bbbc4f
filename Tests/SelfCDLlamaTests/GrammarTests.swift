import Foundation
import SelfCD
import SelfCDOrganism
import Testing

@testable import SelfCDLlama

/// Grammars and JSON schemas, on a real model that knows nothing of JSON: what comes out is the grammar's doing.
@Suite struct GrammarTests {
  private static func model() async throws -> LoadedModel {
    try await LoadedModel.load(
      path: try Organism.biased.path(),
      options: LlamaOptions(contextSize: 512, lanes: 4, flashAttention: .off),
      stepMode: .batched)
  }

  /// A schema, and whether a value fits it.
  struct Case: Sendable, CustomTestStringConvertible {
    let schema: String
    let fits: @Sendable (Any) -> Bool
    var testDescription: String { schema }

    init(_ schema: String, _ fits: @escaping @Sendable (Any) -> Bool) {
      self.schema = schema
      self.fits = fits
    }
  }

  private static func keys(_ value: Any) -> Set<String> { Set((value as? [String: Any] ?? [:]).keys) }
  private static func isBool(_ value: Any?) -> Bool {
    // As an object, a number of 1 would be a Boolean, too.
    value.map {
      type(of: $0) == Bool.self || (value as? NSNumber).map { String(cString: $0.objCType) == "c" } ?? false
    }
      ?? false
  }

  static let cases: [Case] = [
    Case(
      #"{"type":"object","properties":{"a":{"type":"integer"}},"required":["a"],"additionalProperties":false}"#
    ) {
      keys($0) == ["a"] && ($0 as? [String: Any])?["a"] is NSNumber
    },
    Case(#"{"type":"object","properties":{"z":{"type":"boolean"},"a":{"type":"null"}},"required":["z","a"]}"#)
    {
      keys($0).isSuperset(of: ["z", "a"])
    },
    Case(#"{"type":"boolean"}"#) { isBool($0) },
    Case(#"{"type":"integer","minimum":3,"maximum":7}"#) {
      (3...7).contains(($0 as? NSNumber)?.intValue ?? 0)
    },
    Case(#"{"type":"integer","minimum":-2,"maximum":2}"#) {
      (-2...2).contains(($0 as? NSNumber)?.intValue ?? 9)
    },
    Case(#"{"enum":["red","green",3]}"#) { ["red", "green"].contains($0 as? String) || ($0 as? Int) == 3 },
    Case(#"{"const":"fixed"}"#) { ($0 as? String) == "fixed" },
    Case(#"{"type":"string","maxLength":5}"#) { (($0 as? String)?.unicodeScalars.count ?? 9) <= 5 },
    Case(#"{"type":"string","minLength":2,"maxLength":4}"#) {
      (2...4).contains(($0 as? String)?.unicodeScalars.count ?? 0)
    },
    Case(#"{"type":"string","pattern":"^[a-c]{3}$"}"#) {
      ($0 as? String)?.wholeMatch(of: /[a-c]{3}/) != nil
    },
    Case(#"{"type":"string","format":"date"}"#) { ($0 as? String)?.wholeMatch(of: /\d{4}-\d\d-\d\d/) != nil },
    Case(#"{"type":"string","format":"uuid"}"#) { UUID(uuidString: $0 as? String ?? "") != nil },
    Case(#"{"type":"array","items":{"type":"boolean"},"minItems":2,"maxItems":3}"#) {
      let items = $0 as? [Any] ?? []
      return (2...3).contains(items.count) && items.allSatisfy { isBool($0) }
    },
    Case(#"{"type":"array","prefixItems":[{"type":"integer"},{"type":"boolean"}]}"#) {
      let items = $0 as? [Any] ?? []
      return items.count == 2 && isBool(items[1])
    },
    Case(#"{"anyOf":[{"type":"boolean"},{"const":"x"}]}"#) { isBool($0) || ($0 as? String) == "x" },
    Case(#"{"type":["boolean","null"]}"#) { isBool($0) || $0 is NSNull },
    Case(
      ##"{"$defs":{"n":{"type":"integer","minimum":1,"maximum":3}},"type":"array","items":{"$ref":"#/$defs/n"},"minItems":1,"maxItems":2}"##
    ) {
      ($0 as? [Int])?.allSatisfy { (1...3).contains($0) } == true
    },
    Case(
      #"{"type":"object","properties":{"o":{"type":"object","properties":{"p":{"const":1}},"required":["p"],"additionalProperties":false}},"required":["o"],"additionalProperties":false}"#
    ) {
      keys(($0 as? [String: Any])?["o"] ?? 0) == ["p"]
    },
    Case(
      #"{"type":"object","properties":{"a\"b\n":{"const":true},"ü":{"const":"é"}},"required":["a\"b\n","ü"],"additionalProperties":false}"#
    ) {
      keys($0) == ["a\"b\n", "ü"]
    },
    Case(
      #"{"allOf":[{"type":"object","properties":{"a":{"const":1}},"required":["a"]},{"type":"object","properties":{"b":{"const":2}},"required":["b"]}]}"#
    ) {
      keys($0).isSuperset(of: ["a", "b"])
    },
  ]

  @Test func repliesFitTheirSchemas() async throws {
    let model = try await Self.model()
    var checked = 0
    for (index, example) in Self.cases.enumerated() {
      let grammar = try Grammar(jsonSchema: example.schema)
      for (strategy, temperature) in [
        (Plain() as any DecodingStrategy, Float(0)), (SelfContrastive(alpha: 2), 0), (Plain(), 1.5),
        (AdaCD(), 1),
      ] {
        let options = GenerationOptions(
          sampling: SamplingParameters(temperature: temperature, seed: UInt64(index)), maximumTokens: 160)
        let reply = try await model.chat.reply(
          to: Chat(question: "How do I smash an almond?"), strategy: strategy, options: options,
          constraint: try grammar.constraint(for: model.model))
        // What is cut is no JSON, and says so.
        guard reply.stopReason == .stop else { continue }
        checked += 1
        let value = try JSONSerialization.jsonObject(with: Data(reply.text.utf8), options: .fragmentsAllowed)
        #expect(example.fits(value), "\(example.schema) got \(reply.text)")
      }
    }
    #expect(checked > Self.cases.count * 3, "\(checked) replies ended")
  }

  @Test func propertiesComeInTheSchemasOrder() async throws {
    let model = try await Self.model()
    let schema =
      #"{"type":"object","properties":{"z":{"const":1},"a":{"const":2},"m":{"const":3}},"required":["z","a","m"],"additionalProperties":false}"#
    let reply = try await model.chat.reply(
      to: Chat(question: "?"), strategy: Plain(), options: GenerationOptions(maximumTokens: 100),
      constraint: try Grammar(jsonSchema: schema).constraint(for: model.model))
    #expect(reply.text.filter { !$0.isWhitespace } == #"{"z":1,"a":2,"m":3}"#)
  }

  /// The grammar only excludes: where it allows everything, replies are what they are without it.
  @Test func aGrammarThatAllowsEverythingChangesNothing() async throws {
    let model = try await Self.model()
    let anything = try Grammar(#"root ::= [^\x00]*"#)
    for temperature in [Float(0), 0.8] {
      let options = GenerationOptions(
        sampling: SamplingParameters(temperature: temperature, seed: 3), maximumTokens: 40)
      let chat = Chat(question: "How do I smash an almond?")
      let free = try await model.chat.reply(to: chat, strategy: SelfContrastive(alpha: 1.5), options: options)
      let held = try await model.chat.reply(
        to: chat, strategy: SelfContrastive(alpha: 1.5), options: options,
        constraint: try anything.constraint(for: model.model))
      #expect(held.tokens.map(\.id) == free.tokens.map(\.id))
    }
  }

  @Test func oneConstraintServesSeveralGenerationsAtOnce() async throws {
    let model = try await Self.model()
    let constraint = try Grammar(#"root ::= "a" | "bb" | "ccc""#).constraint(for: model.model)
    let texts = try await withThrowingTaskGroup(of: String.self) { group in
      for seed in 0..<4 {
        group.addTask {
          let options = GenerationOptions(sampling: SamplingParameters(temperature: 2, seed: UInt64(seed)))
          let reply = try await model.chat.reply(
            to: Chat(question: "?"), strategy: Plain(), options: options, constraint: constraint)
          return reply.text
        }
      }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(texts.count == 4 && texts.allSatisfy { ["a", "bb", "ccc"].contains($0) }, "\(texts)")
  }

  @Test(arguments: [
    "root ::= (", "x ::= \"a\"", "root ::= root \"a\"", "", "root ::= missing", "root ::= [",
    "root ::= \"a\"{99999999}", String(repeating: "(", count: 5000), "root ::= \"\u{0}\"",
  ])
  func badGrammarsAreRefused(text: String) async throws {
    let model = try await Self.model()
    let grammar = try Grammar(text)
    #expect(throws: GrammarError.unusable) { try grammar.constraint(for: model.model) }
  }

  @Test(arguments: [
    ("{", "parse"), ("[]", ""), (#"{"type":"wibble"}"#, "wibble"), (##"{"$ref":"#/nowhere"}"##, "nowhere"),
    (#"{"$ref":"https://example.org/s.json"}"#, ""), (#"{"type":"string","pattern":"^(?=x).*$"}"#, "pattern"),
    (String(repeating: "[", count: 100_000), "64 KiB"), (String(repeating: "[", count: 1000), "64 levels"),
    ("", ""), ("\u{0}", ""),
  ])
  func badSchemasAreRefusedByTheirPart(schema: String, part: String) {
    let error = #expect(throws: GrammarError.self) { try Grammar(jsonSchema: schema) }
    #expect(
      error?.description.contains(part.isEmpty ? "cannot be enforced" : part) == true,
      "\(error?.description ?? "")")
  }

  /// Random edits of schemas either convert or are errors; nothing ends the process.
  @Test func mangledSchemasDoNoHarm() async throws {
    let model = try await Self.model()
    var generator = SplitMix64(seed: 11)
    var converted = 0
    for round in 0..<400 {
      var bytes = Array(Self.cases[round % Self.cases.count].schema.utf8)
      for _ in 0..<Int.random(in: 1...4, using: &generator) {
        let place = Int.random(in: 0..<bytes.count, using: &generator)
        switch Int.random(in: 0..<3, using: &generator) {
        case 0: bytes[place] = UInt8.random(in: 32..<127, using: &generator)
        case 1: bytes.remove(at: place)
        default: bytes.insert(contentsOf: bytes[place..<min(bytes.count, place + 9)], at: place)
        }
        if bytes.isEmpty { bytes = [0x7B] }
      }
      if let grammar = try? Grammar(jsonSchema: String(decoding: bytes, as: UTF8.self)),
        (try? grammar.constraint(for: model.model)) != nil
      {
        converted += 1
      }
    }
    #expect(converted > 20)
  }

  @Test func aReplyThatMayNotEndIsNoCaseForAGrammar() async throws {
    let model = try await Self.model()
    let constraint = try Grammar("root ::= \"a\"").constraint(for: model.model)
    var options = GenerationOptions()
    options.ignoresEnd = true
    #expect(throws: ConstraintError.endsByItself(parameter: "ignore-eos")) {
      try model.chat.request(Chat(question: "?"), strategy: Plain(), options: options, constraint: constraint)
    }
    options.ignoresEnd = false
    options.minimumTokens = 3
    #expect(throws: ConstraintError.endsByItself(parameter: "min-tokens")) {
      try model.chat.request(Chat(question: "?"), strategy: Plain(), options: options, constraint: constraint)
    }
  }
}
