import SelfCDData
import SelfCDEval

/// Replies of two conditions to the same prompts. A prompt is the same where its text is; where a text occurs several
/// times, its set and identifier say which one is meant, else its identifier alone (sets are named after files, which are
/// called otherwise in another run), else the order.
struct PromptPairs {
  /// Both replies of each pair, under the prompt that the first side has, and under the names of the sides.
  private(set) var replies: [EvaluatedReply] = []
  private(set) var otherwiseLabelled = 0
  let onlyFirst: Int
  let onlySecond: Int

  private struct Identifier: Hashable {
    /// Nil for any.
    let dataset: String?
    let sample: String
    let text: String

    init(_ reply: EvaluatedReply, text: String, hasSet: Bool = true) {
      dataset = hasSet ? reply.key.dataset : nil
      (sample, self.text) = (reply.key.sample, text)
    }
  }

  init(_ first: [EvaluatedReply], _ second: [EvaluatedReply], names: (String, String)) {
    var open: [String: [Int]] = [:]
    var identified: [Identifier: Int] = [:]
    var numbered: [Identifier: [Int]] = [:]
    for (index, reply) in first.enumerated() {
      let text = Self.text(reply)
      open[text, default: []].append(index)
      identified[Identifier(reply, text: text)] = index
      numbered[Identifier(reply, text: text, hasSet: false), default: []].append(index)
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
      let places = numbered[Identifier(reply, text: text, hasSet: false)] ?? []
      if !text.isEmpty, let place = places.first(where: { open[text]?.contains($0) ?? false }) {
        take(place, for: index, text)
      }
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

  /// Both replies of the pairs of which a judge has classed both.
  func judged(by judge: String, version: String) -> [EvaluatedReply] {
    stride(from: 0, to: replies.count - 1, by: 2).flatMap { place in
      let pair = replies[place...(place + 1)]
      return pair.allSatisfy { $0.replyClass(by: judge, version: version) != nil } ? Array(pair) : []
    }
  }

  /// How many prompts of each label one of two runs or the other has. Those that both have count once; a text that occurs
  /// several times counts as often as in the run that has it most often.
  static func planned(_ first: [Dataset], _ second: [Dataset]) -> [Sample.Label: Int] {
    func counts(_ sets: [Dataset]) -> [Planned: Int] {
      var counts: [Planned: Int] = [:]
      for set in sets {
        for sample in set.samples {
          guard let label = sample.label else { continue }
          let text = Self.text(sample)
          // Without a text the identifier has to do.
          counts[Planned(label: label, text: text, sample: text.isEmpty ? sample.id : ""), default: 0] += 1
        }
      }
      return counts
    }
    let all = counts(first).merging(counts(second)) { max($0, $1) }
    return all.reduce(into: [:]) { $0[$1.key.label, default: 0] += $1.value }
  }

  private struct Planned: Hashable {
    let label: Sample.Label
    let text: String
    let sample: String
  }

  private static func text(_ reply: EvaluatedReply) -> String { text(reply.sample) }

  private static func text(_ sample: Sample) -> String {
    ImportedPrompts.text(of: sample.turns.filter { $0.role != .system }, prompt: sample.prompt)
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
