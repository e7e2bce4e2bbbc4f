import Foundation
import Testing

@testable import SelfCD

/// Which examples are shown and where, and the similarity they are chosen by.
@Suite struct InContextTests {
  static let pool: [InContext.Example] = [
    .init(question: "red apple", answer: "1"), .init(question: "green pear", answer: "2"),
    .init(question: "a red red apple pie", answer: "3"), .init(question: "blue sky", answer: "4"),
  ]

  @Test func theMostSimilarOneComesLastAndTheQuestionItselfNever() throws {
    let chat = Chat(
      messages: [.system("own"), .user("before"), .assistant("said"), .user("red apple")])
    let lanes = InContext(pool: Self.pool, count: 2).lanes(for: chat)
    #expect(lanes.map(\.role) == [.plain])
    let messages = lanes[0].chat.messages
    #expect(messages.first == .system("own") && Array(messages.suffix(3)) == Array(chat.messages.suffix(3)))
    #expect(
      Array(messages[1..<5])
        == [.user("green pear"), .assistant("2"), .user("a red red apple pie"), .assistant("3")])
  }

  @Test func withoutASystemPromptExamplesComeFirst() {
    let chat = InContext(pool: Self.pool, count: 1).lanes(for: Chat(question: "sky"))[0].chat
    #expect(chat.messages == [.user("blue sky"), .assistant("4"), .user("sky")])
  }

  @Test func theEmphasisStandsBeforeTheExamples() {
    let chat = InContext(pool: Self.pool, count: 9, emphasis: .brief).lanes(for: Chat(question: "sky"))[0]
      .chat
    #expect(chat.messages.first == .system(SafetyEmphasis.brief.text))
    #expect(chat.messages.count == 2 + 2 * Self.pool.count)
  }

  /// By scikit-learn's formula, by hand: idf = ln((1 + N) / (1 + n)) + 1, tf the count, rows of length one.
  @Test func similarityIsScikitLearns() {
    let similarity = TermSimilarity(["a b", "a a c", "d"])
    let (a, other, unknown) = (log(4.0 / 3) + 1, log(4.0 / 2) + 1, log(4.0) + 1)
    func unit(_ values: [Double]) -> [Double] {
      let norm = values.reduce(0) { $0 + $1 * $1 }.squareRoot()
      return values.map { $0 / norm }
    }
    // Over the terms a, b, c, d, e.
    let texts = [[a, other, 0, 0, 0], [2 * a, 0, other, 0, 0], [0, 0, 0, other, 0]].map(unit)
    let query = unit([a, 0, 2 * other, 0, unknown])
    let expected = texts.map { zip($0, query).reduce(0) { $0 + $1.0 * $1.1 } }
    let found = similarity.scores(of: "E c, A! c")
    #expect(zip(found, expected).allSatisfy { abs($0 - $1) < 1e-12 })
    #expect(similarity.nearest(to: "E c, A! c", count: 2) == [1, 0])
    #expect(similarity.nearest(to: "x", count: 2) == [0, 1], "of equal ones the earlier")
  }
}
