import SelfCD
import Testing

@testable import SelfCDServer

/// Who may use a server from a browser, an app or an extension.
@Suite("Origins")
struct OriginTests {
  static let origins = [
    "https://chat.example", "http://localhost:3000", "http://[::1]:3000", "app://obsidian.md",
    "chrome-extension://abcdefghijklmnopabcdefghijklmnop", "tauri://localhost", "capacitor://localhost",
    "moz-extension://6b2dfc5f-3a61-4c3e-9c4e-0f3a5d0c7b11", "vscode-webview://1abc_def", "ms-app+x://h.y:1",
  ]

  @Test("are let in as the operator lists them, whatever their scheme", arguments: origins)
  func listed(origin: String) async throws {
    let settings = ServerSettings(corsOrigins: [origin])
    try settings.validate(keys: APIKeys())
    try await TestServer.with([HistoryProvider()], settings: settings) { (server: TestServer) async throws in
      let body = question(fields: ["max_tokens": 1])
      let answer = try await server.post(body, headers: ["Origin": origin])
      #expect(answer.status == 200 && answer.head["Access-Control-Allow-Origin"] == origin)
      // Their host may hold capitals, and browsers compare letter by letter.
      let shouted = try await server.post(body, headers: ["Origin": origin.uppercased()])
      #expect(shouted.head["Access-Control-Allow-Origin"] == origin.uppercased())
      for other in Self.origins where other != origin {
        let refused = try await server.post(body, headers: ["Origin": other])
        #expect(refused.status == 403 && refused.head["Access-Control-Allow-Origin"] == nil, "\(other)")
        #expect(refused.json["error"]["message"].string?.contains("--cors-origin") == true)
      }
    }
  }

  @Test(
    "are refused at start where they are none, or anybody's",
    arguments: [
      "*", "null", "", "https://", "://x", "chat.example", "https://chat.example/",
      "https://chat.example/path",
      "https://user@chat.example", "https://chat.example?x", "https://*.example", "chrome-extension://*",
      "https://chat.example:", "https://chat.example:0", "https://chat.example:99999",
      "https://chat.example:1x",
      "file://", "1app://x", "ap p://x", "https://chät.example", "https://[::1", "https://[]",
      "app://a b", "https://a,https://b",
    ])
  func none(text: String) {
    #expect(Origin(text) == nil)
    let error = #expect(throws: ServerError.self) {
      try ServerSettings(corsOrigins: [text]).validate(keys: APIKeys())
    }
    #expect(error?.description.contains("app://obsidian.md") == true)
  }

  @Test("are the same with the port that goes without saying")
  func ports() {
    #expect(Origin("https://chat.example:443") == Origin("HTTPS://Chat.example"))
    #expect(Origin("http://chat.example:80") == Origin("http://chat.example"))
    #expect(Origin("http://chat.example:443") != Origin("http://chat.example"))
    #expect(Origin("app://chat.example:80") != Origin("app://chat.example"))
    #expect(Origin("https://chat.example") != Origin("http://chat.example"))
  }
}
