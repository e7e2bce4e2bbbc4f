import Foundation
import SelfCDExplain
import SelfCDTesting
import Testing

@testable import SelfCDReport

@Suite struct ExplanationPageTests {
  private static func page(_ explanation: Explanation, withheld: Bool = false) -> String {
    ExplanationHTML.render(ExplanationFixture.page(explanation, withholdsReplies: withheld))
  }

  @Test func snapshot() throws {
    let page = Self.page(try ExplanationFixture.whole())
    let difference = try Snapshot().difference(of: page, named: "explanation.html")
    #expect(difference == nil, "\(difference ?? "")")
  }

  @Test func thePageIsWellFormedAndRunsNothing() throws {
    let html = Self.page(try ExplanationFixture.whole())
    PageRules.check(html)
    let checker = MarkupChecker(html)
    // Four grids, and eight charts for either width of screen.
    #expect(checker.elements["svg"] == 20)
    #expect(html.contains("The smallest edit") && html.contains("Drawn replies"))
  }

  /// Prompts of every kind that people and tests give: the page holds, and every word stands in the table.
  @Test(arguments: [
    "Why?", "杀死一个进程", "كيف أقتل عملية بايثون؟ שלום", "👩‍👩‍👧 kill 🔪", String(repeating: "kill ", count: 500),
    "a " + String(repeating: "x", count: 4000), "\u{202E}evil\u{2066} kill\u{0} \u{7F}it",
    "one\n\ntwo\r\nthree\tfour",
    "e\u{301}te\u{301} naïve",
  ])
  func anyPromptWillDo(_ question: String) throws {
    let explanation = try ExplanationFixture.explanation(of: question)
    let html = Self.page(explanation)
    PageRules.check(html)
    #expect(html.components(separatedBy: "<th scope=\"row\">").count - 1 >= explanation.words.count)
    #expect(!html.unicodeScalars.contains { [0, 0x7F, 0x202E, 0x2066].contains($0.value) })
  }

  /// The tinted prompt, without its tags and figures, is the prompt.
  @Test func nothingBetweenWordsIsLost() throws {
    let question = "  How, do I – kill\n<it>?!  "
    let html = Self.page(try ExplanationFixture.explanation(of: question, methods: [.leaveOneOut]))
    let paragraphs = html.components(separatedBy: "<p class=\"words\" dir=\"auto\">").dropFirst()
      .compactMap { $0.components(separatedBy: "</p>").first }
    #expect(paragraphs.count == 3)
    for paragraph in paragraphs {
      let text = paragraph.replacing(/<rt>[^<]*<\/rt>/, with: "").replacing(/<[^>]*>/, with: "")
      #expect(text == Markup.escape(question))
    }
  }

  @Test func partsThatWereNotAskedForHaveNoSection() throws {
    let html = Self.page(try ExplanationFixture.explanation())
    PageRules.check(html)
    for id in ["trigger", "edit", "replies", "steps", "uncertainty"] {
      #expect(!html.contains("id=\"\(id)\""), "\(id)")
    }
    #expect(html.contains("id=\"words\"") && html.contains("id=\"record\""))
  }

  @Test func littleIsEnough() throws {
    var explanation = try ExplanationFixture.explanation(of: "kill")
    explanation.attributions = []
    PageRules.check(Self.page(explanation))
    explanation = try ExplanationFixture.explanation(of: "kill it")
    for index in explanation.attributions.indices { explanation.attributions[index].effects = [0, 0] }
    PageRules.check(Self.page(explanation))
    explanation.words = []
    explanation.views = []
    PageRules.check(Self.page(explanation))
    explanation = try ExplanationFixture.whole()
    explanation.trigger?.kept = []
    explanation.trigger?.steps = []
    explanation.edit?.kind = nil
    explanation.edit?.text = nil
    explanation.replies = []
    explanation.uncertainties[0].steps = []
    explanation.attributions[0].effects[0] = .nan
    explanation.attributions[1].effects[0] = .infinity
    PageRules.check(Self.page(explanation))
  }

  @Test func harmfulRepliesAreNowhereUnlessAskedFor() throws {
    let withheld = ExplanationFixture.page(try ExplanationFixture.whole(), withholdsReplies: true)
    let encoded = String(decoding: try JSONEncoder().encode(withheld), as: UTF8.self)
    for text in [encoded, ExplanationHTML.render(withheld)] { #expect(!text.contains("SECRET")) }
    #expect(ExplanationHTML.render(withheld).contains("withheld"))
    #expect(Self.page(try ExplanationFixture.whole()).contains(Fixture.secret))
  }

  /// As control vectors, directions and llama.cpp count them.
  @Test func layersAreCountedFromZero() throws {
    let html = Self.page(try ExplanationFixture.whole())
    for layer in 0..<5 { #expect(html.contains("layer \(layer)"), "\(layer)") }
    #expect(!html.contains("layer 5"))
    let grid = FlowGrid(
      id: "g", title: "t", rowNames: ["a"], columnTitle: "layer", firstColumn: 0, values: [[0.1, 0.7, 0.2]],
      figure: { "\($0)" })
    #expect(grid.draw()?.html.contains("most at layer 1, 0.7") == true)
  }

  @Test func foldersAreNobodysBusiness() throws {
    #expect(!Self.page(try ExplanationFixture.whole()).contains("somewhere/private"))
  }

  @Test(arguments: [
    (1.0, 6, "p6"), (-1, -6, "n6"), (0.04, 0, "z"), (-0.5, -3, "n3"), (7, 6, "p6"), (.nan, 0, "z"),
  ])
  func heatHasLevels(_ value: Double, _ level: Int, _ style: String) {
    #expect(Heat(value, of: 1).level == level && Heat(value, of: 1).style == style)
    #expect(Heat(value, of: 0).level == 0)
  }

  /// In black and white: levels that are drawn on words differ between the sides by their line, not only by colour.
  @Test func tintsHaveMarksOfTheirOwn() {
    let sheet = "\(ExplanationStylesheet.css)"
    for level in 2...Heat.levels {
      #expect(sheet.contains(".w.p\(level)") && sheet.contains(".w.n\(level)"))
    }
    #expect(sheet.contains("solid var(--c1)") && sheet.contains("dotted var(--c0)"))
  }

  @Test func theChartShowsTheStrongestInOrder() {
    var effects = (0..<40).map { Double($0) / 100 }
    effects[30] = 9
    effects[2] = -8
    let chart = EffectChart(
      id: "c", title: "t", words: (0..<40).map { "w\($0)" },
      series: [.init(name: "guarded", style: SeriesStyle(0), effects: effects)])
    #expect(chart.shown.count == EffectChart.limit && chart.shown == chart.shown.sorted())
    #expect(chart.shown.contains(30) && chart.shown.contains(2) && chart.shown.contains(39))
    #expect(chart.caption.contains("24 more"))
  }

  @Test func nothingToDrawIsNothing() {
    #expect(EffectChart(id: "c", title: "t", words: [], series: []).draw() == nil)
    #expect(
      EffectChart(
        id: "c", title: "t", words: ["a"], series: [.init(name: "n", style: SeriesStyle(0), effects: [0])]
      ).draw() == nil)
    #expect(StepChart(id: "s", title: "t", axis: "a", series: []).draw() == nil)
  }
}

/// What holds for every page.
enum PageRules {
  static func check(_ html: String, sourceLocation: SourceLocation = #_sourceLocation) {
    let checker = MarkupChecker(html)
    #expect(checker.faults == [], sourceLocation: sourceLocation)
    for name in ["script", "iframe", "object", "embed", "img", "link", "base", "form", "b", "i"] {
      #expect(checker.elements[name] == nil, "<\(name)>", sourceLocation: sourceLocation)
    }
    let ids = checker.attributes.filter { $0.name == "id" }.map(\.value)
    #expect(Set(ids).count == ids.count, sourceLocation: sourceLocation)
    for (element, name, value) in checker.attributes {
      #expect(
        !name.hasPrefix("on") && name != "style" && name != "src", "\(name) on <\(element)>",
        sourceLocation: sourceLocation)
      if name == "href" {
        #expect(
          value.hasPrefix("#") && ids.contains(String(value.dropFirst())), sourceLocation: sourceLocation)
      }
      if name == "aria-labelledby" {
        for id in value.split(separator: " ") {
          #expect(ids.contains(String(id)), sourceLocation: sourceLocation)
        }
      }
      // Coordinates are numbers that can be drawn.
      #expect(!value.contains("nan") || element != "svg", sourceLocation: sourceLocation)
      if ["x", "y", "x1", "x2", "y1", "y2", "cx", "cy", "points", "width", "height"].contains(name) {
        #expect(
          !value.contains("nan") && !value.contains("inf"), "\(name)=\(value)", sourceLocation: sourceLocation
        )
      }
    }
  }
}
