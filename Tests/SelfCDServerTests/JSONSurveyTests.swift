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
    "commas and brackets in texts are texts",
    arguments: [#"{"a":",]"}"#, #"{"a":"[,}","b":[",",","]}"#, #"{"a":"\",}"}"#, #"{"a":[],"b":{}}"#])
  func texts(body: String) { #expect(Self.error(body) == nil) }

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
    }
  }
}
