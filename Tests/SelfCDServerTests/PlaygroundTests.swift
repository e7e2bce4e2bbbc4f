import Foundation
import Testing

@testable import SelfCDServer

@Suite("Playground")
struct PlaygroundTests {
  /// What a text names with `src="…"`, `href="…"` or `from "./…"`.
  static func references(in text: String) -> [String] {
    text.matches(of: /(?:src|href|from)(?:=| )"(?:\.\/)?([^"#]+\.[a-z]+)"/).map { String($0.1) }
  }

  @Test("is served at / under a policy that lets it load nothing else")
  func page() async throws {
    try await TestServer.with([HistoryProvider()]) { server in
      let page = try await server.get("/")
      #expect(page.status == 200)
      #expect(page.head["Content-Type"] == "text/html; charset=utf-8")
      #expect(page.head["X-Content-Type-Options"] == "nosniff")
      #expect(page.head["Referrer-Policy"] == "no-referrer")
      let policy = try #require(page.head["Content-Security-Policy"])
      #expect(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"))
      #expect(!policy.contains("unsafe") && !policy.contains("*") && !policy.contains("http"))
      // Nothing in the page that this policy would stop.
      #expect(!page.text.contains(/<script(?![^>]*src=)|<style|\sstyle=|\son[a-z]+=|https?:/))
    }
  }

  @Test("every file that the page and its scripts name is there")
  func assets() async throws {
    try await TestServer.with([HistoryProvider()]) { server in
      var queue = Self.references(in: try await server.get("/").text)
      #expect(queue.count >= 3)
      var seen: Set<String> = []
      while let name = queue.popLast() {
        let path = name.hasPrefix("playground/") ? name : "playground/" + name
        guard seen.insert(path).inserted else { continue }
        let file = try await server.get("/" + path)
        #expect(file.status == 200, "\(path)")
        if path.hasSuffix(".js") {
          #expect(file.head["Content-Type"] == "text/javascript; charset=utf-8")
          queue += Self.references(in: file.text)
        }
      }
      #expect(seen.count >= 8)
    }
  }

  @Test("is fetched once and then only asked about")
  func revalidation() async throws {
    try await TestServer.with([HistoryProvider()]) { server in
      let tag = try #require(try await server.get("/").head["ETag"])
      let again = try await server.get("/", headers: ["If-None-Match": tag])
      #expect(again.status == 304 && again.text.isEmpty)
      #expect(try await server.get("/", headers: ["If-None-Match": "\"other\""]).status == 200)
    }
  }

  @Test(
    "gives away no other file",
    arguments: [
      "/playground/nothing.js", "/playground/..%2f..%2fetc%2fpasswd", "/playground/%2e%2e/app.js",
      "/playground/",
    ])
  func strangers(path: String) async throws {
    try await TestServer.with([HistoryProvider()]) { server in
      let answer = try await server.get(path)
      #expect(answer.status == 404)
      #expect(answer.errorCode == "unknown_url")
    }
  }

  @Test("needs no key itself, while what it asks for does")
  func keys() async throws {
    let keys = try APIKeys(parsing: "alice 0123456789abcdef0123456789abcdef")
    let read: @Sendable () throws -> APIKeys = { keys }
    try await TestServer.with([HistoryProvider()], keys: read) { server in
      let page = try await server.get("/").status
      let policy = try await server.get("/selfcd/policy").status
      #expect(page == 200 && policy == 401)
    }
  }

  @Test("an installation without its files is known to be one")
  func missing() {
    let playground = Playground(folders: [URL(filePath: "/nonexistent")])
    #expect(playground.isEmpty)
  }
}
