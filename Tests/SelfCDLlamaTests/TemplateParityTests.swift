import Crypto
import Foundation
import SelfCD
import SelfCDLlama
import Testing

/// llama.cpp's Jinja engine against Python's jinja2, over the templates that ship with llama.cpp.
///
/// The goldens are made by `Scripts/template_golden.py`.
@Suite(.enabled(if: LlamaSources.models != nil, Comment(rawValue: LlamaSources.skipReason)))
struct TemplateParityTests {
  struct Golden: Decodable {
    let inputs: [String: Inputs]
    let cases: [Case]
    /// Templates on which the engines are known to differ, and why.
    let differences: [String: String]

    struct Case: Decodable {
      let template: String
      let inputs: String
      /// Absent where Python refuses to render.
      let sha256: String?
      let bytes: Int?
      let error: Bool?
    }
  }

  struct Inputs: Decodable {
    let messages: [ChatMessage]
    let bosToken: String
    let eosToken: String
    let now: Double
    let addGenerationPrompt: Bool
    let enableThinking: Bool?
  }

  @Test func everyTemplateRendersAsInPython() throws {
    setenv("TZ", "UTC", 1)
    let url = try #require(Bundle.module.url(forResource: "template_parity", withExtension: "json"))
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    let golden = try decoder.decode(Golden.self, from: Data(contentsOf: url))
    try #require(golden.cases.count > 400)

    var templates: [String: ChatTemplate] = [:]
    var differing: Set<String> = []
    for example in golden.cases {
      let template =
        try templates[example.template] ?? ChatTemplate(source: LlamaSources.template(example.template))
      templates[example.template] = template
      let inputs = try #require(golden.inputs[example.inputs])
      if Self.rendering(inputs, by: template) != example.sha256 { differing.insert(example.template) }
    }
    #expect(differing == Set(golden.differences.keys))
  }

  /// The hash of what a template makes of the inputs, or `nil` if it refuses.
  private static func rendering(_ inputs: Inputs, by template: ChatTemplate) -> String? {
    let segments = try? template.render(
      inputs.messages, arguments: inputs.enableThinking.map { ["enable_thinking": .bool($0)] } ?? [:],
      tokens: .init(beginOfSequence: inputs.bosToken, endOfSequence: inputs.eosToken),
      now: Date(timeIntervalSince1970: inputs.now), addGenerationPrompt: inputs.addGenerationPrompt)
    return segments.map { segments in
      SHA256.hash(data: Data(segments.flatMap(\.text))).map { String(format: "%02x", $0) }.joined()
    }
  }

  @Test(arguments: [
    ("google-gemma-2-2b-it.jinja", false), ("meta-llama-Llama-3.1-8B-Instruct.jinja", true),
    ("Qwen-Qwen3-0.6B.jinja", true), ("mistralai-Mistral-Nemo-Instruct-2407.jinja", true),
  ])
  func systemRolesAreFound(name: String, hasSystemRole: Bool) throws {
    #expect(try ChatTemplate(source: LlamaSources.template(name)).traits().hasSystemRole == hasSystemRole)
  }

  @Test func reasoningIsFound() throws {
    let traits = try ChatTemplate(source: LlamaSources.template("Qwen-Qwen3-0.6B.jinja")).traits()
    #expect(traits.reasoning?.end == "</think>")
    let plain = try ChatTemplate(source: LlamaSources.template("meta-llama-Llama-3.1-8B-Instruct.jinja"))
      .traits()
    #expect(plain.reasoning == nil)
  }
}

/// Templates that misbehave.
@Suite struct HostileTemplateTests {
  static func error(of source: String) -> ChatTemplateError.Kind? {
    do {
      _ = try ChatTemplate(source: source).render([.user("x")])
      return nil
    } catch { return error.kind }
  }

  @Test func wrongTemplatesAreErrors() {
    #expect(Self.error(of: "{% for x in %}") == .syntax)
    #expect(Self.error(of: "{{ raise_exception('no') }}") == .raised)
    #expect(Self.error(of: "{{ messages[0].nothing.at_all() }}") == .runtime)
  }

  @Test(arguments: [
    "{% for a in range(100000) %}{% for b in range(100000) %}{% endfor %}{% endfor %}",
    "{% for a in range(10000000) %}{{ 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx' }}{% endfor %}",
    "{% set ns = namespace(s='x') %}{% for a in range(64) %}{% set ns.s = ns.s + ns.s %}{% endfor %}",
    "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "{{ " + String(repeating: "(", count: 50_000) + "1" + String(repeating: ")", count: 50_000) + " }}",
    String(repeating: "{% if true %}", count: 20_000),
    "{{ " + String(repeating: "not ", count: 100_000) + "x }}",
  ])
  func boundsHold(source: String) {
    let kind = Self.error(of: source)
    #expect(kind == .limitExceeded || kind == .syntax)
  }
}
