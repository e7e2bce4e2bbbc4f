import Foundation
import SelfCD
import SelfCDData
import SelfCDTesting
import Synchronization
import Testing

@testable import SelfCDExplain

/// Learning that can stop after any prompt and go on from there.
@Suite struct BeginningsLearnerTests {
  static func learner(prompts: Int = 12) -> BeginningsLearner {
    func set(_ label: Sample.Label, _ word: String) -> Dataset {
      WordModel.dataset(label, (0..<prompts).map { ("\(word) number \($0)", word, nil) })
    }
    var learner = BeginningsLearner(
      datasets: [set(.safe, "help"), set(.harmful, "kill")], views: WordModel.views(),
      judge: WordModel.Judge(),
      maximumTokens: 4)
    learner.repetitions = 1
    return learner
  }

  /// Refuses what has "kill" in it.
  static func model() async throws -> WordModel {
    try await WordModel { words, _ in words.contains("kill") ? 9 : -9 }
  }

  /// Written by hand after the encoder of commit 064c1d3, the first whose cache holds replies.
  @Test func anOldCachesRepliesAreRead() throws {
    let text = """
      [{"key": {"condition": "guarded", "dataset": "d", "repetition": 0, "sample": "1"},
        "reply": {"isRefusal": true, "prompt": "d 1", "tokens": [40, 2711]}}]
      """
    let replies = try JSONDecoder().decode([LearnedReply].self, from: Data(text.utf8))
    #expect(replies.map(\.key.condition) == ["guarded"] && replies.map(\.key.sample) == ["1"])
    #expect(replies.map(\.reply.tokens) == [[40, 2711]] && replies.map(\.reply.isRefusal) == [true])
  }

  @Test func everyReplyOfThePlanIsLearnedOnce() async throws {
    let learner = Self.learner()
    let model = try await Self.model()
    let reports = Mutex<[BeginningsLearner.Progress]>([])
    var kept: [LearnedReply] = []
    let replies = try await learner.learn(
      model.model, keep: { kept += $0 }, progress: { report in reports.withLock { $0.append(report) } })
    #expect(replies.count == learner.plan.planned && learner.plan.planned == 2 * 12 * 4)
    #expect(Set(replies.map(\.key)).count == replies.count && kept == replies)
    #expect(replies.count(where: \.reply.isRefusal) >= 12 * 3)
    let seen = reports.withLock(\.self)
    #expect(seen.first?.done == 0 && seen.last?.done == replies.count)
    #expect(seen.allSatisfy { $0.planned == replies.count && $0.generated == $0.done })
  }

  /// What is known is not asked again, and what comes of it is the same as in one go.
  @Test func learningGoesOnWhereItStopped() async throws {
    let learner = Self.learner()
    let model = try await Self.model()
    let whole = try await learner.learn(model.model)
    let part = Array(whole.prefix(20))
    let fresh = try await Self.model()
    var new: [LearnedReply] = []
    let continued = try await learner.learn(fresh.model, known: part, keep: { new += $0 })
    #expect(Set(continued) == Set(whole) && new.count == whole.count - 20)
    #expect(Set(new.map(\.key)).isDisjoint(with: part.map(\.key)))
    // Replies to prompts that are not asked any more are left out, and nothing is generated.
    let smaller = Self.learner(prompts: 5)
    let untouched = try await Self.model()
    let known = try await smaller.learn(untouched.model, known: whole)
    #expect(known.count == smaller.plan.planned)
    #expect(await untouched.model.engine.computedTokens == 0)
  }

  @Test func withoutTimeNothingIsLearned() async throws {
    let model = try await Self.model()
    #expect(try await Self.learner().learn(model.model, within: .zero).isEmpty)
    #expect(await model.model.engine.computedTokens == 0)
  }

  /// However short the time, a prompt that was begun is answered, and every further time adds more.
  @Test func aLittleTimeTeachesALittle() async throws {
    let learner = Self.learner()
    let model = try await Self.model()
    var known: [LearnedReply] = []
    var rounds = 0
    while known.count < learner.plan.planned, rounds < 100 {
      let more = try await learner.learn(model.model, known: known, within: .milliseconds(200))
      known = more
      rounds += 1
    }
    #expect(known.count == learner.plan.planned && Set(known.map(\.key)).count == known.count)
  }

  /// After few prompts both kinds have been asked, from all over the sets.
  @Test func kindsTakeTurns() {
    let order = Self.learner().ordered
    #expect(order.prefix(4).map(\.dataset) == ["safe", "harmful", "safe", "harmful"])
    #expect(Set(order.map { "\($0.dataset) \($0.sample.id)" }).count == 24)
    #expect(BeginningsLearner.spread(1) == [0] && BeginningsLearner.spread(0) == [])
    for count in 2...60 {
      let places = BeginningsLearner.spread(count)
      #expect(places.sorted() == Array(0..<count))
      if count >= 8 { #expect(places.prefix(4).max() ?? 0 >= count / 2) }
    }
  }

  /// Scores of whoever has just learned are those of whoever has read what was learned: the engine makes the same calls.
  @Test func learningLeavesNothingBehind() async throws {
    let learner = Self.learner()
    func calls(_ model: WordModel) async throws -> [[Int]] {
      let before = model.journal.calls.count
      let probe = RefusalProbe(
        model: model.model, views: WordModel.views(), beginnings: try WordModel.beginnings())
      _ = try await probe.scores(["help number 3", "kill number 1 now"].map { Chat(question: $0) })
      return Array(model.journal.calls.dropFirst(before))
    }
    let expected = try await calls(try await Self.model())
    let model = try await Self.model()
    _ = try await learner.learn(model.model)
    #expect(try await calls(model) == expected)
    // When time was up in the middle, too.
    let hurried = try await Self.model()
    _ = try await learner.learn(hurried.model, within: .milliseconds(5))
    #expect(try await calls(hurried) == expected)
  }

  /// What another program has added to the same replies belongs to what is known.
  @Test func everyReplyOfThePlanCountsOnce() async throws {
    let learner = Self.learner()
    let replies = try await learner.learn(try await Self.model().model)
    #expect(learner.planned(among: replies + replies.reversed()) == replies)
    #expect(Self.learner(prompts: 5).planned(among: replies).count == 2 * 5 * 4)
  }

  @Test func whatIsLearnedReplacesTheList() async throws {
    let learner = Self.learner()
    let model = try await Self.model()
    let vocabulary = ByteVocabulary()
    let list = try RefusalBeginnings(general: ["Sorry"]) { $0.utf8.map { TokenID($0) } }
    #expect(learner.beginnings(from: [], or: list, vocabulary: vocabulary) == list)
    let replies = try await learner.learn(model.model)
    let learned = learner.beginnings(from: replies, or: list, vocabulary: vocabulary)
    #expect(learned.origin == .learned && learned.beginnings.map(\.text).first == "Ic")
    #expect(learned.judge == "word-model@1" && learned.source.hasPrefix("96 replies to 24 prompts, guarded"))
    #expect(learned.quality?.balancedAccuracy == 1)
    let some = learner.beginnings(from: Array(replies.prefix(8)), or: list, vocabulary: vocabulary)
    #expect(some.origin == .general && some.replies == 8)
    // In whatever order replies came, and however often.
    #expect(learner.beginnings(from: replies.reversed(), or: list, vocabulary: vocabulary) == learned)
    #expect(
      learner.beginnings(from: replies.reversed() + replies, or: list, vocabulary: vocabulary) == learned)
  }
}
