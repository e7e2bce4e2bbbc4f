import SelfCDData
import SelfCDTesting
import Testing

@Suite(.enabled(if: RealData.isPresent, Comment(rawValue: RealData.skipReason)))
struct RealDatasetTests {
  struct Published: Sendable, CustomTestStringConvertible {
    var path: String
    var format: String
    var safe = 0
    var harmful = 0
    var unlabelled = 0
    var testDescription: String { path }
  }

  @Test(arguments: [
    Published(path: "xstest/xstest_prompts.csv", format: "xstest", safe: 250, harmful: 200),
    Published(path: "xstest/human_labels_gpt4.csv", format: "xstest-replies", safe: 250, harmful: 200),
    Published(path: "xstest/human_labels_llama2orig.csv", format: "xstest-replies", safe: 250, harmful: 200),
    Published(
      path: "xstest/human_labels_mistralinstruct.csv", format: "xstest-replies", safe: 250, harmful: 200),
    Published(path: "advbench/harmful_behaviors.csv", format: "advbench", harmful: 520),
    Published(path: "harmbench/harmbench_val.csv", format: "harmbench", harmful: 80),
    Published(path: "malicious_instruct/malicious_instruct.txt", format: "list", unlabelled: 100),
    Published(path: "oktest/OKTest.csv", format: "prompt-column", unlabelled: 300),
  ]) func published(_ set: Published) throws {
    let dataset = try DatasetReader().read(path: RealData.path(set.path))
    #expect(dataset.format == set.format)
    #expect(dataset.skipped.isEmpty)
    #expect(dataset.samples(labelled: .safe).count == set.safe)
    #expect(dataset.samples(labelled: .harmful).count == set.harmful)
    #expect(dataset.samples(labelled: nil).count == set.unlabelled)
    #expect(dataset.samples(labelled: .neutral).isEmpty)
  }

  @Test func noPromptStandsInTwoOfThePublishedSets() throws {
    let paths = [
      "xstest/xstest_prompts.csv", "oktest/OKTest.csv", "advbench/harmful_behaviors.csv",
      "harmbench/harmbench_val.csv", "malicious_instruct/malicious_instruct.txt",
    ]
    let report = DuplicateReport(try paths.map { try DatasetReader().read(path: RealData.path($0)) })
    #expect(report.groups.isEmpty)
  }
}
