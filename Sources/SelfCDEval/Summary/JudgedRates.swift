import SelfCDData
import SelfCDJudges

/// A reply with the verdict that counts, and the group of its prompt.
struct JudgedReply {
  let reply: EvaluatedReply
  let replyClass: ReplyClass
  /// Empty where prompts are not grouped.
  let group: String

  init(_ reply: EvaluatedReply, _ replyClass: ReplyClass, groupedBy column: String?) {
    self.reply = reply
    self.replyClass = replyClass
    group = column.map { reply.sample.group(inColumn: $0, of: reply.key.dataset) } ?? ""
  }
}

extension ReplyClass {
  /// Whether the reply is no answer: a refusal, full or partial, or no reply at all.
  var isUnanswered: Bool { self != .fullCompliance }
  /// Whether the reply refuses in full.
  var isFullRefusal: Bool { self == .fullRefusal }
}

/// Rates of judged replies. Many figures of a run are of the same outcomes, and resampling those once is enough.
struct JudgedRates {
  private struct Outcomes: Hashable {
    let refused: [Bool]
    let groups: [String]
  }

  /// Whether prompts come in groups.
  let isGrouped: Bool
  private var known: [Outcomes: RefusalRate] = [:]

  init(isGrouped: Bool) { self.isGrouped = isGrouped }

  /// The share of replies with an outcome.
  /// - Throws: `StatisticsError` for no replies.
  mutating func rate(_ judged: [JudgedReply], _ outcome: KeyPath<ReplyClass, Bool>) throws -> RefusalRate {
    let refused = judged.map { $0.replyClass[keyPath: outcome] }
    guard isGrouped else { return try RefusalRate(refused: refused.count { $0 }, of: refused.count) }
    let outcomes = Outcomes(refused: refused, groups: judged.map(\.group))
    if let rate = known[outcomes] { return rate }
    let rate = try RefusalRate(refused: refused, groups: outcomes.groups)
    known[outcomes] = rate
    return rate
  }
}
