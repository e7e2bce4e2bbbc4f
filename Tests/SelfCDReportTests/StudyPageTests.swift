import SelfCDTesting
import Testing

@testable import SelfCDExplain
@testable import SelfCDReport

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
