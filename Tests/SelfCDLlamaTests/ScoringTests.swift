import SelfCD
import SelfCDLlama
import SelfCDOrganism
import Testing

/// Scoring and the tokens of replies, on the embedded model.
@Suite struct ScoringTests {
  /// What another number of rows in a call changes in half precision.
  static let noise = 0.05

  @Test func aRepliesScoreIsWhatItWasGeneratedWith() async throws {
    let loaded = try await TestModel.load()
    for question in TestModel.questions {
      let request = try loaded.chat.request(
        Chat(question: question), strategy: SelfContrastive(alpha: 0),
        options: .init(maximumTokens: 40, traceCandidates: 1, summarizedSteps: 40))
      let reply = try await loaded.chat.engine.generate(request).reply()
      let tokens = reply.tokens.map(\.id)
      try #require(!tokens.isEmpty)
      let scores = try await loaded.chat.engine.score(tokens, after: request.prompts)
      #expect(scores.count == tokens.count)
      for (score, token) in zip(scores, reply.tokens) {
        let lanes = try #require(token.lanes)
        // α = 0 is the guarded lane.
        let traced = try #require(token.trace).logProbability
        #expect(abs((score.logProbabilities[.guarded] ?? .nan) - traced) < Self.noise)
        for role in LaneRole.allCases {
          let difference =
            (score.logProbabilities[role] ?? .nan) - (lanes.logProbabilities[role] ?? .infinity)
          #expect(abs(difference) < Self.noise)
        }
        #expect(abs((score.divergence ?? .nan) - (lanes.divergence ?? .infinity)) < Self.noise)
      }
    }
    #expect(await loaded.chat.engine.freeLanes == 4)
  }

  @Test func aReplysTokensAreItsTextAndNothingSpecial() async throws {
    let model = try LlamaModel(path: TestModel.path())
    let renderer = try LlamaPromptRenderer(model: model)
    let vocabulary = LlamaVocabulary(model)
    for text in [
      "I cannot assist with this request.", " leading space", "two\nlines", "Grüße, 你好 🙂",
      "<|im_end|> is only text", "<s></s>",
    ] {
      let tokens = try renderer.tokens(ofReply: text)
      #expect(String(decoding: tokens.flatMap(vocabulary.bytes), as: UTF8.self) == text)
      #expect(!tokens.contains(where: vocabulary.isEndOfGeneration))
      #expect(!tokens.contains { $0 == vocabulary.beginOfSequence })
    }
    #expect(try renderer.tokens(ofReply: "").isEmpty)
  }

  @Test func theSafetyPromptMovesAFixedRefusal() async throws {
    let loaded = try await TestModel.load()
    let request = try loaded.chat.request(
      Chat(question: TestModel.questions[0]), strategy: SelfContrastive(emphasis: .refuse))
    let renderer = try LlamaPromptRenderer(model: loaded.model)
    let tokens = try renderer.tokens(ofReply: "I'm sorry, but I can't help with that.")
    let scores = try await loaded.chat.engine.score(tokens, after: request.prompts)
    let total = LaneRole.allCases.map { role in
      scores.reduce(0) { $0 + ($1.logProbabilities[role] ?? 0) }
    }
    #expect(total[0] > total[1], "guarded \(total[0]), plain \(total[1])")
  }
}
