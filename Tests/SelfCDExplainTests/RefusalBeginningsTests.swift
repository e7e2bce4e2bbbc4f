import Foundation
import SelfCD
import Testing

@testable import SelfCDExplain

@Suite struct RefusalBeginningsTests {
  static func learn(
    _ replies: [([TokenID], Bool)], _ limits: RefusalBeginnings.Limits = .init()
  ) throws -> RefusalBeginnings {
    try RefusalBeginnings(
      learningFrom: replies.map { .init(tokens: $0.0, isRefusal: $0.1) }, limits: limits, judge: "j",
      source: "s",
      text: { $0.map(String.init).joined(separator: " ") })
  }

  @Test func beginningsAreAsShortAsTheyCanBe() throws {
    let learned = try Self.learn([
      ([1, 2, 3], true), ([1, 2, 4], true), ([1, 5, 6], false), ([7, 8], false), ([9, 1], true),
    ])
    #expect(learned.beginnings.map(\.tokens) == [[1, 2], [9], [1, 5], [7]])
    #expect(learned.beginnings.map(\.refused) == [2, 1, 0, 0] && learned.beginnings[0].text == "1 2")
    #expect(learned.replies == 5 && learned.refused == 3)
    // The root, and behind 1: nothing else has to be asked.
    #expect(learned.tree.nodes.count == 2)
  }

  @Test func whatCannotBeToldApartCountsByItsShare() throws {
    let learned = try Self.learn(
      [([1, 1], true), ([1, 1], false), ([1, 1], false), ([2], false)], .init(depth: 2))
    #expect(learned.beginnings.map(\.tokens) == [[1, 1], [2]] && learned.beginnings[0].share == 1.0 / 3)
    let p = try #require(learned.probability { node, _ in log(node == 0 ? 0.5 : 0.8) })
    let (refused, answered) = (0.5 * 0.8 / 3, 0.5 * 0.8 * 2 / 3 + 0.5)
    #expect(abs(p - refused / (refused + answered)) < 1e-12)
  }

  @Test func limitsHold() throws {
    let replies = (0..<64).map { number in ((0..<6).map { TokenID(number >> $0 & 1) }, number % 3 == 0) }
    for positions in [1, 3, 10] {
      for depth in [1, 2, 6] {
        let learned = try Self.learn(replies, .init(depth: depth, positions: positions, impurity: 0))
        #expect(learned.tree.nodes.count <= positions)
        #expect(learned.beginnings.allSatisfy { $0.tokens.count <= depth })
        #expect(learned.beginnings.reduce(0) { $0 + $1.refused } == learned.refused)
      }
    }
  }

  @Test func theGreedyReplyMayDoWhatFewDrawnOnesDo() throws {
    let learned = try Self.learn([([1, 2], true), ([1, 3], false), ([4], false)])
    // p(1) = 0.5, p(4) = 0.5 less a little; behind 1 the refusal leads.
    let rows = [[-9, 0.01, -9, -9, 0], [-9, -9, 0.01, 0, -9]] as [[Float]]
    let score = learned.score(rows)
    #expect(score.isGreedyRefusal && !score.isLikelyRefusal && abs(score.probability - 0.25) < 0.01)
    #expect(!learned.score([[-9, 0, -9, -9, 0.01], rows[1]]).isGreedyRefusal)
    // Out of what was learned.
    #expect(!learned.score([[0.02, 0.01, -9, -9, 0], rows[1]]).isGreedyRefusal)
  }

  @Test func whatWasHardlyEverSeenIsLeftOut() throws {
    let frequent = (0..<100).map { ([TokenID($0 % 2)], $0 % 2 == 0) }
    let learned = try Self.learn(frequent + [([7], true), ([8], false)], .init(support: 0.015))
    #expect(learned.beginnings.map(\.tokens) == [[0], [1]])
    // Its probability plays no part.
    let p = learned.probability { _, token in log(token == 0 ? 0.06 : token == 1 ? 0.02 : 0.5) }
    #expect(abs((p ?? 0) - 0.75) < 1e-12)
  }

  @Test func theOrderOfRepliesChangesNothing() throws {
    var generator = SplitMix64(seed: 3)
    let replies = (0..<80).map { _ in
      ((0..<4).map { _ in TokenID(generator.next() % 3) }, generator.next() % 3 == 0)
    }
    let learned = try Self.learn(replies)
    #expect(try Self.learn(replies.reversed()) == learned)
    let data = try JSONEncoder().encode(learned)
    #expect(try JSONDecoder().decode(RefusalBeginnings.self, from: data) == learned)
  }

  @Test func oneKindAloneTeachesNothing() {
    #expect(throws: ExplanationError.noRefusals(replies: 1)) { try Self.learn([([1], false)]) }
    #expect(throws: ExplanationError.onlyRefusals(replies: 1)) { try Self.learn([([1], true)]) }
    #expect(throws: ExplanationError.noRefusals(replies: 0)) { try Self.learn([]) }
  }

  @Test func tokensAlreadyThereConditionTheScore() throws {
    let learned = try Self.learn([([1, 2], true), ([1, 3], false), ([4], true), ([5], false)])
    // p(1) = 0.25, p(4) = 0.25, p(2 | 1) = 0.75 of what is left
    var root = [Float](repeating: -.infinity, count: 6)
    for token in [0, 1, 4, 5] { root[token] = 0 }
    var one = [Float](repeating: -.infinity, count: 6)
    one[2] = Float(log(3.0))
    one[3] = 0
    let rows = [root, one]
    #expect(abs(learned.score(rows).probability - 0.4375 / 0.75) < 1e-6)
    #expect(abs((learned.probability(rows, after: [1]) ?? 0) - 0.75) < 1e-6)
    #expect(learned.probability(rows, after: [1, 2]) == 1)
    #expect(learned.probability(rows, after: [4, 0]) == 1)
    #expect(learned.probability(rows, after: [5]) == 0)
    #expect(learned.probability(rows, after: [0]) == nil)
  }
}
