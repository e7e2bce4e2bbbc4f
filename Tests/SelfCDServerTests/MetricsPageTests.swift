import Foundation
import SelfCD
import Testing

@testable import SelfCDServer

@Suite("Metrics")
struct MetricsPageTests {
  /// The names between backquotes in the page's section on metrics.
  static func documented() throws -> Set<String> {
    let page = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appending(path: "docs/server.md")
    let text = try String(contentsOf: page, encoding: .utf8)
    let start = try #require(text.range(of: "### Metrics")?.upperBound)
    let section = text[start...].prefix(while: { $0 != "#" })
    return Set(
      section.matches(of: /`((?:selfcd|process)_[a-z_]+)/).map { String($0.output.1) })
  }

  @Test("are all documented, and all that is documented is there")
  func documentation() async throws {
    try await TestServer.with([HistoryProvider()]) { (server: TestServer) async throws in
      let page = try await server.get("/metrics").text
      let served = Set(
        page.split(separator: "\n").filter { $0.hasPrefix("# TYPE ") }
          .compactMap { $0.split(separator: " ").dropFirst(2).first.map(String.init) })
      #expect(served.count > 15)
      let documented = try Self.documented()
      #expect(served.subtracting(documented).sorted() == [])
      #expect(documented.subtracting(served).sorted() == [])
    }
  }
}
