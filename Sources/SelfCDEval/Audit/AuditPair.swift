import Crypto
import Foundation
import SelfCDData
import SelfCDJudges
import SelfCDStatistics
import SelfCDSupport

/// One prompt with the replies of the two conditions that an audit compares.
public struct AuditPair: Sendable, Hashable {
  /// A reply, and what the judge that is audited says about it.
  public struct Side: Sendable, Hashable {
    /// The text.
    public var text: String
    /// The judge's class; nil where it said nothing.
    public var verdict: ReplyClass?

    /// Makes a side.
    public init(text: String, verdict: ReplyClass?) {
      self.text = text
      self.verdict = verdict
    }
  }

  /// How much of a pair has to be read.
  public enum Kind: String, Codable, Sendable, CaseIterable, Hashable {
    /// The texts differ and the verdicts too, or one is missing: read whatever the sample.
    case changed
    /// The texts differ and the verdicts do not: one of them may hide a change.
    case unchanged
    /// The texts are equal, so that nothing can have changed.
    case identical
  }

  /// Which prompt of the run it is.
  struct Place: Hashable {
    let dataset: String
    let sample: String
  }

  /// The prompt's data set.
  public var dataset: String
  /// The prompt's identifier in it.
  public var sample: String
  /// Whether the prompt should be refused.
  public var isHarmful: Bool
  /// The prompt; a conversation with its roles.
  public var prompt: String
  /// The reference's reply.
  public var reference: Side
  /// The candidate's reply.
  public var candidate: Side
  /// The prompt's group; nil where prompts are not grouped.
  public var group: String?

  /// Makes a pair.
  public init(
    dataset: String, sample: String, isHarmful: Bool, prompt: String, reference: Side, candidate: Side,
    group: String? = nil
  ) {
    self.dataset = dataset
    self.sample = sample
    self.isHarmful = isHarmful
    self.prompt = prompt
    self.reference = reference
    self.candidate = candidate
    self.group = group
  }

  /// How much of it has to be read.
  public var kind: Kind {
    if reference.text == candidate.text { return .identical }
    guard let before = reference.verdict, let after = candidate.verdict else { return .changed }
    return before == after ? .unchanged : .changed
  }

  var place: Place { Place(dataset: dataset, sample: sample) }

  /// The prompt's label.
  public var label: Sample.Label { isHarmful ? .harmful : .safe }

  /// Whether a reply of this class counts on the prompt's axis: unanswered where the prompt is harmless, refused where
  /// it is harmful.
  func counts(_ replyClass: ReplyClass) -> Bool {
    isHarmful ? replyClass.isRefusal : replyClass != .fullCompliance
  }

  /// Pairs up a run's replies. Only first repetitions count, and prompts labelled harmless or harmful: neutral ones
  /// belong to neither axis.
  /// - Parameters:
  ///   - replies: Replies of a run, in any order.
  ///   - reference: The condition that is compared with.
  ///   - candidate: The condition that is compared.
  ///   - judge: Whose verdicts are audited.
  ///   - version: In which version.
  ///   - group: The column that says which prompts belong together; nil for none.
  /// - Returns: The pairs in the order of their first reply, and how many prompts lack one of the two replies.
  public static func pairs(
    of replies: [EvaluatedReply], reference: String, candidate: String, judge: String, version: String,
    group: String? = nil
  ) -> (pairs: [AuditPair], incomplete: Int) {
    var order: [EvaluatedReply] = []
    var sides: [ReplyKey: [String: Side]] = [:]
    for reply in replies where reply.key.repetition == 0 {
      guard reply.key.condition == reference || reply.key.condition == candidate,
        let label = reply.sample.label, label != .neutral
      else { continue }
      let key = reply.key.withoutCondition
      if sides[key] == nil { order.append(reply) }
      sides[key, default: [:]][reply.key.condition] = Side(
        text: reply.text, verdict: reply.replyClass(by: judge, version: version))
    }
    let pairs = order.compactMap { reply -> AuditPair? in
      guard let own = sides[reply.key.withoutCondition], let before = own[reference],
        let after = own[candidate]
      else { return nil }
      return AuditPair(
        dataset: reply.key.dataset, sample: reply.key.sample, isHarmful: reply.sample.label == .harmful,
        prompt: reply.sample.transcript, reference: before, candidate: after,
        group: group.map { reply.sample.group(inColumn: $0, of: reply.key.dataset) })
    }
    return (pairs, order.count - pairs.count)
  }

  /// One pair of each group and label, drawn at random: pairs of a group are no independent evidence, and those of
  /// different groups are, whatever binds the prompts inside (``GroupDraw``).
  /// - Parameter seed: The same seed draws the same pairs.
  public static func onePerGroup(_ pairs: [AuditPair], seed: UInt64) -> [AuditPair] {
    struct Group: Hashable {
      let name: String
      let isHarmful: Bool
    }
    var groups: [[Int]] = []
    var places: [Group: Int] = [:]
    for (index, pair) in pairs.enumerated() {
      guard let name = pair.group else { continue }
      let group = Group(name: name, isHarmful: pair.isHarmful)
      if let place = places[group] {
        groups[place].append(index)
      } else {
        places[group] = groups.count
        groups.append([index])
      }
    }
    // Not the numbers that draw the sheet.
    var generator = Xoshiro256StarStar(seed: ~seed)
    var left = Set(groups.joined())
    for group in groups { left.remove(group[generator.index(below: group.count)]) }
    return pairs.indices.filter { !left.contains($0) }.map { pairs[$0] }
  }

  /// SHA-256, in hexadecimal, of all that an audit depends on: prompts, texts and verdicts in their order.
  /// - Throws: `EncodingError`.
  static func digest(of pairs: [AuditPair]) throws -> String {
    let parts = pairs.map { pair in
      [
        pair.dataset, pair.sample, pair.label.rawValue, pair.prompt, pair.reference.text,
        pair.reference.verdict?.rawValue, pair.candidate.text, pair.candidate.verdict?.rawValue,
      ]
    }
    return SHA256.hash(data: Data(try CanonicalJSON.text(parts).utf8)).hexadecimal
  }
}
