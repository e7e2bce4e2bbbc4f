import Foundation
import SelfCDTesting
import Testing

@testable import SelfCDExplain
@testable import SelfCDReport
@testable import SelfCDStatistics

@Suite struct StudyPageTests {
  @Test func snapshot() throws {
    let page = StudyHTML.render(
      StudyFixture.page(try StudyFixture.attribution(), try StudyFixture.perturbations()))
    PageRules.check(page)
    let difference = try Snapshot().difference(of: page, named: "study.html")
    #expect(difference == nil, "\(difference ?? "")")
  }

  /// Both axes stand in every part that has them, with their intervals.
  @Test func bothAxesAreThere() throws {
    let page = StudyHTML.render(StudyFixture.page(nil, try StudyFixture.perturbations()))
    PageRules.check(page)
    #expect(page.contains("Harmless prompts refused") && page.contains("Harmful prompts refused"))
    #expect(page.contains("harmless prompts at most") && page.contains("harmful prompts at most"))
    let words = StudyHTML.render(StudyFixture.page(try StudyFixture.attribution(), nil))
    PageRules.check(words)
    #expect(words.contains("62.0%") && words.contains("task and object"))
    #expect(words.contains("363") && words.contains("+9.0"))
  }

  /// A figure of one prompt is shown without an interval, and why is said once.
  @Test func oneUnitHasNoInterval() throws {
    var result = try StudyFixture.attribution()
    let reason = "has no interval"
    #expect(!StudyHTML.render(StudyFixture.page(result, nil)).contains(reason))
    result.groups[0].n = 1
    result.groups[0].share.low = nil
    result.groups[0].share.high = nil
    result.contrasts[0].share = try BootstrapMean(of: [0.09], seed: 1)
    let page = StudyHTML.render(StudyFixture.page(result, nil))
    PageRules.check(page)
    #expect(page.components(separatedBy: reason).count == 2)
    #expect(page.contains("<small> –</small>") && page.contains("(+9.0 points)"))
  }

  @Test func groupsAreNamed() throws {
    var page = StudyFixture.page(try StudyFixture.attribution(), try StudyFixture.perturbations())
    page.group = "template<b>"
    let html = StudyHTML.render(page)
    PageRules.check(html)
    #expect(html.contains("bootstrap intervals over groups of “template&lt;b&gt;”"))
    #expect(html.contains("sign-flip test") && !html.contains("McNemar") && !html.contains("Wilson"))
  }

  /// † is explained where something carries it, and nowhere else.
  @Test func marksAreExplainedWhereTheyStand() throws {
    var result = try StudyFixture.perturbations()
    #expect(StudyHTML.render(StudyFixture.page(nil, result)).contains("†"))
    let kept = result.perturbations.filter(\.keepsMeaning)
    result.perturbations = kept
    result.rows.removeAll { row in row.perturbation.map { id in !kept.contains { $0.id == id } } ?? false }
    #expect(!StudyHTML.render(StudyFixture.page(nil, result)).contains("†"))
  }

  @Test func emptyAggregatesSaySo() throws {
    let nothing = AttributionStudy.Result(
      groups: [], contrasts: [], agreements: [], recalls: [], withoutFocus: 40, failures: 0)
    let page = StudyHTML.render(StudyFixture.page(nothing, nil))
    PageRules.check(page)
    #expect(page.contains("nothing to compare"))
    let silent = PerturbationStudy.Result(
      listVersion: "1", perturbations: [], judge: "j", rows: [], failures: 3)
    let other = StudyHTML.render(StudyFixture.page(nil, silent))
    PageRules.check(other)
    #expect(other.contains("nothing can be compared"))
    PageRules.check(StudyHTML.render(StudyFixture.page(nil, nil)))
  }

  @Test func foldersAreNobodysBusiness() throws {
    #expect(
      !StudyHTML.render(StudyFixture.page(try StudyFixture.attribution(), nil)).contains("somewhere/private"))
  }
}
