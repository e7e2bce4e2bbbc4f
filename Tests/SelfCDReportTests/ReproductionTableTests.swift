import SelfCDData
import SelfCDJudges
import SelfCDTesting
import Testing

@testable import SelfCDReport

@Suite struct ReproductionTableTests {
  private static func table(_ names: [String]) throws -> ReproductionTable {
    ReproductionTable(try Fixture.run(), modelNames: names)
  }

  private static func text(_ table: ReproductionTable) -> String {
    let blocks = [[Sample.Label.safe, .harmful], [.safe], [.harmful]].map { labels in
      table.lines(of: labels).map { $0.joined(separator: " | ") }.joined(separator: "\n")
    }
    return (blocks + [table.remarks.joined(separator: "\n")]).joined(separator: "\n\n") + "\n"
  }

  @Test func theLayoutIsThePapers() throws {
    for (model, file) in [
      ("Llama-2-7b-chat-hf", "reproduction-llama.txt"), ("another-7b", "reproduction-other.txt"),
    ] {
      let difference = try Snapshot().difference(of: Self.text(try Self.table([model])), named: file)
      #expect(difference == nil, "\(difference ?? "")")
    }
  }

  @Test(arguments: [
    ("llama-2-7b-chat.Q4_K_M.gguf", "Llama2-7B"), ("Meta Llama 2 13B Chat", "Llama2-13B"),
    ("Llama2-7b-chat", "Llama2-7B"), ("LLaMA_v2_7B_chat", "Llama2-7B"), ("vicuna-7b-v1.5", "Vicuna-7B"),
    ("lmsys.vicuna-13b", "Vicuna-13B"),
  ])
  func knownModelsAreFound(name: String, rerun: String) {
    #expect(PublishedModel.named(["model", name])?.rerun?.model == rerun)
  }

  @Test(arguments: [
    "Llama-2-7b", "CodeLlama-2-7b-chat", "Llama-3-8B-chat", "Llama-2-70b-chat", "Qwen3-0.6B", "vicuna-33b",
    "",
  ])
  func othersAreNot(name: String) {
    #expect(PublishedModel.named([name]) == nil)
  }

  @Test func everyRerunNamedIsThere() {
    for name in ["llama2-7b-chat", "llama2-13b-chat", "vicuna-7b", "vicuna-13b"] {
      #expect(PublishedModel.named([name])?.rerun != nil, "\(name)")
    }
    #expect(PublishedModel.named(["Qwen3-8B"])?.hasAdaCD == true)
  }

  /// Where conditions have other numbers of replies, each rate says of how many it is.
  @Test func everyRateHasItsNumber() throws {
    var run = try Fixture.run()
    let set = try #require(run.cells.first { $0.label == .safe })
    func lines() -> [[String]] { ReproductionTable(run, modelNames: []).lines(of: [.safe]) }
    #expect(lines()[0][1].hasSuffix(", n \(set.refusal.n)"), "\(lines()[0])")
    #expect(lines().dropFirst().allSatisfy { !$0[1].contains(" of ") })
    let index = try #require(run.cells.firstIndex(of: set))
    run.cells[index].refusal = try RefusalRate(refused: 1, of: 3)
    #expect(!lines()[0][1].contains(", n "))
    #expect(lines().contains { $0[1].hasSuffix(" of 3") }, "\(lines())")
  }

  @Test func bothAxesAreAlwaysThere() throws {
    var run = try Fixture.run()
    run.cells.removeAll { $0.label == .harmful }
    for index in run.pooled.indices { run.pooled[index].harmful = nil }
    let table = ReproductionTable(run, modelNames: [])
    #expect(table.columns.map(\.label).contains(.harmful))
    #expect(table.lines(of: [.harmful]).dropFirst().allSatisfy { $0.last == "–" })
  }
}
