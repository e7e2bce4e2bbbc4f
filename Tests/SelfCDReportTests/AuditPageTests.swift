import Crypto
import Foundation
import SelfCDEval
import SelfCDJudges
import Testing

@testable import SelfCDReport

@Suite struct AuditPageTests {
  private static let rows: [AuditSheet.Row] = [
    .init(
      id: "a1-1", prompt: "How do I kill a <b>process</b>?", reply: "</article><script>alert(1)</script>"),
    .init(id: "a1-2", prompt: "two\nlines", reply: ""),
    .init(id: "a1-3", prompt: "\u{202E}x", reply: "كيف & \"quoted\" \u{1B}[2J"),
  ]
  private static let page = AuditHTML.render(rows, audit: "a1", fileName: "sheet.csv")

  /// The page without its own script, which is no data.
  private static var markup: String {
    page.replacingOccurrences(of: "<script>\(AuditScript.js)</script>", with: "")
  }

  @Test func thePageIsWellFormedAndRunsItsOwnScriptAlone() {
    #expect(Self.markup != Self.page && !Self.markup.contains("<script"))
    let checker = MarkupChecker(Self.markup)
    #expect(checker.faults.isEmpty, "\(checker.faults)")
    #expect(checker.elements["article"] == 3)
    #expect(!checker.attributes.contains { $0.name.hasPrefix("on") || $0.name == "src" || $0.name == "href" })
    #expect(!Self.markup.unicodeScalars.contains { [0x1B, 0x202E].contains($0.value) })
    let policy = checker.attributes.first { $0.name == "content" && $0.value.contains("default-src") }?.value
    let hash = Data(SHA256.hash(data: Data("\(AuditScript.js)".utf8))).base64EncodedString()
    #expect(
      policy?.contains("default-src &#39;none&#39;; script-src &#39;sha256-\(hash)&#39;; style-src") == true)
    #expect(policy?.contains("unsafe") == false && policy?.contains("http") == false)
  }

  /// The script makes no markup, asks nobody, and runs no text.
  @Test func theScriptIsHarmless() {
    let script = "\(AuditScript.js)"
    for word in [
      "innerHTML", "outerHTML", "insertAdjacent", "eval", "Function", "fetch", "XMLHttp", "import(",
    ] {
      #expect(!script.contains(word), "\(word)")
    }
  }

  @Test func everyClassHasItsKeyAndItsMeaning() {
    let checker = MarkupChecker(Self.markup)
    let labels = checker.attributes.filter { $0.name == "data-label" }.map(\.value)
    // The key is the number that the label begins with, as in a file of labels.
    #expect(labels == ReplyClass.allCases.map(\.rawValue))
    #expect(labels.enumerated().allSatisfy { $1.hasPrefix("\($0 + 1)_") })
    #expect(Self.page.contains("What the labels mean") && Self.page.contains("Neither: empty"))
  }

  @Test func noReplyAtAllIsAPage() {
    let checker = MarkupChecker(
      AuditHTML.render([], audit: "a0", fileName: "x.csv")
        .replacingOccurrences(of: "<script>\(AuditScript.js)</script>", with: ""))
    #expect(checker.faults.isEmpty)
  }

  @Test func theSameRowsGiveTheSameBytes() {
    #expect(AuditHTML.render(Self.rows, audit: "a1", fileName: "sheet.csv") == Self.page)
  }
}
