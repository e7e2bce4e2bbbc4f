import SelfCDSupport
import Testing

@testable import SelfCDServer

/// What is no JSON and yet gets past Foundation's parser, or is refused by it without a reason.
@Suite("Bodies that are almost JSON")
struct JSONSurveyTests {
  static func error(_ text: String) -> FieldError? {
    do {
      _ = try JSONDocument.object(Array(text.utf8))
      return nil
    } catch {
      return error
    }
  }

  static let surrogates: [(body: String, field: String?, named: [String])] = [
    (
      #"{"messages":[{"role":"user","content":"cut \ud83d here"}]}"#, "messages[0].content",
      [#"\ud83d"#, "index 4"]
    ),
    (#"{"a":[1,{"b":"x"},{"b":"é😀\n\"\uDE00"}]}"#, "a[2].b", [#"\ude00"#, "index 5"]),
    (#"{"a":"😀\ud83d😀"}"#, "a", [#"\ud83d"#, "index 2"]),
    (#"{"a":"\ud83d\ud83d\ude00"}"#, "a", ["index 0"]), (#"{"a":"\ud83d\u0041"}"#, "a", ["index 0"]),
    (#"{"a":"\ud83d"#, "a", ["surrogate"]), (#"{"m":{"k\ud83d":1}}"#, "m", ["a key of m"]),
    (#"{"\ud83d":1}"#, nil, ["a key of the body"]), (#"{"b":1,"a":["\udfff"]}"#, "a[0]", [#"\udfff"#]),
  ]

  @Test("a lone surrogate is named, and where it is", arguments: surrogates.indices)
  func loneSurrogates(index: Int) throws {
    let (body, field, named) = Self.surrogates[index]
    let error = try #require(Self.error(body))
    #expect(error.field == field)
    for text in named + ["surrogate"] { #expect(error.message.contains(text), "\(error.message)") }
  }

  @Test(
    "pairs are characters",
    arguments: [
      #"{"a":"\ud83d\ude00"}"#, #"{"a":"\uD83D\uDE00\uD83D\uDE00"}"#, #"{"a":"\\ud83d"}"#,
      #"{"a":"\\\\ud83d x"}"#,
      #"{"a":"\ue000\ud7ff"}"#, #"{"\ud83d\ude00":1}"#,
    ])
  func pairs(body: String) { #expect(Self.error(body) == nil) }

  @Test(
    "a comma behind the last value is none of JSON's",
    arguments: [
      (#"{"a":1,}"#, nil), (#"{"a":[1,2,]}"#, "a"), (#"{"a":[{"b":1 , } ]}"#, "a[0]"),
      (#"{"a":"x" , }"#, nil),
    ] as [(String, String?)])
  func trailingCommas(body: String, field: String?) throws {
    let error = try #require(Self.error(body))
    #expect(error.field == field && error.message.contains("not JSON") && error.message.contains("comma"))
  }

  @Test(
    "what is no JSON is told with its place, in one wording",
    arguments: [
      (#"{"a":1"#, "it ends at line 1, column 7, where ',' or '}' should be"),
      ("{\n  \"a\": nope}", "there is 'o' at line 2, column 9, where 'null' should be"),
      ("[1 2]", "there is '2' at line 1, column 4, where ',' or ']' should be"),
      ("{a: 1}", "there is 'a' at line 1, column 2, where a key in double quotes should be"),
      (#"{"a" 1}"#, "there is '1' at line 1, column 6, where ':' should be"),
      (#"{"a":}"#, "there is '}' at line 1, column 6, where a value should be"),
      (#"{"a":1}x"#, "there is 'x' at line 1, column 8, where the end should be"),
      (#"{"a":-}"#, "there is '}' at line 1, column 7, where a digit should be"),
      (#"{"a":"x"#, "it ends at line 1, column 8, where a closing quote should be"),
      (#"{"a":"\x"}"#, #"there is 'x' at line 1, column 8, where one of "\/bfnrtu should be"#),
      (#"{"a":1,}"#, "there is a comma behind the last value, before line 1, column 8"),
      (#"{"a":[1,]}"#, "there is a comma behind the last value of 'a', before line 1, column 9"),
    ] as [(String, String)])
  func places(body: String, expected: String) {
    #expect(Self.error(body)?.message == "The body is not JSON: \(expected).")
  }

  @Test(
    "what is JSON has no fault",
    arguments: [
      "[]", " {} ", #"{"a":[1,-0.5e+3,"x\"\u00e9",true,false,null,{"b":[]}]}"#, "0", "\"\"", "[1,\n2]",
    ])
  func syntax(text: String) { #expect(JSONSyntax.fault(in: Array(text.utf8)) == nil) }

  @Test(
    "commas and brackets in texts are texts",
    arguments: [#"{"a":",]"}"#, #"{"a":"[,}","b":[",",","]}"#, #"{"a":"\",}"}"#, #"{"a":[],"b":{}}"#])
  func texts(body: String) { #expect(Self.error(body) == nil) }

  @Test(
    "a key that is given twice is named, and where it is",
    arguments: [
      (#"{"a":1,"a":2}"#, "a"), (#"{"a":1,"b":{},"a":1}"#, "a"),
      (#"{"selfcd":{"alpha":1,"alpha":9}}"#, "selfcd.alpha"),
      (#"{"m":[{"role":"user"},{"role":"user","x":[{}],"role":"system"}]}"#, "m[1].role"),
      (#"{"a":{"b":{"c":1,"d":{"c":1},"c":2}}}"#, "a.b.c"), (#"{"A":1,"\u0041":2}"#, #"\u0041"#),
      (#"{"\ud83d\ude00\n/":1,"😀\u000a\/":2}"#, #"😀\u000a\/"#), (#"{"":1,"":2}"#, nil),
      (#"{"a":null,"a":null}"#, "a"),
    ] as [(String, String?)])
  func duplicateKeys(body: String, field: String?) throws {
    let error = try #require(Self.error(body))
    #expect(error.field == field && error.message.contains("twice"), "\(error.message)")
    if let field { #expect(error.message.contains("'\(field)'")) }
  }

  @Test(
    "the same key of different objects is no second one",
    arguments: [
      #"{"a":{"a":{"a":1}}}"#, #"{"m":[{"a":1},{"a":2}],"a":3}"#, #"{"a":"a","b":"a","A":1}"#,
      #"{"a":[["a","a"]],"b":{"c":1},"d":{"c":1}}"#, #"{"a\\u0041":1,"aA":2}"#,
    ])
  func differentKeys(body: String) { #expect(Self.error(body) == nil) }

  @Test("what is no JSON is said to be none, whatever else it is")
  func brokenWithDuplicates() throws {
    for body in [#"{"a":1,"a":2"#, "{:1,:2}", #"{"a":1:2}"#] {
      #expect(try #require(Self.error(body)).message.contains("not JSON"), "\(body)")
    }
  }

  @Test("a server says so")
  func overHTTP() async throws {
    try await TestServer.with([HistoryProvider()]) { (server: TestServer) async throws in
      let line = { (body: String) async throws -> String in
        let connection = try await RawConnection(port: server.port)
        defer { connection.end(.close) }
        try await connection.send(rawRequest(body: Array(body.utf8)))
        return try await connection.receive(until: "}}")
      }
      let cut = try await line(#"{"messages":[{"role":"user","content":"cut \ud83d here"}]}"#)
      #expect(cut.hasPrefix("HTTP/1.1 400") && cut.contains("lone surrogate"))
      #expect(cut.contains(#""param":"messages[0].content""#))
      let comma = try await line(#"{"messages":[{"role":"user","content":"Hi"}],}"#)
      #expect(comma.hasPrefix("HTTP/1.1 400") && comma.contains("comma"))
      let twice = try await line(
        #"{"messages":[{"role":"user","content":"Hi"}],"selfcd":{"alpha":0,"alpha":2}}"#)
      #expect(twice.hasPrefix("HTTP/1.1 400") && twice.contains(#""param":"selfcd.alpha""#))
    }
  }
}
