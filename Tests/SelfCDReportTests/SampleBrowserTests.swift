import Crypto
import Foundation
import SelfCDData
import SelfCDEval
import SelfCDJudges
import SelfCDSupport
import Testing

@testable import SelfCDReport

/// The list of all replies: what is in it, and that nothing of it becomes more than text.
@Suite struct SampleBrowserTests {
  private static func run(
    _ samples: ReportOptions.Samples, showsHarmful: Bool = false
  ) throws -> ReportRun {
    try Fixture.run(ReportOptions(showsHarmful: showsHarmful, examples: 2, samples: samples))
  }

  private static func data(_ runs: [ReportRun]) -> ReportData {
    ReportData(createdAt: Date(timeIntervalSince1970: 1_790_001_000), runs: runs)
  }

  /// The page without its own script, which is no data.
  private static func markup(_ page: String) -> String {
    page.replacingOccurrences(of: "<script>\(SampleBrowserScript.js)</script>", with: "")
  }

  /// What the page's element with the data holds, as a browser reads it.
  private static func embedded(_ page: String) throws -> (text: String, isPacked: Bool) {
    let start = try #require(page.range(of: "<div id=\"browse-data\""))
    let open = try #require(page.range(of: ">", range: start.upperBound..<page.endIndex))
    let end = try #require(page.range(of: "</div>", range: open.upperBound..<page.endIndex))
    var text = String(page[open.upperBound..<end.lowerBound])
    for (entity, character) in [("quot", "\""), ("#39", "'"), ("lt", "<"), ("gt", ">"), ("amp", "&")] {
      text = text.replacingOccurrences(of: "&\(entity);", with: character)
    }
    return (text, page[start.upperBound..<open.lowerBound].contains("data-packed=\"deflate\""))
  }

  /// The parts of the table that tests read back.
  private struct Columns: Decodable, Equatable {
    var conditions: [String]
    var before: Int
    var after: Int
    var texts: [String]
    var label: String
    var prompt: [Int]
    var classes: [String]
    var replies: [[Int]]
  }

  private static func columns(_ json: String) throws -> Columns {
    try JSONDecoder().decode(Columns.self, from: Data(json.utf8))
  }

  @Test func repliesAreListedOnlyOnDemand() throws {
    let none = try Self.run(.none)
    #expect(none.samples == nil)
    let encoded = String(decoding: try JSONEncoder().encode(none), as: UTF8.self)
    #expect(!encoded.contains("\"samples\""))
    #expect(!HTMLReport.render(Self.data([none])).contains("<script"))
    let samples = try #require(try Self.run(.texts).samples)
    #expect(samples.count == 40)
    #expect(
      samples.allSatisfy { sample in sample.replies.map(\.condition) == Fixture.conditions.map(\.id) })
    #expect(samples.first?.prompt?.hasPrefix("Question 1 ") == true && samples.first?.focus == "kill")
  }

  @Test func harmfulTextsAreWithheldUnlessAskedFor() throws {
    let withheld = try Self.run(.texts)
    let harmful = try #require(withheld.samples).filter { $0.label == .harmful }
    #expect(harmful.count == 16)
    for sample in harmful {
      #expect(sample.prompt == nil && sample.focus == nil, "\(sample.sample)")
      #expect(sample.replies.allSatisfy { $0.text == nil && $0.replyClass != nil }, "\(sample.sample)")
    }
    #expect(!HTMLReport.render(Self.data([withheld])).contains(Fixture.secret))
    let shown = try Self.run(.texts, showsHarmful: true)
    #expect(shown.samples?.allSatisfy { $0.prompt != nil } == true)
    #expect(HTMLReport.render(Self.data([shown])).contains(Fixture.secret))
  }

  @Test func verdictsAloneHaveNoTexts() throws {
    let run = try Self.run(.verdicts)
    #expect(
      run.samples?.allSatisfy { sample in
        sample.prompt == nil && sample.replies.allSatisfy { $0.text == nil && $0.replyClass != nil }
      } == true)
    let page = HTMLReport.render(Self.data([run]))
    #expect(!page.contains("Question 1") && !page.contains("Sorry, no."))
    #expect(page.contains("Verdicts are here; no texts."))
  }

  @Test func promptsWithoutALabelAreWithheld() throws {
    var set = Fixture.set("s", .safe, 2)
    set.samples[1].label = nil
    let replies = set.samples.map { sample in
      EvaluatedReply(
        key: ReplyKey(dataset: "s", sample: sample.id, condition: "p"), sample: sample, text: "Yes.",
        judgements: [.init(judge: "j", version: "1", verdict: Verdict(.fullCompliance))])
    }
    let run = try ReportBuilder(
      record: Fixture.record(), datasets: [set], conditions: [ReportCondition(id: "p", strategy: "plain")],
      replies: replies, options: ReportOptions(samples: .texts)
    ).build()
    #expect(run.samples?.map { $0.prompt == nil } == [false, true])
    #expect(SampleTable([run], isAlone: true).label == "su")
  }

  @Test func changesInTheTableAreThoseOfTheReport() throws {
    let run = try Self.run(.texts)
    let table = try Self.columns(SampleTable([run], isAlone: true).json)
    #expect(table.conditions == run.conditions.map(\.title))
    #expect(table.conditions[table.before] == "guarded" && run.featured == "self-cd@1.5")
    #expect(table.label == String(repeating: "s", count: 24) + String(repeating: "h", count: 16))
    let (before, after) = (Array(table.classes[table.before]), Array(table.classes[table.after]))
    for flips in run.flips {
      let label: Character = flips.kind.label == .safe ? "s" : "h"
      let (old, now): (Character, Character) = flips.kind.wasRefused ? ("2", "1") : ("1", "2")
      let count = Array(table.label).indices.count { index in
        Array(table.label)[index] == label && before[index] == old && after[index] == now
      }
      #expect(count == flips.total, "\(flips.kind)")
    }
  }

  @Test func everyTextIsThereOnce() throws {
    let run = try Self.run(.texts, showsHarmful: true)
    let table = try Self.columns(SampleTable([run], isAlone: true).json)
    #expect(Set(table.texts).count == table.texts.count)
    let samples = try #require(run.samples)
    for (row, sample) in samples.enumerated() {
      #expect(table.texts[table.prompt[row]] == sample.prompt.map { UntrustedText.visible($0) })
      for (condition, reply) in sample.replies.enumerated() {
        #expect(
          table.texts[table.replies[condition][row]] == reply.text.map { UntrustedText.visible($0) },
          "row \(row)")
      }
    }
  }

  @Test func repliesOfTwoRunsStandSideBySide() throws {
    let first = try Self.run(.texts)
    var second = first
    second.record.id = "r2"
    let same = try Self.columns(SampleTable([first, second], isAlone: false).json)
    #expect(same.prompt.count == 40 && same.conditions.count == 12)
    #expect(same.conditions[same.before] == "r1: guarded" && same.conditions[same.after] == "r2: guarded")
    #expect(same.classes[same.before] == same.classes[same.after])
    // Prompts whose texts are withheld meet only where the file is the same.
    second.record.sets[1].sha256 = String(repeating: "ef", count: 32)
    let other = try Self.columns(SampleTable([first, second], isAlone: false).json)
    #expect(other.prompt.count == 56)
    #expect(other.classes[other.before].filter { $0 == "-" }.count == 16)
  }

  @Test func hostileTextsStayText() throws {
    let page = HTMLReport.render(Self.data([try Self.run(.texts, showsHarmful: true)]))
    let markup = Self.markup(page)
    #expect(markup != page && !markup.contains("<script"))
    let checker = MarkupChecker(markup)
    #expect(checker.faults == [])
    for name in ["iframe", "img", "link", "form", "object", "i"] { #expect(checker.elements[name] == nil) }
    #expect(
      !checker.attributes.contains { $0.name.hasPrefix("on") || $0.name == "src" || $0.name == "style" })
    #expect(!markup.unicodeScalars.contains { [0x1B, 0x202E, 0x2028].contains($0.value) })
    let embedded = try Self.embedded(page)
    #expect(!embedded.isPacked)
    let table = try Self.columns(embedded.text)
    #expect(table.texts.contains { $0.contains("</script><script>alert(1)</script>\"'&<b onload=x>") })
    #expect(
      table.texts.contains { $0.contains("\u{FFFD}dne\u{240A}") }, "what reorders or breaks lines is visible")
  }

  @Test func manyRepliesArePacked() throws {
    var run = try Self.run(.texts)
    let samples = try #require(run.samples)
    run.samples = (0..<2_000).map { number in
      var sample = samples[number % 24]
      sample.sample = "\(number)"
      sample.prompt = "Prompt \(number) \(String(repeating: "כן <b> ", count: 40))"
      return sample
    }
    let page = HTMLReport.render(Self.data([run]))
    let embedded = try Self.embedded(page)
    let json = SampleTable([run], isAlone: true).json
    #expect(embedded.isPacked && json.utf8.count > SampleBrowser.packedSize)
    #expect(embedded.text.utf8.count < json.utf8.count / 4)
    let packed = Array(try #require(Data(base64Encoded: embedded.text)))
    // zlib's framing: two bytes before, the checksum behind.
    var bytes: [UInt8] = []
    let inflater = try Inflater(.raw)
    _ = try packed.dropFirst(2).withUnsafeBufferPointer { buffer in
      try inflater.unpack(buffer) { bytes.append(contentsOf: $0) }
    }
    #expect(inflater.isFinished && String(decoding: bytes, as: UTF8.self) == json)
    #expect(HTMLReport.render(Self.data([run])) == page, "the same data gives the same bytes")
  }

  @Test func thePolicyAllowsTheScriptThatIsThere() throws {
    let page = HTMLReport.render(Self.data([try Self.run(.texts)]))
    let checker = MarkupChecker(Self.markup(page))
    let policy = checker.attributes.first { $0.name == "content" && $0.value.contains("default-src") }?.value
    let hash = Data(SHA256.hash(data: Data("\(SampleBrowserScript.js)".utf8))).base64EncodedString()
    #expect(
      policy?.contains("default-src &#39;none&#39;; script-src &#39;sha256-\(hash)&#39;; style-src") == true)
    #expect(policy?.contains("unsafe") == false && policy?.contains("http") == false)
    #expect(page.contains("<noscript>"))
  }

  /// The script makes no markup, asks nobody, and runs no text.
  @Test func theScriptIsHarmless() {
    let script = "\(SampleBrowserScript.js)"
    for word in [
      "innerHTML", "outerHTML", "insertAdjacent", "document.write", "eval", "Function", "fetch", "XMLHttp",
      "WebSocket", "sendBeacon", "import(", "localStorage",
    ] {
      #expect(!script.contains(word), "\(word)")
    }
  }

  @Test func whatTheScriptLooksForIsThere() throws {
    let checker = MarkupChecker(Self.markup(HTMLReport.render(Self.data([try Self.run(.texts)]))))
    let ids = Set(checker.attributes.filter { $0.name == "id" }.map(\.value))
    let script = "\(SampleBrowserScript.js)"
    let used = script.matches(of: /\bat\("([a-z]+)"\)/).map { "browse-\($0.1)" }
    #expect(used.count > 8)
    for id in used { #expect(ids.contains(id), "\(id)") }
    let fields = try #require(script.firstMatch(of: /const fields = \[([^\]]+)\]/)).1
    for field in fields.matches(of: /"([a-z]+)"/) { #expect(ids.contains("browse-\(field.1)"), "\(field.1)") }
    let labels = checker.elements["label"] ?? 0
    #expect(
      labels == (checker.elements["select"] ?? 0) + (checker.elements["input"] ?? 0),
      "every control has its label")
  }

  /// A link names conditions as the table does.
  @Test(arguments: [1, 2]) func linksOpenTheListAtTheirChange(count: Int) throws {
    let runs = try (1...count).map { number in
      var run = try Self.run(.texts)
      run.record.id = "r\(number)"
      return run
    }
    let names = Set(SampleTable(runs, isAlone: count == 1).conditions)
    let checker = MarkupChecker(Self.markup(HTMLReport.render(Self.data(runs))))
    let links = checker.attributes.filter { $0.name == "href" && $0.value.hasPrefix("#replies?") }.map(
      \.value)
    #expect(links.count == 4 * count)
    for link in links {
      let query = link.replacingOccurrences(of: "&amp;", with: "&").dropFirst("#replies?".count)
      let fields = query.split(separator: "&").map { $0.split(separator: "=", maxSplits: 1).map(String.init) }
      for field in fields where ["before", "after"].contains(field.first) {
        let name = try #require(field.last?.removingPercentEncoding)
        #expect(names.contains(name), "\(name)")
      }
    }
    #expect(checker.faults == [])
    let ids = checker.attributes.filter { $0.name == "id" }.map(\.value)
    #expect(Set(ids).count == ids.count && ids.contains("replies"))
  }
}
