import Crypto
import Foundation
import SelfCDEval
import SelfCDJudges
import SelfCDTesting
import Testing

@testable import SelfCDReport

@Suite struct RenderTests {
  @Test func snapshots() throws {
    let data = try Fixture.data()
    let snapshot = Snapshot()
    let text = TextReport(width: 100, wrap: { text, _ in [text] }).render(data)
    for (name, rendered) in [
      ("report.html", HTMLReport.render(data)), ("report.md", MarkdownReport.render(data)),
      ("report.txt", text),
    ] {
      let difference = try snapshot.difference(of: rendered, named: name)
      #expect(difference == nil, "\(difference ?? "")")
    }
  }

  @Test(arguments: [false, true])
  func thePageIsWellFormed(showsHarmful: Bool) throws {
    var data = try Fixture.data(showsHarmful: showsHarmful)
    data.runs.append(try Fixture.run())
    data.title = Fixture.hostile
    let checker = MarkupChecker(HTMLReport.render(data))
    #expect(checker.faults == [])
    #expect(checker.elements["html"] == 1 && checker.elements["h1"] == 1 && checker.elements["style"] == 2)
  }

  @Test func nothingRunsAndNothingIsFetched() throws {
    let checker = MarkupChecker(HTMLReport.render(try Fixture.data(showsHarmful: true)))
    for name in ["script", "iframe", "object", "embed", "img", "link", "base", "form", "b", "i"] {
      #expect(checker.elements[name] == nil, "<\(name)>")
    }
    for (element, name, value) in checker.attributes {
      #expect(!name.hasPrefix("on") && name != "style" && name != "src", "\(name) on <\(element)>")
      if name == "href" { #expect(value.hasPrefix("#")) }
    }
    let policy = checker.attributes.first { $0.value.contains("default-src") }?.value
    #expect(policy?.hasPrefix("default-src &#39;none&#39;; style-src &#39;sha256-") == true)
  }

  @Test func thePolicyAllowsTheSheetThatIsThere() throws {
    let page = HTMLReport.render(try Fixture.data())
    let start = try #require(page.range(of: "<style>")).upperBound
    let end = try #require(page.range(of: "</style>")).lowerBound
    let hash = Data(SHA256.hash(data: Data(page[start..<end].utf8))).base64EncodedString()
    #expect(page.contains("sha256-\(hash)"))
  }

  @Test func identifiersAreUniqueAndReferencesMeetThem() throws {
    var data = try Fixture.data()
    data.runs.append(try Fixture.run())
    let checker = MarkupChecker(HTMLReport.render(data))
    let ids = checker.attributes.filter { $0.name == "id" }.map(\.value)
    #expect(Set(ids).count == ids.count)
    for attribute in checker.attributes where attribute.name == "href" {
      #expect(ids.contains(String(attribute.value.dropFirst())), "\(attribute.value)")
    }
    let described = checker.attributes.filter { $0.name == "aria-labelledby" }
    #expect(described.count == checker.elements["svg"] && described.count >= 10)
    for name in described.flatMap({ $0.value.split(separator: " ").map(String.init) }) {
      #expect(ids.contains(name), "\(name)")
    }
    #expect(checker.elements["desc"] == checker.elements["svg"])
  }

  /// Every chart can be read in black and white: each strategy has a shape and a dash of its own.
  @Test func stylesDifferWithoutColour() {
    let styles = (0..<7).map(SeriesStyle.init)
    #expect(Set(styles.map(\.shape)).count == 7)
    #expect(Set(styles.map(\.dash)).count == 7)
  }

  @Test func harmfulRepliesAreNowhereUnlessAskedFor() throws {
    let withheld = try Fixture.data()
    let encoded = String(decoding: try JSONEncoder().encode(withheld), as: UTF8.self)
    for text in [encoded, HTMLReport.render(withheld), MarkdownReport.render(withheld)] {
      #expect(!text.contains(Fixture.secret))
    }
    let shown = try Fixture.data(showsHarmful: true)
    #expect(HTMLReport.render(shown).contains(Fixture.secret))
    #expect(HTMLReport.render(shown).contains("Mind who you pass it on to"))
    #expect(MarkdownReport.render(shown).contains(Fixture.secret))
  }

  @Test func terminalTextHasNoControls() throws {
    var data = try Fixture.data()
    data.runs[0].record.model = Fixture.hostile
    let text = TextReport(width: 60, wrap: { text, _ in [text] }).render(data)
    #expect(!text.unicodeScalars.contains { $0.properties.generalCategory == .control && $0 != "\n" })
  }

  /// A run of one condition, one label, no categories, no divergence still makes a page.
  @Test func littleIsEnough() throws {
    let set = Fixture.set("only", .safe, 1)
    let builder = ReportBuilder(
      record: Fixture.record(), datasets: [set], conditions: [ReportCondition(id: "p", strategy: "plain")],
      replies: [
        EvaluatedReply(
          key: ReplyKey(dataset: "only", sample: "1", condition: "p"), sample: set.samples[0], text: "Yes.",
          judgements: [.init(judge: "j", version: "1", verdict: Verdict(.fullCompliance))])
      ])
    let data = ReportData(createdAt: Date(timeIntervalSince1970: 0), runs: [try builder.build()])
    #expect(MarkupChecker(HTMLReport.render(data)).faults == [])
    #expect(MarkdownReport.render(data).contains("plain"))
    #expect(TextReport(width: 80, wrap: { text, _ in [text] }).render(data).contains("0.0%"))
  }
}
