import Foundation
import SelfCDTesting
import Testing

/// What the optimizer of Swift 6.3.1 gets wrong is kept out of the sources (docs/footguns.md).
@Suite struct AwaitInTupleTests {
  /// The repository, found from this file.
  private static let root = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "../../..").standardizedFileURL

  @Test func noSourceAwaitsInsideATupleBehindAnEvaluatedElement() throws {
    var files = 0
    for folder in ["Sources", "Tests", "Models", "Examples", "Benchmarks"] {
      let enumerator = try #require(
        FileManager.default.enumerator(at: Self.root.appending(path: folder), includingPropertiesForKeys: nil)
      )
      for case let file as URL in enumerator
      where file.pathExtension == "swift" && !file.path.contains("/.build") {
        files += 1
        let lines = AwaitInTupleScanner.lines(of: try String(contentsOf: file, encoding: .utf8))
        #expect(lines.isEmpty, "\(file.path): bind the awaited value first, then make the tuple")
      }
    }
    #expect(files > 400)
  }

  /// The shape that failed and its relatives.
  @Test(arguments: [
    "return (index, .success(try await judge.judge(prompt: p, reply: r)))",
    "group.addTask {\n  (index, try await collect(reader(handle)))\n}",
    "let pair = (1, await f())",
    "f(g, (a, await b))",
    "return (a, \"it's (\\\"quoted\\\")\", await b)",
    "return (a, // a comment, (\n await b)",
    "return (a, [await b])",
  ])
  func theTrapIsFound(source: String) {
    #expect(AwaitInTupleScanner.lines(of: source).count == 1)
  }

  /// The three ways round it, and what only looks alike.
  @Test(arguments: [
    "let value = try await judge.judge(p)\nreturn (index, .success(value))",
    "let r: R\ndo { r = .success(try await f()) } catch { r = .failure(error) }\nreturn (index, r)",
    "return Done(i: index, r: .success(try await f()))",
    "while let (index, result) = await group.next() {}",
    "for (candidate, answer) in zip(new, try await holds(new)) {}",
    "return (try await f(), 1)",
    "let f: (Int, String) async -> Void = { _, _ in await g() }",
    "return (index, Task { await f() })",
    "// return (index, await f())",
    "let text = \"(index, await f())\"",
    "let text = #\"(a \"quoted\", await f())\"#",
  ])
  func theWaysRoundItPass(source: String) {
    #expect(AwaitInTupleScanner.lines(of: source).isEmpty)
  }

  @Test func theLineIsTheTuples() {
    #expect(
      AwaitInTupleScanner.lines(of: "a\n\"\"\"\n(1, await\n\"\"\"\n/* \n */ x = (1,\n await f())") == [6])
  }
}
