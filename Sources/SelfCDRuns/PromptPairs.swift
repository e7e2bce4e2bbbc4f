import SelfCDData
import SelfCDEval

/// Replies of two conditions to the same prompts. A prompt is the same where its text is; where a text occurs several
/// times, its set and identifier say which one is meant.
struct PromptPairs {
  /// Both replies of each pair, under the prompt that the first side has, and under the names of the sides.
  private(set) var replies: [EvaluatedReply] = []
  private(set) var otherwiseLabelled = 0
  let onlyFirst: Int
  let onlySecond: Int

  private struct Identifier: Hashable {
    let dataset: String
    let sample: String
    let text: String

    init(_ reply: EvaluatedReply, text: String) {
      (dataset, sample, self.text) = (reply.key.dataset, reply.key.sample, text)
    }
  }

  init(_ first: [EvaluatedReply], _ second: [EvaluatedReply], names: (String, String)) {
    var open: [String: [Int]] = [:]
    var identified: [Identifier: Int] = [:]
    for (index, reply) in first.enumerated() {
      let text = Self.text(reply)
      open[text, default: []].append(index)
      identified[Identifier(reply, text: text)] = index
    }
    var partner: [Int: Int] = [:]
    func take(_ place: Int, for index: Int, _ text: String) {
      partner[index] = place
      open[text]?.removeAll { $0 == place }
    }
    for (index, reply) in second.enumerated() {
      let text = Self.text(reply)
      // Without a text, nothing says that two numbers, which may be those of lines, are the same prompt.
      if text.isEmpty, Int(reply.key.sample) != nil { continue }
      if let place = identified[Identifier(reply, text: text)] { take(place, for: index, text) }
    }
    for (index, reply) in second.enumerated() where partner[index] == nil {
      let text = Self.text(reply)
      if !text.isEmpty, let place = open[text]?.first { take(place, for: index, text) }
    }
    onlyFirst = first.count - partner.count
    onlySecond = second.count - partner.count
    for (index, place) in partner.sorted(by: { $0.value < $1.value }) {
      let (before, after) = (first[place], second[index])
      guard before.sample.label == after.sample.label else {
        otherwiseLabelled += 1
        continue
      }
      var sample = before.sample
      sample.category = sample.category ?? after.sample.category
      sample.fields.merge(after.sample.fields) { own, _ in own }
      replies.append(Self.named(names.0, before, before.key, sample))
      replies.append(Self.named(names.1, after, before.key, sample))
    }
  }

  private static func text(_ reply: EvaluatedReply) -> String {
    ImportedPrompts.text(
      of: reply.sample.turns.filter { $0.role != .system }, prompt: reply.sample.prompt)
  }

  private static func named(
    _ condition: String, _ reply: EvaluatedReply, _ key: ReplyKey, _ sample: Sample
  ) -> EvaluatedReply {
    var reply = reply
    reply.key = key
    reply.key.condition = condition
    reply.sample = sample
    return reply
  }
}
