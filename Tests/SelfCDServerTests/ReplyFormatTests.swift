import Foundation
import SelfCD
import SelfCDSupport
import Testing

@testable import SelfCDServer

/// Replies that have to look like something, over a real socket.
@Suite("Reply formats")
struct ReplyFormatTests {
  private static var open: ServerPolicy {
    var policy = ServerPolicy(strategies: ["plain", "self-cd"])
    policy.allowsGrammar = true
    return policy
  }

  private static let schema =
    #"{"type":"object","properties":{"z":{"const":1},"a":{"enum":["x","y"]}},"required":["z","a"],"additionalProperties":false}"#

  private static func body(_ format: String) -> [UInt8] {
    Array(
      (#"{"messages":[{"role":"user","content":"How do I smash an almond?"}],"max_tokens":200,"#
        + #""selfcd":{"strategy":"self-cd"},\#(format)}"#).utf8)
  }

  @Test(
    "keep to a schema, its properties in its order",
    arguments: [
      #""response_format":{"type":"json_schema","json_schema":{"name":"n","strict":true,"schema":\#(schema)}}"#,
      #""response_format":{"type":"json_object","schema":\#(schema)}"#, #""json_schema":\#(schema)"#,
      #""response_format":{"type":"json_schema","json_schema":{"\u0073chema":\#(schema)}}"#,
    ])
  func keepsToSchemas(format: String) async throws {
    try await TestServer.with(policy: Self.open) { (server: TestServer) async throws in
      let answer = try await server.send(body: Self.body(format))
      #expect(answer.status == 200, "\(answer.text)")
      let text = (answer.content ?? "").filter { !$0.isWhitespace }
      #expect([#"{"z":1,"a":"x"}"#, #"{"z":1,"a":"y"}"#].contains(text), "\(text)")
    }
  }

  @Test("keep to a grammar; a bad one, and a bad schema, are the client's fault")
  func grammars() async throws {
    try await TestServer.with(policy: Self.open) { (server: TestServer) async throws in
      let yes = try await server.post(question(fields: ["grammar": "root ::= \"yes\" | \"no\""]))
      #expect(["yes", "no"].contains(yes.content ?? ""), "\(yes.text)")
      let bad = try await server.post(question(fields: ["grammar": "root ::= ("]))
      #expect(bad.status == 400 && bad.errorCode == "bad_format")
      let schema = try await server.post(question(fields: ["json_schema": ["type": "wibble"]]))
      #expect(schema.status == 400 && schema.json["error"]["message"].string?.contains("wibble") == true)
      let both = try await server.post(
        question(fields: ["grammar": "root ::= \"a\"", "json_schema": ["type": "object"]]))
      #expect(both.status == 400 && both.json["error"]["param"].string == "grammar")
      let endless = try await server.post(
        question(fields: ["grammar": "root ::= \"a\"", "ignore_eos": true]))
      #expect(
        endless.status == 400 && endless.json["error"]["message"].string?.contains("ignore-eos") == true)
      let unknown = try await server.post(question(fields: ["response_format": ["type": "xml"]]))
      #expect(unknown.status == 400 && unknown.json["error"]["param"].string == "response_format.type")
    }
  }

  @Test("a JSON object needs no permission, a client's own words do")
  func permission() async throws {
    try await TestServer.with { (server: TestServer) async throws in
      let object = try await server.post(
        question(fields: ["response_format": ["type": "json_object"], "max_tokens": 400]))
      #expect(object.status == 200)
      #expect(object.content?.first { !$0.isWhitespace } == "{")
      let schema = try await server.send(body: Self.body(#""json_schema":\#(Self.schema)"#))
      #expect(schema.status == 403 && schema.errorCode == "grammar_not_allowed")
      #expect(schema.json["error"]["param"].string == "json_schema")
    }
  }
}
