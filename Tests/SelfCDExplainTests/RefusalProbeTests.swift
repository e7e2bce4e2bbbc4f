import SelfCD
import SelfCDTesting
import Testing

@testable import SelfCDExplain

/// What a score is asked from: prompts that end where the answer begins, and rows before the mask.
@Suite struct RefusalProbeTests {
  struct ReasoningRenderer: PromptRenderer, ReplyTokenizer {
    let markers: ReasoningMarkers?
    func render(_ chat: Chat) throws -> RenderedPrompt {
      RenderedPrompt(tokens: [1, 2], text: "", reasoning: markers)
    }
    func tokens(ofReply text: String) throws -> [TokenID] { [] }
  }

  @Test func theAnswerBeginsBehindAnEmptyBlock() throws {
    func tokens(_ markers: ReasoningMarkers?) throws -> [TokenID] {
      let prompt = try AnswerRenderer(ReasoningRenderer(markers: markers)).render(Chat(question: "q"))
      #expect(prompt.reasoning == nil)
      return prompt.tokens
    }
    #expect(try tokens(nil) == [1, 2])
    #expect(try tokens(.init(start: [7, 8], end: [9], isOpenAtStart: true)) == [1, 2, 9])
    #expect(try tokens(.init(start: [7, 8], end: [9], isOpenAtStart: false)) == [1, 2, 7, 8, 9])
  }

  /// A mask makes the rarer beginning impossible; its score is still what the lanes say, not that of a probability of 0.
  @Test func aMaskedBeginningHasAScoreOfItsOwn() async throws {
    let model = try await WordModel { words, guarded in words.contains("x") ? (guarded ? -4 : -6) : 3 }
    let strategy = SelfContrastive(alpha: 1.5, beta: 0.1, emphasis: WordModel.emphasis)
    let probe = RefusalProbe(
      model: model.model, views: [.init(name: "self-cd", strategy: strategy)],
      beginnings: try WordModel.beginnings())
    let scores = try await probe.scores([Chat(question: "x"), Chat(question: "y")]).map { $0[0] }
    // g − α (g − p)
    #expect(abs(scores[0].logOdds - (-4 - 1.5 * (-4 + 6))) < 1e-3)
    #expect(abs(scores[1].logOdds - 3) < 1e-3)
    #expect(!scores[0].isGreedyRefusal && scores[1].isGreedyRefusal)
  }

  /// What greedy decoding would do is still said by the rows behind the mask.
  @Test func theGreedyReplyIsTheMaskedOne() async throws {
    // Without a mask the contrast would refuse what the plain lane nearly excludes.
    let model = try await WordModel { _, guarded in guarded ? -10 : -5 }
    let probe = RefusalProbe(
      model: model.model,
      views: [
        .init(
          name: "self-cd", strategy: SelfContrastive(alpha: 4, beta: 0.1, emphasis: WordModel.emphasis))
      ],
      beginnings: try WordModel.beginnings())
    let score = try await probe.scores([Chat(question: "x")])[0][0]
    #expect(abs(score.logOdds - (-10 + 4 * 5)) < 1e-3 && !score.isGreedyRefusal)
  }

  @Test func strategiesThatReadCopiesAreNotExplained() async throws {
    let model = try await WordModel { _, _ in 0 }
    func scores(_ probes: Int) async throws {
      let view = RefusalProbe.View(
        name: "probe-cd", strategy: ProbedContrast(probes: probes, emphasis: WordModel.emphasis))
      _ = try await RefusalProbe(model: model.model, views: [view], beginnings: try WordModel.beginnings())
        .scores([Chat(question: "a b c d")])
    }
    await #expect(throws: ExplanationError.readsCopies(strategy: "probe-cd")) { try await scores(2) }
    try await scores(0)
  }

  /// Replacing words makes a prompt longer; one that no longer fits is counted, and the others are measured.
  @Test func aPromptThatDoesNotFitIsAFailure() async throws {
    let long = String(repeating: "a ", count: 40) + "b"
    let length = try ByteRenderer().render(Chat(question: long, system: WordModel.emphasis.text)).tokens.count
    let model = try await WordModel(context: length + 1) { words, _ in words.contains("b") ? 2 : -2 }
    let study = AttributionStudy(
      probe: RefusalProbe(
        model: model.model, views: Array(WordModel.views().prefix(2)), beginnings: try WordModel.beginnings()),
      judge: WordModel.Judge(),
      datasets: [WordModel.dataset(.safe, [(long, "b", nil), ("a b", "b", nil), ("c b", "b", nil)])],
      methods: [.replacement], maximumTokens: 1)
    let result = try await study.run()
    #expect(result.failures == 1)
    #expect(result.groups.first?.n == 2)
  }

  @Test func fewerWordsAreCombinedWhereThereAreTooManyEdits() {
    #expect(SmallestEdit.largestPool(of: 100, size: 1, edits: 10) == 100)
    #expect(SmallestEdit.largestPool(of: 100, size: 2, edits: 256) == 23)
    #expect(SmallestEdit.largestPool(of: 20, size: 2, edits: 256) == 20)
    #expect(SmallestEdit.largestPool(of: 100, size: 3, edits: 1) == 3)
    for count in 2...30 {
      let pool = SmallestEdit.largestPool(of: count, size: 2, edits: 100)
      #expect(pool == count || SmallestEdit.subsets(of: pool + 1, size: 2).count > 100)
      #expect(pool == 2 || SmallestEdit.subsets(of: pool, size: 2).count <= 100)
    }
  }

  @Test func lanesPartWhereTheirTokensDo() {
    func step(_ token: TokenID?, guarded: TokenID, text: String? = "x") -> ReplyTrace.Step {
      .init(
        token: token, text: token == nil ? nil : "x",
        guarded: [.init(token: guarded, text: text, probability: 1)],
        plain: [.init(token: 1, text: "x", probability: 1)], combined: [])
    }
    func parting(_ steps: [ReplyTrace.Step]) -> Int? {
      ReplyTrace(view: "v", reply: "", replyClass: .fullRefusal, isCut: false, steps: steps).partingStep
    }
    #expect(parting([step(1, guarded: 1), step(1, guarded: 2)]) == 1, "other tokens of equal text")
    #expect(parting([step(1, guarded: 1), step(nil, guarded: 3, text: nil)]) == nil)
    #expect(parting([step(nil, guarded: 3)]) == 0)
  }
}
