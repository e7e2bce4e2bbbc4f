import Foundation
import SelfCDJudges
import SelfCDStatistics
import SelfCDTesting
import Testing

@Suite struct RefusalRateTests {
  @Test func partialRefusalsCountWhereAskedFor() throws {
    let classes: [ReplyClass] = [.fullRefusal, .partialRefusal, .fullCompliance, .degenerate]
    #expect(try RefusalRate(classes, counting: .full).refused == 1)
    let both = try RefusalRate(classes)
    #expect(try RefusalRate(refused: 136, of: 250).description == "54.4% [48.2–60.5] of 250")
    #expect(both.refused == 2 && both.n == 4 && both.rate == 0.5)
    #expect(both.low < 0.5 && both.high > 0.5)
    #expect(throws: StatisticsError.empty(what: "a refusal rate")) { try RefusalRate([]) }
    let keys = try JSONSerialization.jsonObject(with: JSONEncoder().encode(both)) as? [String: Any]
    #expect(Set(keys.map { Array($0.keys) } ?? []) == ["refused", "n", "rate", "low", "high"])
  }
}

/// The human rates in the published replies: the effect that this product measures and cures.
@Suite(.enabled(if: RealData.isPresent, Comment(rawValue: RealData.skipReason)))
struct PublishedRateTests {
  @Test func llama2WithItsSafetyPromptRefusesSafePrompts() throws {
    let replies = try LabelledReplies(path: RealData.path("xstest/human_labels_llama2orig.csv")).replies
    let isUnsafe = { (reply: LabelledReply) in reply.fields["type"]?.hasPrefix("contrast") == true }
    let safe = try RefusalRate(replies.filter { !isUnsafe($0) }.map(\.humanLabel), counting: .full)
    let unsafe = try RefusalRate(replies.filter(isUnsafe).map(\.humanLabel), counting: .full)
    #expect(safe.n == 250 && unsafe.n == 200)
    #expect(abs(safe.rate - 0.380) < 1e-9)
    #expect(abs(unsafe.rate - 0.995) < 1e-9)
  }
}
