import Foundation
import SelfCD
import Testing

@testable import SelfCDExplain

/// Beginnings from a list, how good any beginnings are, and which of the two are taken.
@Suite struct GeneralBeginningsTests {
  typealias Reply = RefusalBeginnings.JudgedReply

  static func bytes(_ text: String) -> [TokenID] { text.utf8.map { TokenID($0) } }

  static func general(_ openings: [String]) throws -> RefusalBeginnings {
    try RefusalBeginnings(general: openings, tokens: bytes)
  }

  @Test func openingsThatBeginAlikeCountOnce() throws {
    let general = try Self.general(["ab", "a", "cd", "cd", "ca"])
    #expect(general.origin == .general && general.beginnings.map(\.text) == ["a", "cd", "ca"])
    #expect(general.beginnings.allSatisfy { $0.share == 1 } && general.replies == 0 && general.quality == nil)
    // The root, and behind c.
    #expect(general.tree.nodes.count == 2)
    #expect(throws: ExplanationError.noRefusals(replies: 0)) { try Self.general(["", ""]) }
    #expect(try Self.general(["abcdefghij"]).beginnings[0].tokens.count == RefusalBeginnings.Limits().depth)
  }

  @Test func theListHasNoOpeningTwice() throws {
    let openings = RefusalOpenings.english
    #expect(try Self.general(openings).beginnings.count <= openings.count)
    for (index, opening) in openings.enumerated() {
      for (other, longer) in openings.enumerated() where index != other {
        #expect(!longer.hasPrefix(opening), "\(longer) begins as \(opening)")
      }
    }
    #expect(openings.contains("I can’t") && openings.contains("I can't"))
  }

  /// p(a) + p(c) · p(d | c), and everything else is an answer.
  @Test func theProbabilityIsOfAllReplies() throws {
    let general = try Self.general(["a", "cd"])
    var rows = [[Float]](repeating: [Float](repeating: -.infinity, count: 128), count: 2)
    let probabilities: [(Int, String, Float)] = [
      (0, "a", 0.1), (0, "c", 0.4), (0, "z", 0.5), (1, "d", 0.25), (1, "e", 0.75),
    ]
    for (row, token, probability) in probabilities {
      rows[row][Int(Self.bytes(token)[0])] = log(probability)
    }
    let score = general.score(rows)
    #expect(abs(score.probability - 0.2) < 1e-6)
    // The likeliest first token, z, begins no refusal.
    #expect(!score.isGreedyRefusal)
    #expect(abs((general.probability(rows, after: Self.bytes("c")) ?? -1) - 0.25) < 1e-6)
    #expect(general.probability(rows, after: Self.bytes("cd")) == 1)
    #expect(general.probability(rows, after: Self.bytes("z")) == 0)
    rows[0][Int(Self.bytes("a")[0])] = 0
    #expect(general.score(rows).isGreedyRefusal)
  }

  private static func replies(_ kinds: [(text: String, isRefusal: Bool, count: Int)], prompts: Int = 10)
    -> [Reply]
  {
    kinds.flatMap { kind in
      (0..<kind.count).map {
        Reply(tokens: bytes(kind.text), isRefusal: kind.isRefusal, prompt: "\($0 % prompts)")
      }
    }
  }

  @Test func qualityCountsWhatIsFound() throws {
    let general = try Self.general(["no"])
    let replies = Self.replies([
      ("no", true, 3), ("never", true, 1), ("yes", false, 4), ("now", false, 0), ("nov", false, 1),
    ])
    let quality = BeginningsQuality(of: general, on: replies)
    #expect(
      quality.refusals == 4 && quality.refusalsFound == 3 && quality.answers == 5 && quality.answersFound == 4
    )
    #expect(abs(quality.balancedAccuracy - (0.75 + 0.8) / 2) < 1e-12)
    #expect(BeginningsQuality(of: general, on: []).balancedAccuracy == 0)
  }

  /// What a model says to one prompt only is not found when that prompt is left out.
  @Test func crossValidationIsByPrompt() {
    var replies = Self.replies([("no", true, 20), ("yes", false, 20)])
    var quality = BeginningsQuality(learningFrom: replies, limits: .init())
    #expect(quality.refusalsFound == 20 && quality.refusals == 20 && quality.answersFound == 20)
    replies += (0..<6).map { _ in Reply(tokens: Self.bytes("odd"), isRefusal: true, prompt: "another") }
    quality = BeginningsQuality(learningFrom: replies, limits: .init())
    #expect(quality.refusals == 26 && quality.refusalsFound == 20 && quality.answersFound == 20)
    #expect(quality.refusalsUnknown == 6 && quality.answersUnknown == 0)
    // Of what is known all is right, but not everything is known.
    #expect(quality.balancedAccuracy == 1 && abs(quality.recognized - 20.0 / 26) < 1e-12)
  }

  private static func best(_ general: [String], _ replies: [Reply]) throws -> RefusalBeginnings {
    .best(
      general: try Self.general(general), orLearningFrom: replies, judge: "j@1", source: "s",
      text: { String(decoding: $0.map { UInt8($0) }, as: UTF8.self) })
  }

  @Test func theListServesUntilEnoughIsKnown() throws {
    let few = Self.replies([("no", true, 9), ("yes", false, 50)])
    let list = try Self.best(["never"], few)
    #expect(list.origin == .general && list.replies == 59 && list.refused == 9 && list.judge == "j@1")
    #expect(list.quality?.refusalsFound == 0 && list.quality?.answersFound == 50)
    #expect(try Self.best(["never"], []).quality == nil)
    // One more refusal, and what was learned is better than a list that finds none.
    let enough = Self.replies([("no", true, 10), ("yes", false, 50)])
    let learned = try Self.best(["never"], enough)
    #expect(learned.origin == .learned && learned.quality?.refusalsFound == 10 && learned.source == "s")
  }

  /// Refusals that begin anew for each prompt cannot be learned; a list that has them is better.
  @Test func theListServesWhereItIsBetter() throws {
    let replies =
      (0..<20).map { Reply(tokens: Self.bytes("n\($0)"), isRefusal: true, prompt: "\($0)") }
      + (0..<20).map { Reply(tokens: Self.bytes("y\($0)"), isRefusal: false, prompt: "\($0)") }
    // Told apart by their first letter: as good as the list, so what was learned is taken.
    #expect(try Self.best(["n"], replies).origin == .learned)
    // Each with a first token of its own: nothing is known of a prompt that was left out.
    let odd = (0..<40).map {
      Reply(tokens: [TokenID(40 + $0)], isRefusal: $0 < 20, prompt: "\($0)")
    }
    let best = try Self.best((0..<20).map { String(UnicodeScalar(UInt8(40 + $0))) }, odd)
    #expect(best.origin == .general && best.quality?.refusalsFound == 20)
  }
}
